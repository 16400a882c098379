"""Writing a file of a tree anew while others may use it: beside it first, then its name in one step.

The new file has the permissions and times of the old one. What another program appended meanwhile is carried over,
before the step and, for a program that had the old file open at that moment, after it.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from assent.connectors.tree import file_at, held_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from assent.connectors.tree import FileAt, Tree

BESIDE: Final = ".assent-"
"""How the name of a file begins that is being written; one left by a crash is removed by the next run."""

_SETTLING: Final = 5
_MOMENT_S: Final = 0.01
"""How often at least, and how long apart, what still goes to a file that was replaced is looked after."""

_LONGEST: Final = 200
"""How often at most, while a program still has the replaced file open."""

_TRIES: Final = 5
_BLOCK: Final = 1 << 20


class BusyError(OSError):
    """Another program is writing the file."""


def replace_file(home: Tree, path: str, copy: Callable[[IO[bytes], IO[bytes]], int], *, grows: bool = True) -> int:
    """Write a file anew as `copy` gives it, beside it first; returns what `copy` took out, 0: the file stays as it is.

    With `grows`, what is appended meanwhile is carried over through `copy` too. Raises `OSError`, `BusyError`.
    """
    with home.opened(path) as old, _locked(old), home.parent(path) as (folder, name):
        if os.fstat(old).st_nlink > 1:
            raise OSError("the file has a second name, under which its bytes would stay")
        beside = f"{BESIDE}{name}"[:200]
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=folder)
        for _ in range(_TRIES):
            before = file_at(path, os.fstat(old))
            new = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
            try:
                taken = _written(old, new, copy)
                if taken and _same(folder, name, before, old):
                    _dress(old, new)
                    os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
                    os.fsync(folder)
                    if grows:
                        _settle(old, new, before.size, copy)
                    return taken
            finally:
                os.close(new)
                with suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=folder)
            if not taken:
                return 0
    raise BusyError("the file changes while it is read")


def _written(old: int, new: int, copy: Callable[[IO[bytes], IO[bytes]], int]) -> int:
    os.lseek(old, 0, os.SEEK_SET)
    with os.fdopen(os.dup(old), "rb", _BLOCK) as source, os.fdopen(os.dup(new), "wb", _BLOCK) as target:
        taken = copy(source, target)
        target.flush()
        os.fsync(new)
    return taken


def _same(folder: int, name: str, before: FileAt, old: int) -> bool:
    """Tell whether the path still names the file that was read, with not a byte more."""
    named = file_at(before.path, os.stat(name, dir_fd=folder, follow_symlinks=False))
    return named == before == file_at(before.path, os.fstat(old))


def _dress(old: int, new: int) -> None:
    """Give the new file the owner, permissions and times of the old."""
    status = os.fstat(old)
    with suppress(PermissionError):
        os.fchown(new, status.st_uid, status.st_gid)
    os.fchmod(new, status.st_mode & 0o7777)
    for name in os.listxattr(old) if hasattr(os, "listxattr") else ():
        with suppress(OSError):
            os.setxattr(new, name, os.getxattr(old, name))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))


def _settle(old: int, new: int, size: int, copy: Callable[[IO[bytes], IO[bytes]], int]) -> None:
    """Append what programs that had the old file open write after it was last looked at, for a moment.

    Whoever opens the path from now on finds the new file; one who opened the old one just before is about to write.
    """
    status = os.fstat(old)
    # at its end at the moment of writing: a program that has the new file open may append to it as well
    fcntl.fcntl(new, fcntl.F_SETFL, fcntl.fcntl(new, fcntl.F_GETFL) | os.O_APPEND)
    for turn in range(_LONGEST):
        last = turn >= _SETTLING and not held_open({(status.st_dev, status.st_ino)})
        grown = os.fstat(old).st_size
        if grown > size:
            os.lseek(old, size, os.SEEK_SET)
            with os.fdopen(os.dup(old), "rb") as source, os.fdopen(os.dup(new), "ab", _BLOCK) as target:
                copy(source, target)
            size = os.lseek(old, 0, os.SEEK_CUR)  # as far as was read, which may be farther than it had grown
        if last:
            return
        time.sleep(_MOMENT_S)


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Hold the lock that programs of one machine may ask for."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError("another program has locked the file") from None
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
