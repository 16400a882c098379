"""The folder of a cut: complete under its name, or not there at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assent.domain.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Unfinished:
    """A folder that is being filled beside its final place. `path` is where to write."""

    def __init__(self, path: Path, target: Path) -> None:
        """Fill `path` until it becomes `target`."""
        self.path = path
        self._target = target

    def publish(self) -> None:
        """Give the folder its name, in one step; it is on the disk when this returns."""
        settle(self.path)
        self.path.rename(self._target)
        settle(self._target.parent)


@contextmanager
def unfinished(target: Path) -> Iterator[Unfinished]:
    """Make a folder to fill; what was not published when the block ends is removed.

    The folder is readable by its owner only, since content lies in it. What a killed process
    left there is removed first. Raises `Invalid` if `target` is something else than an
    absent or empty folder, `Refused` if another process is filling it.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise Invalid(f"`{target.name}` is not an empty folder", "choose a new folder; a cut never overwrites anything")
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.unfinished")
    path.mkdir(mode=0o700, exist_ok=True)
    with alone(path) as free:
        if not free:
            fix = "wait for it, or choose another folder"
            raise Refused(f"another cut is being written to `{target.name}`", fix)
        try:
            _empty(path)
            yield Unfinished(path, target)
        finally:
            if path.exists():
                shutil.rmtree(path)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Hold a folder for one process; says False, at once, if another one holds it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(held)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def settle(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
