"""What is fuzzed: a name, what reads the bytes, and inputs to begin with.

A reader may return whatever it likes or raise an error of the family that names a fix. Everything else is a fault,
and so is an input that takes longer than `WITHIN_S` or more memory than `MEMORY_MB`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from assent.domain.errors import AssentError

REPOSITORY = Path(__file__).resolve().parents[2]
FOUND = Path(__file__).with_name("found")
"""Inputs that once broke a reader, in a folder for each target: they are read in every run of the tests."""

WITHIN_S = 20
MEMORY_MB = 2_048

GROUPS = ("importers", "ledger", "files", "wire", "kept", "planted")

DEEP = 20_000
NESTED = b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP, b"x = " + b"[" * DEEP
HOSTILE = (
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"null", b"[]", b"{}", b'"\\ud800"', b"-0", b"1e999", b"NaN", b"[[]]",
    b'{"a":1,"a":2}', b"\r\n", b"\n\n", b"--", b"=", b"9" * 5_000, b"a" * 70_000, "\u0660\u00b2\u212a\u0130".encode(),
    *NESTED,
)  # fmt: skip
"""Given to every reader, whatever it reads."""


@dataclass(frozen=True)
class Target:
    """One reader. `seeds` are inputs in its form; `own_errors` it may raise beside the family."""

    name: str
    read: Callable[[bytes], object]
    seeds: Sequence[bytes] | Callable[[], Iterable[bytes]]
    own_errors: tuple[type[Exception], ...] = ()

    def run(self, data: bytes) -> None:
        """Read one input; whatever goes wrong in another way than it should comes out."""
        try:
            self.read(data)
        except (AssentError, *self.own_errors):
            pass

    def given(self) -> list[bytes]:
        """Give its own inputs."""
        return list(self.seeds() if callable(self.seeds) else self.seeds)

    def inputs(self) -> Iterator[bytes]:
        """Give every input that is tried first: its own, what is hostile to everybody, what was found once."""
        yield from self.given()
        yield from HOSTILE
        yield from (path.read_bytes() for path in sorted((FOUND / self.name).glob("*")))


def targets(group: str) -> list[Target]:
    """Return the targets of a group; its readers are loaded by that."""
    found: list[Target] = import_module(f"tests.fuzz.{group}").TARGETS
    return found


def quietly(act: Callable[[], object]) -> None:
    """Do one of several things that may each be refused."""
    Target("", lambda _: act(), ()).run(b"")


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Make a reader of text one of bytes: what is no UTF-8 never reaches it."""

    def decoded(data: bytes) -> object:
        try:
            said = data.decode()
        except UnicodeDecodeError:
            return None
        return read(said)

    return decoded


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


def at(name: str, data: bytes) -> Path:
    """Write an input where a reader of files finds it."""
    path = Path(_folder().name) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def files(pattern: str) -> list[bytes]:
    """Read files of this repository."""
    return [path.read_bytes() for path in sorted(REPOSITORY.glob(pattern))]
