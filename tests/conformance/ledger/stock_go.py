"""Golang's own checksum-database code as a judge: built from the source that the Go distribution carries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "go"
GO = Path(sys.prefix) / "bin" / "go"
STOCK = Path("src/cmd/vendor/golang.org/x/mod/sumdb")
# No network, no other tool chain, nothing of the machine's own Go settings.
OFFLINE = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=mod",
    "GOPROXY": "off",
    "GOSUMDB": "off",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    "PATH": os.environ["PATH"],
}


@dataclass(frozen=True)
class StockGo:
    """The built program, to be called with arguments and, if need be, text on its standard input."""

    program: Path

    def __call__(self, *arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self.program), *map(str, arguments)]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)


def go_root() -> Path:
    """Where the Go distribution lies."""
    return Path(subprocess.run([GO, "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip())


def build(folder: Path, program: Path) -> None:
    """Compile our sources with a copy of the stock packages; everything on the way lies in `folder` and goes again."""
    shutil.copytree(SOURCES, folder / "ours")
    for package in ("note", "tlog"):
        shutil.copytree(go_root() / STOCK / package, folder / "stock" / "sumdb" / package)
    (folder / "stock" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.25\n")
    (folder / "ours" / "go.mod").write_text(
        "module ledgercheck\n\ngo 1.27\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ../stock\n"
    )
    places = {name: str(folder / name.lower()) for name in ("HOME", "GOCACHE", "GOPATH")}
    command = [GO, "build", "-o", program, "."]
    built = subprocess.run(
        command, cwd=folder / "ours", env=OFFLINE | places, capture_output=True, text=True, timeout=300, check=False
    )
    shutil.rmtree(folder)
    assert built.returncode == 0, built.stderr
