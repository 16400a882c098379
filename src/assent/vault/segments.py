"""Segments: files of sealed records that are written once, in a folder or an object store, and removed whole.

A name is `YYYY-MM-DD/LANE/FIRST-LAST`, and for a copy `...-TIMES`: the day of intake, the lane, the first and the last
slot, how often its records were copied. It names no person and no conversation, and is never given twice.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from assent.domain.errors import AssentError
from assent.vault.disk import create_whole, make_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import ObjectStore


class Segments(Protocol):
    """Where segments lie."""

    def put(self, name: str, data: bytes) -> None:
        """Write a segment; durable when this returns. Raises `FileExistsError` if there is one of that name."""
        ...

    def read(self, name: str, position: int, length: int) -> bytes:
        """Read a stretch of a segment. Raises `FileNotFoundError` if there is no such segment."""
        ...

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield every segment with its size in bytes, also what a crash left half-written."""
        ...

    def written(self, name: str) -> datetime:
        """Return when a segment was written, by the clock of whoever keeps it. Raises `FileNotFoundError`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a segment, durably; one that is gone already is no error."""
        ...


class FolderSegments:
    """Segments in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        """Keep segments under `folder`, made with the first of them."""
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        make_folder(path.parent)
        create_whole(path, data)

    def read(self, name: str, position: int, length: int) -> bytes:
        descriptor = os.open(self._folder / name, os.O_RDONLY)
        try:
            return os.pread(descriptor, length, position)
        finally:
            os.close(descriptor)

    def names(self) -> Iterator[tuple[str, int]]:
        for path in sorted(self._folder.rglob("*")):
            with suppress(FileNotFoundError):  # removed since it was listed
                if path.is_file():
                    yield path.relative_to(self._folder).as_posix(), path.stat().st_size

    def written(self, name: str) -> datetime:
        return datetime.fromtimestamp((self._folder / name).stat().st_mtime, UTC)

    def remove(self, name: str) -> None:
        path = self._folder / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)


class ObjectSegments:
    """Segments in an object store. What it acknowledges is durable."""

    def __init__(self, store: ObjectStore) -> None:
        """Keep segments in this store of obstore."""
        self._store = store

    def put(self, name: str, data: bytes) -> None:
        with _answering():
            try:
                self._store.put(name, data, mode="create")
            except AlreadyExistsError:
                raise FileExistsError(errno.EEXIST, "there is a segment of that name", name) from None

    def read(self, name: str, position: int, length: int) -> bytes:
        with _answering():
            return bytes(self._store.get_range(name, start=position, length=length))

    def names(self) -> Iterator[tuple[str, int]]:
        with _answering():
            for page in self._store.list():
                for found in page:
                    yield found["path"], found["size"]

    def written(self, name: str) -> datetime:
        with _answering():
            return self._store.head(name)["last_modified"]

    def remove(self, name: str) -> None:
        with _answering(), suppress(FileNotFoundError):
            self._store.delete(name)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except BaseError as problem:
        fix = "check `segments`, the credentials and the network, then try again"
        raise AssentError(f"the object store of the segments fails: {type(problem).__name__}", fix) from None


def open_segments(where: str) -> Segments:
    """Open a folder, or an object store by its address (`s3://`, `gs://`, `az://`).

    Credentials, region and the like come from where the cloud's own tools look for them. Raises `AssentError` if it is
    neither.
    """
    if "://" not in where:
        return FolderSegments(Path(where))
    try:
        return ObjectSegments(from_url(where))
    except (BaseError, ValueError) as problem:
        raise AssentError("the address of the segments cannot be opened", "check `segments`") from problem
