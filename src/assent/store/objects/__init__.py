"""Published files in a folder, in memory or in an object store, by obstore.

`open_objects` takes a folder or an address such as `s3://bucket/prefix`; credentials come from
where the cloud's own tools look for them.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, MemoryStore, from_url

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obstore import UpdateVersion
    from obstore.store import ObjectStore, S3Config

_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
_TILE: Final = {"Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable"}


def open_objects(where: str, options: Mapping[str, str] | None = None) -> Objects:
    """Open a folder, made if need be, `memory:` or an object store's address.

    `options` are obstore's for that store. Raises `AssentError` if it is none of these.
    """
    if where == "memory:":
        return Objects(MemoryStore())
    if "://" not in where:
        return Folder(Path(where))
    try:
        return Objects(from_url(where, config=cast("S3Config", dict(options or {}))))
    except (BaseError, ValueError) as problem:
        raise AssentError("the address of the published ledger cannot be opened", "check `ledger_target`") from problem


class Objects:
    """An object store. What it acknowledges is durable."""

    def __init__(self, store: ObjectStore) -> None:
        """Write into this store of obstore."""
        self._store = store

    def put(self, path: str, data: bytes) -> None:
        with _answering():
            self._store.put(path, data, attributes=_headers(path))

    def get(self, path: str) -> bytes | None:
        with _answering():
            try:
                return bytes(self._store.get(path).bytes())
            except FileNotFoundError:
                return None

    def exists(self, path: str) -> bool:
        with _answering():
            try:
                self._store.head(path)
            except FileNotFoundError:
                return False
            return True

    def replace(self, path: str, before: bytes | None, after: bytes) -> bool:
        with _answering():
            return self._replaced(path, before, after)

    def _replaced(self, path: str, before: bytes | None, after: bytes) -> bool:
        try:
            if before is None:
                self._store.put(path, after, mode="create", attributes=_headers(path))
                return True
            found = self._store.get(path)
            if bytes(found.bytes()) != before:
                return False
            # what a store does not say it must not be asked for
            seen = {key: value for key in ("e_tag", "version") if (value := found.meta.get(key)) is not None}
            self._store.put(path, after, mode=cast("UpdateVersion", seen), attributes=_headers(path))
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
        return True


class Folder(Objects):
    """A folder on this machine: files appear by renaming, one writer at a time replaces."""

    def __init__(self, folder: Path) -> None:
        """Publish under `folder`, made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(LocalStore(folder))
        self._folder = folder

    def put(self, path: str, data: bytes) -> None:
        with _answering():
            self._store.put(path, data)

    def replace(self, path: str, before: bytes | None, after: bytes) -> bool:
        with self._alone():
            if self.get(path) != before:
                return False
            os.sync()  # the files first, whatever the order in which the kernel would write
            self.put(path, after)
            os.sync()
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except BaseError as problem:
        fix = "check `ledger_target`, the credentials and the network, then try again"
        raise AssentError(f"the object store of the ledger fails: {type(problem).__name__}", fix) from None


def _headers(path: str) -> dict[str, str]:
    return _TILE if path.startswith("tile/") else _TEXT
