"""Installed from its wheel into an empty environment, as people do, assent runs the demo on every Python it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
VERSIONS = re.findall(r":: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
EXTRAS = PROJECT["optional-dependencies"]
UV = Path(sys.executable).parent / "uv"
IMPORTED = {
    "browser": ["playwright.sync_api"],
    "cluster": ["ray"],
    "detect": ["onnxruntime", "sklearn", "tokenizers"],
    "kms": ["boto3"],
    "lake": ["deltalake", "pyiceberg.catalog.sql"],
    "mongo": ["pymongo"],
    "mysql": ["pymysql"],
    "otlp": ["opentelemetry.proto.trace.v1.trace_pb2"],
    "pkcs11": ["pkcs11"],
    "postgres": ["psycopg"],
    "s3": ["boto3"],
}

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
    run(UV, "tool", "install", "--quiet", "--python", python(VERSIONS[0]), wheel, cwd=empty, **places)
    program = empty / "uv_tool_bin_dir" / "assent"
    run(program, "init", "home", cwd=empty)
    assert "conversations                   0" in run(program, "status", cwd=empty / "home")


def test_pipx_installs_it(wheel: Path, empty: Path) -> None:
    run(python(VERSIONS[0]), "-m", "venv", empty / "env", cwd=empty)
    run(empty / "env/bin/pip", "install", "--quiet", "pipx", cwd=empty)
    places = {"PIPX_HOME": str(empty / "pipx"), "PIPX_BIN_DIR": str(empty / "bin")}
    run(empty / "env/bin/pipx", "install", "--quiet", wheel, cwd=empty, **places)
    assert run(empty / "bin" / "assent", "--version", cwd=empty).startswith("assent ")
    assert run(empty / "bin" / "assent-verify", "--help", cwd=empty)


def test_the_wheel_says_that_it_is_typed_and_carries_what_it_needs(wheel: Path, empty: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    assert {"assent/py.typed", "assent_verify.py", "assent/policies/anthropic/2025-10-08.toml"} <= names
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert not [name for name in names if re.match(r"tests|benchmarks|docs|.*__pycache__", name)]
    again = empty / "again"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", again, cwd=REPOSITORY)
    [built] = again.glob("*.whl")
    assert built.read_bytes() == wheel.read_bytes(), "the same source gives the same wheel"


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_resolves_on_every_python(extra: str, wheel: Path, empty: Path) -> None:
    """Only descriptions of packages are asked for, none is installed: `train` would bring gigabytes."""
    (empty / "wanted.in").write_text(f"assent[{extra}] @ {wheel.as_uri()}\n", "utf-8")
    named = {re.match(r"[\w-]+", wanted)[0] for wanted in EXTRAS[extra]}
    for version in VERSIONS:
        where = ("--python-version", version, "--cache-dir", empty / "cache")
        found = run(UV, "pip", "compile", "--quiet", *where, "wanted.in", cwd=empty)
        assert named <= set(re.findall(r"^([\w-]+)(?:\[\S+\])?==", found, re.MULTILINE)), version


def test_what_extras_bring_can_be_imported(wheel: Path, empty: Path) -> None:
    """All but `train`, which wants a build of torch that the machine decides, and `cut`, which the demo above uses."""
    assert {*IMPORTED, "cut", "train"} == EXTRAS.keys()
    run(python(VERSIONS[0]), "-m", "venv", empty / "env", cwd=empty)
    run(empty / "env/bin/pip", "install", "--quiet", f"{wheel}[{','.join(IMPORTED)}]", cwd=empty)
    modules = ", ".join(module for found in IMPORTED.values() for module in found)
    run(empty / "env/bin/python", "-c", f"import assent, {modules}", cwd=empty)
