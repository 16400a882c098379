"""Taking single lines, entries or rows out of files that many sessions share.

The other lines keep their bytes, the file its permissions and times. The new file is written
beside the old one and takes its name in one step. What another program appended meanwhile is
carried over, before the step and, for a program that had the old file open at that moment, after it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from sqlalchemy import MetaData, create_engine, delete, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from assent.connectors.coding_agents.home import file_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from sqlalchemy import Column, Connection, Engine

    from assent.connectors.coding_agents.home import FileAt, Home

BESIDE: Final = ".assent-"
"""How the name of a file begins that is being written; one left by a crash is removed by the next run."""

_SETTLING: Final = 5
_MOMENT_S: Final = 0.01
"""How often, and how long apart, what still goes to a file that was replaced is looked after."""

_TRIES: Final = 5
_BLOCK: Final = 1 << 20
_ROW_IDS: Final = ("thread_id", "session_id", "conversation_id", "rollout_id")
_BUSY_S: Final = 2
_IDS_AT_ONCE: Final = 500


class BusyError(OSError):
    """Another program is writing the file."""


def rewrite_lines(home: Home, path: str, keep: Callable[[bytes], bool]) -> int:
    """Take out the lines that are not to be kept; returns how many. Raises `OSError`, `BusyError` if it cannot now."""

    def copy(source: IO[bytes], target: IO[bytes]) -> int:
        taken = 0
        for line in source:
            if keep(line):
                target.write(line)
            else:
                taken += 1
        return taken

    return _replace(home, path, copy)


def rewrite_entries(home: Home, path: str, keep: Callable[[object], bool], key: str = "") -> int:
    """Take entries out of a JSON array, or of the array under `key`; the others keep their bytes.

    Raises `OSError`; `ValueError` if the file is no JSON of that shape.
    """

    def copy(source: IO[bytes], target: IO[bytes]) -> int:
        text = source.read().decode("utf-8")
        start, spans, end = _entries(text, key)
        kept = [span for span in spans if keep(json.loads(text[slice(*span)]))]
        if len(kept) == len(spans):
            target.write(text.encode())
            return 0
        between = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else ""
        head, tail = (text[: spans[0][0]], text[spans[-1][1] :]) if kept else (text[:start], text[end:])
        target.write((head + between.join(text[slice(*span)] for span in kept) + tail).encode())
        return len(spans) - len(kept)

    return _replace(home, path, copy, grows=False)


def entries(content: bytes, key: str = "") -> list[object]:
    """Read the entries of a JSON array; none where the file is cut off or has another shape."""
    try:
        value = json.loads(content)
        value = value.get(key) if key else value
    except (ValueError, AttributeError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _entries(text: str, key: str) -> tuple[int, list[tuple[int, int]], int]:
    """Find where an array's inside begins, each of its entries, and where the inside ends."""
    decoder = json.JSONDecoder()
    at = text.index("[")
    if key:
        whole = json.loads(text)
        if not isinstance(whole, dict) or not isinstance(whole.get(key), list):
            raise ValueError("no array under the key")
        at = _value_of(text, key, decoder)
    spans: list[tuple[int, int]] = []
    at = begin = at + 1
    while True:
        at = _after_blanks(text, at)
        if text[at] == "]":
            return begin, spans, at
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
        _, end = decoder.raw_decode(text, at)
        spans.append((at, end))
        at = end


def _value_of(text: str, key: str, decoder: json.JSONDecoder) -> int:
    at = text.index("{") + 1
    while True:
        at = _after_blanks(text, at)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
        name, at = decoder.raw_decode(text, at)
        at = _after_blanks(text, _after_blanks(text, at) + 1)
        if name == key:
            return at
        _, at = decoder.raw_decode(text, at)


def _after_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _replace(home: Home, path: str, copy: Callable[[IO[bytes], IO[bytes]], int], *, grows: bool = True) -> int:
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
    for _ in range(_SETTLING):
        grown = os.fstat(old).st_size
        if grown > size:
            os.lseek(old, size, os.SEEK_SET)
            with os.fdopen(os.dup(old), "rb") as source, os.fdopen(os.dup(new), "ab") as target:
                os.lseek(new, 0, os.SEEK_END)
                copy(source, target)
            size = grown
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


# -- state databases ----------------------------------------------------------------------


def rows_of(home: Home, path: str, ids: Sequence[str]) -> set[str]:
    """Find which sessions have rows in a SQLite file. Raises `OSError` if it cannot be read."""
    found: set[str] = set()
    with _database(home, path) as connection:
        for column in _id_columns(connection):
            for start in range(0, len(ids), _IDS_AT_ONCE):
                wanted = select(column).where(column.in_(ids[start : start + _IDS_AT_ONCE])).distinct()
                found.update(connection.scalars(wanted))
    return found


def delete_rows(home: Home, path: str, ids: Sequence[str]) -> None:
    """Delete the rows of sessions and overwrite their bytes. Raises `BusyError` if the file is locked."""
    with _database(home, path) as connection:
        for column in _id_columns(connection):
            for start in range(0, len(ids), _IDS_AT_ONCE):
                connection.execute(delete(column.table).where(column.in_(ids[start : start + _IDS_AT_ONCE])))
        connection.commit()
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def compact(home: Home, path: str) -> None:
    """Write a SQLite file anew without free pages. Raises `BusyError` if another program uses it."""
    with _database(home, path) as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _database(home: Home, path: str) -> Iterator[Connection]:
    if home.look(path) is None:
        raise OSError("not a regular file")
    engine = create_engine(f"sqlite:///{home.root / path}", poolclass=NullPool, connect_args={"timeout": _BUSY_S})
    _watch(engine)
    try:
        with closing(engine.connect()) as connection:
            yield connection
    except SQLAlchemyError as problem:
        raise BusyError("the database is in use or damaged") from problem
    finally:
        engine.dispose()


def _watch(engine: Engine) -> None:
    def prepare(connection: object, _record: object) -> None:
        connection.execute("PRAGMA secure_delete = ON")  # type: ignore[attr-defined]

    event.listen(engine, "connect", prepare)


def _id_columns(connection: Connection) -> Iterator[Column[str]]:
    """Yield the columns that name a session: `thread_id` and its like, and `id` of a table of threads."""
    known = MetaData()
    known.reflect(connection, resolve_fks=False)
    for table in known.sorted_tables:
        names = [name for name in _ROW_IDS if name in table.c]
        if not names and table.name in ("threads", "sessions") and "id" in table.c:
            names = ["id"]
        for name in names:
            yield table.c[name]
