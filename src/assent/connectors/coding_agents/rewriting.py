"""Taking single lines, entries or rows out of files that many sessions share.

The other lines keep their bytes, the file its permissions and times (connectors/replacing.py).
"""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import MetaData, create_engine, delete, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from assent.connectors.replacing import BusyError, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from sqlalchemy import Column, Connection, Engine

    from assent.connectors.tree import Tree

_ROW_IDS: Final = ("thread_id", "session_id", "conversation_id", "rollout_id")
_BUSY_S: Final = 2
_IDS_AT_ONCE: Final = 500


def rewrite_lines(home: Tree, path: str, keep: Callable[[bytes], bool]) -> int:
    """Take out the lines that are not to be kept; returns how many. Raises `OSError`, `BusyError` if it cannot now."""

    def copy(source: IO[bytes], target: IO[bytes]) -> int:
        taken = 0
        for line in source:
            if keep(line):
                target.write(line)
            else:
                taken += 1
        return taken

    return replace_file(home, path, copy)


def rewrite_entries(home: Tree, path: str, keep: Callable[[object], bool], key: str = "") -> int:
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

    return replace_file(home, path, copy, grows=False)


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


# -- state databases ----------------------------------------------------------------------


def rows_of(home: Tree, path: str, ids: Sequence[str]) -> set[str]:
    """Find which sessions have rows in a SQLite file. Raises `OSError` if it cannot be read."""
    found: set[str] = set()
    with _database(home, path) as connection:
        for column in _id_columns(connection):
            for start in range(0, len(ids), _IDS_AT_ONCE):
                wanted = select(column).where(column.in_(ids[start : start + _IDS_AT_ONCE])).distinct()
                found.update(connection.scalars(wanted))
    return found


def delete_rows(home: Tree, path: str, ids: Sequence[str]) -> None:
    """Delete the rows of sessions and overwrite their bytes. Raises `BusyError` if the file is locked."""
    with _database(home, path) as connection:
        for column in _id_columns(connection):
            for start in range(0, len(ids), _IDS_AT_ONCE):
                connection.execute(delete(column.table).where(column.in_(ids[start : start + _IDS_AT_ONCE])))
        connection.commit()
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def compact(home: Tree, path: str) -> None:
    """Write a SQLite file anew without free pages. Raises `BusyError` if another program uses it."""
    with _database(home, path) as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _database(home: Tree, path: str) -> Iterator[Connection]:
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
