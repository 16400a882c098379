"""What is installed: the page beside the code that writes it, and the single-file verifier as a program of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.receipt_samples import SIGNER, sample

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    [built] = folder.glob("*.whl")
    with zipfile.ZipFile(built) as opened:
        yield opened


def test_the_wheel_carries_page_and_verifier(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"assent/services/receipts/page.html", "assent_verify.py"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"assent", "assent_verify.py"}
    [entries] = [name for name in names if name.endswith("/entry_points.txt")]
    assert "assent-verify = assent_verify:main" in wheel.read(entries).decode()


def test_the_verifier_runs_alone(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Copied out of the wheel, in isolated mode: an auditor needs Python, `cryptography` and this one file."""
    alone = Path(wheel.extract("assent_verify.py", tmp_path))
    (tmp_path / "receipt.json").write_bytes(sample())
    command = [sys.executable, "-I", str(alone), "receipt.json", "--key", SIGNER.verifier.vkey]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.endswith("the key signed that state\n")
    (tmp_path / "receipt.json").write_bytes(sample().replace(b"P5Y", b"P9Y"))
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("invalid: ")
