"""A machine that forgets, when the power goes, whatever nobody waited for: the strictest reading of fsync.

Bytes of a file are kept once that file was waited for, names once their folder was.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.unit.vault.failing import PowerCut

CHANGES = ("open", "fsync", "pwrite", "mkdir", "link", "replace", "unlink", "rmdir")


class Volatile:
    """Does what it is told, remembers how to undo it until it was waited for, and loses power at change number `at`."""

    def __init__(self, limbo: Path, at: int) -> None:
        self.at = at
        self.calls = 0
        self._limbo = limbo
        self._saved = 0
        self._undo: list[tuple[object, Callable[[], object]]] = []
        self._real = {name: getattr(os, name) for name in CHANGES}

    @property
    def failed(self) -> bool:
        return self.calls >= self.at

    def instead_of(self, name: str) -> Callable[..., Any]:
        change = getattr(self, f"_{name}")

        def call(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return self._real["open"](*arguments, **named)
            self.calls += 1
            if self.failed:
                raise PowerCut
            change(*arguments)
            done = self._real[name](*arguments, **named)
            if name == "fsync":
                self._keep(arguments[0])
            return done

        return call

    def lose(self) -> None:
        """Undo everything that nobody waited for."""
        for _, undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def _later(self, key: object, undo: Callable[[], object]) -> None:
        self._undo.append((key, undo))

    def _keep(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        key = Path(f"/proc/self/fd/{descriptor}").readlink() if stat.S_ISDIR(found.st_mode) else found.st_ino
        self._undo = [(other, undo) for other, undo in self._undo if other != key and not self._gone(other, key)]

    @staticmethod
    def _gone(other: object, folder: object) -> bool:
        """Tell whether `other` is a folder that `folder`, which was waited for, does not hold any more."""
        return isinstance(other, Path) and other.parent == folder and not other.exists()

    def _save(self, path: Path) -> Path:
        """Give what a name stands for another name, outside."""
        self._saved += 1
        saved = self._limbo / str(self._saved)
        self._real["link"](path, saved)
        return saved

    def _fsync(self, _descriptor: int) -> None:
        pass

    def _open(self, where: object, flags: int, _mode: int = 0o777) -> None:
        path = Path(str(where))
        if not path.exists():
            self._later(path.parent, lambda: self._real["unlink"](path))
        elif flags & os.O_TRUNC:
            before = path.read_bytes()
            self._later(path.stat().st_ino, lambda: path.write_bytes(before))

    def _pwrite(self, descriptor: int, data: bytes, position: int) -> None:
        found = os.fstat(descriptor)
        again = self._real["open"](f"/proc/self/fd/{descriptor}", os.O_RDWR)
        before = os.pread(again, len(data), position)

        def undo() -> None:
            self._real["pwrite"](again, before, position)
            os.ftruncate(again, found.st_size)
            os.close(again)

        self._later(found.st_ino, undo)

    def _mkdir(self, where: object, _mode: int = 0o777) -> None:
        path = Path(str(where))
        if not path.exists():
            self._later(path.parent, lambda: shutil.rmtree(path))

    def _rmdir(self, where: object) -> None:
        path = Path(str(where))
        self._later(path.parent, lambda: self._real["mkdir"](path))

    def _link(self, _source: object, where: object) -> None:
        path = Path(str(where))
        if not path.exists():
            self._later(path.parent, lambda: self._real["unlink"](path))

    def _unlink(self, where: object) -> None:
        path = Path(str(where))
        if path.exists():
            saved = self._save(path)
            self._later(path.parent, lambda: self._real["link"](saved, path))

    def _replace(self, source: object, where: object) -> None:
        part, path = Path(str(source)), Path(str(where))
        coming = self._save(part)
        going = self._save(path) if path.exists() else None

        def undo() -> None:
            self._real["unlink"](path)
            self._real["link"](coming, part)
            if going is not None:
                self._real["link"](going, path)

        self._later(path.parent, undo)


@contextmanager
def volatile(limbo: Path, at: int) -> Iterator[Volatile]:
    """Let the power go at the `at`-th change of the disk; call `lose` afterwards."""
    limbo.mkdir()
    machine = Volatile(limbo, at)
    with mock.patch.multiple(os, **{name: machine.instead_of(name) for name in CHANGES}):
        yield machine
