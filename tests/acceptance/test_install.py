"""Installed from its wheel into an empty environment, as people do, assent runs the demo on every Python it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CLASSIFIED = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
VERSIONS = re.findall(r":: (3\.\d+)$", "\n".join(CLASSIFIED), re.MULTILINE)

pytestmark = [pytest.mark.deep]  # half a gigabyte for each environment, from a package index


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder that goes at once: environments are large."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def python(version: str) -> str:
    """Find an interpreter of this version: where pyenv puts them (its own on the path may refuse), or on the path."""
    others = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = str(others[-1]) if others else shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"there is no python{version} on this machine")
    return found


def run(*command: object, cwd: Path, **environment: str) -> str:
    kept = {key: os.environ[key] for key in os.environ.keys() - {"CI", "PYTHONPATH", "VIRTUAL_ENV", "ASSENT_HOME"}}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_pip_installs_it_and_the_demo_runs(version: str, wheel: Path, empty: Path) -> None:
    run(python(version), "-m", "venv", empty / "env", cwd=empty)
    run(empty / "env/bin/pip", "install", "--quiet", f"{wheel}[cut]", cwd=empty)
    assert run(empty / "env/bin/assent", "--version", cwd=empty).startswith("assent ")
    said = run(empty / "env/bin/assent", "demo", "--out", "out", "--people", "60", "--no-serve", cwd=empty)
    assert "Look into out:" in said
    assert (empty / "out" / "cut").is_dir()


def test_uv_installs_it_as_a_tool(wheel: Path, empty: Path) -> None:
    places = {name: str(empty / name.lower()) for name in ("UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "UV_CACHE_DIR")}
    uv = Path(sys.executable).parent / "uv"
    run(uv, "tool", "install", "--quiet", "--python", python(VERSIONS[0]), wheel, cwd=empty, **places)
    program = empty / "uv_tool_bin_dir" / "assent"
    run(program, "init", "home", cwd=empty)
    assert "conversations                   0" in run(program, "status", cwd=empty / "home")
