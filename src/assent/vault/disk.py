"""Files that are on the disk when a function returns; every error of the machine reaches the caller.

What is written with `create_whole` or `replace_whole` is there whole or not at all, whenever the power goes.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from errno import ENOTDIR
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART: Final = ".part"
"""Ending of a file that is being written. One that a crash left is rubbish."""

OWNER_ONLY: Final = 0o600
_FOLDER: Final = 0o700
_ZEROS: Final = bytes(1 << 20)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably, for its owner alone; one that is there stays as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=_FOLDER, exist_ok=True)
    except FileExistsError:  # told apart from a file of the wanted name that is there already
        raise NotADirectoryError(ENOTDIR, "a file is in the place of a folder", str(folder)) from None
    sync_folder(folder.parent)


def create_whole(path: Path, data: bytes) -> None:
    """Write a new file. Raises `FileExistsError`, and changes nothing, if there is one of that name."""
    part = _write_part(path, data)
    try:
        os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of one of that name if there is one."""
    part = _write_part(path, data)
    part.replace(path)
    sync_folder(path.parent)


def _write_part(path: Path, data: bytes) -> Path:
    part = path.with_name(path.name + PART)
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
    try:
        write_at(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return part


def write_at(descriptor: int, data: bytes, position: int) -> None:
    """Write all of `data` at a position, however many writes the machine makes of it."""
    written = os.pwrite(descriptor, data, position)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], position + written)


def zero_at(descriptor: int, position: int, length: int) -> None:
    """Overwrite a stretch with zeros."""
    end = position + length
    while position < end:
        zeros = _ZEROS[: end - position]
        write_at(descriptor, zeros, position)
        position += len(zeros)


def zero_and_remove(path: Path) -> None:
    """Overwrite a file with zeros, wait for the disk, then remove its name; does nothing if there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        zero_at(descriptor, 0, os.fstat(descriptor).st_size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(path.parent)


@contextmanager
def locked(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold a lock file, alone or with others who do not want it alone; waits. It goes with the process that dies."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
