"""A folder of another system, walked and changed without ever leaving it.

Any program may have written here, so nothing is trusted: a link is never
followed and never removed, a file is opened and unlinked below a folder that is held open, and
names are passed on as the disk gives them. Paths are relative to the folder, with `/` between.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_PROCESSES: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class FileAt:
    """A regular file as it was when looked at. `path` is relative to the home."""

    path: str
    size: int
    changed_ns: int
    inode: int
    device: int
    links: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        name = self.name
        return name.rpartition(".")[0] or name


def file_at(path: str, status: os.stat_result) -> FileAt:
    """Keep of a file's status what tells whether it is still the same file with the same bytes."""
    return FileAt(path, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, status.st_nlink)


@dataclass(slots=True)
class Tree:
    """A folder and all below it. `unreadable` and `links` collect the folders and links that were not looked into."""

    root: Path
    unreadable: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Raise `OSError` if the home cannot be read: then nothing is known of what is in it."""
        with os.scandir(self.root):
            self.unreadable.clear()
            self.links.clear()

    def files(self, under: str = "") -> Iterator[FileAt]:
        """Yield the regular files below a folder in a fixed order; links and devices are passed over.

        Raises `OSError` if the home itself cannot be read; a folder below it that cannot is noted.
        """
        for path, entry in self._entries(under):
            with suppress(FileNotFoundError):  # gone since it was listed
                yield file_at(path, entry.stat(follow_symlinks=False))

    def paths(self, under: str = "") -> Iterator[str]:
        """Yield the paths of the same files, without looking at each."""
        for path, _ in self._entries(under):
            yield path

    def _entries(self, under: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            with os.scandir(self.root / under) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            if not under:
                raise
            return
        except PermissionError:
            if not under:
                raise
            self.unreadable.add(under)
            return
        for entry in entries:
            path = f"{under}/{entry.name}" if under else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._entries(path)
            elif entry.is_file(follow_symlinks=False):
                yield path, entry
            elif entry.is_symlink():
                self.links.add(path)

    def below(self, under: str) -> Iterator[FileAt]:
        """Yield the files below a folder of the home, nothing if it is a link or not there."""
        if self._is_folder(under):
            yield from self.files(under)

    def paths_below(self, under: str) -> Iterator[str]:
        """Yield the paths of the same files, without looking at each."""
        if self._is_folder(under):
            yield from self.paths(under)

    def folders(self, under: str) -> list[str]:
        """List the folders right below a folder of the home, in a fixed order, links left out."""
        try:
            with self.parent(f"{under}/.") as (folder, _), os.scandir(folder) as found:
                return sorted(f"{under}/{entry.name}" for entry in found if entry.is_dir(follow_symlinks=False))
        except OSError:  # a walk notes what cannot be read
            return []

    def look(self, path: str) -> FileAt | None:
        """Look at one file; None if it is not there, not a regular file, or lies behind a link."""
        try:
            with self.parent(path) as (folder, name):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return None
        return file_at(path, status) if stat.S_ISREG(status.st_mode) else None

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Hold the folder of a path open and give it with the last name; no step on the way may be a link."""
        *folders, name = path.split("/")
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                below = os.open(folder, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here, name
        finally:
            os.close(here)

    @contextmanager
    def opened(self, path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
        """Open a regular file. Raises `OSError` if it is a link, lies behind one, or is no file."""
        with self.parent(path) as (folder, name):
            file = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError("not a regular file")
            yield file
        finally:
            os.close(file)

    def content(self, path: str) -> bytes:
        """Read a file, b"" if it cannot be."""
        return next(self.contents([path]))

    def contents(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Read files one after the other, b"" for one that cannot be; the folder of neighbours is opened once."""
        for folder, together in groupby(paths, key=lambda path: path.rpartition("/")[0]):
            names = [path.rpartition("/")[2] for path in together]
            try:
                with self.parent(f"{folder}/." if folder else ".") as (above, _):
                    yield from (_content(name, above) for name in names)
            except OSError:
                yield from (b"" for _ in names)

    def lines(self, path: str) -> Iterator[bytes]:
        """Read a file line by line, nothing if it cannot be."""
        try:
            with self.opened(path) as file, os.fdopen(os.dup(file), "rb") as stream:
                yield from stream
        except OSError:
            return

    def unlink(self, file: FileAt) -> None:
        """Remove the file that was looked at; another of its name stays. Raises `OSError`."""
        with self.parent(file.path) as (folder, name):
            try:
                now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return
            if (now.st_ino, now.st_dev) != (file.inode, file.device):
                raise OSError("another file has taken its place")
            os.unlink(name, dir_fd=folder)

    def tidy(self, folder: str, *, keep: int) -> None:
        """Remove a folder and those above it while they are empty; the first `keep` levels stay."""
        while folder.count("/") >= keep:
            try:
                with self.parent(folder) as (above, name):
                    os.rmdir(name, dir_fd=above)
            except OSError:  # not empty, or not ours to remove
                return
            folder = folder.rpartition("/")[0]

    def _is_folder(self, path: str) -> bool:
        try:
            with self.parent(f"{path}/."):
                return True
        except OSError:
            return False


def _content(name: str, folder: int) -> bytes:
    try:
        with open(name, "rb", buffering=0, opener=partial(_open_file, folder=folder)) as stream:
            return stream.read() if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else b""
    except OSError:
        return b""


def _open_file(name: str, _flags: int, *, folder: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)


def held_open(device_and_inode: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Tell which of the files another process has open, as far as this machine lets one see (Linux: /proc)."""
    held = set()
    own = str(os.getpid())
    for process in _listed(_PROCESSES):
        if not process.name.isdigit() or process.name == own:
            continue
        for descriptor in _listed(process / "fd"):
            try:
                status = Path(descriptor).stat()
            except OSError:
                continue
            held.add((status.st_dev, status.st_ino))
    return held & device_and_inode


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
