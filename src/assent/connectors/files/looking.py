"""Looking for the rows of conversations in every file, version and hidden copy, by reading them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from assent.connectors.files import json_rows
from assent.connectors.files.rows import NoColumnError, Row, Shape
from assent.connectors.files.storage import DamagedError, UnchangeableError
from assent.connectors.replacing import BusyError
from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from assent.connectors.files.storage import Entry, Rewrite, Storage

_DAMAGED: Final = "is damaged and cannot be read to its end: mend or remove it"
_NO_COLUMN: Final = "has no column of ids: check `id` in the connector's file"

_PARQUET: Final = b"PAR1"
_OURS: Final = frozenset((BusyError, UnchangeableError))
"""Errors whose words are ours; those of libraries may quote what they could not read."""


@dataclass(slots=True)
class Seen:
    """What was found in one file: rows by conversation, and the first unreadable line that says an id."""

    entry: Entry
    rows: Counter[str] = field(default_factory=Counter)
    unread: dict[str, int] = field(default_factory=dict)
    problem: str = ""


def look(storage: Storage, shape: Shape, wanted: Collection[str]) -> Iterator[Seen]:
    """Read every file, and yield those that hold something of these conversations or could not be read."""
    for entry in storage.entries():
        seen = Seen(entry, problem=entry.problem)
        if not entry.problem and entry.size:
            try:
                _look_into(storage, shape, wanted, seen)
            except FileNotFoundError:  # gone since it was listed
                continue
            except NoColumnError:
                seen.problem = _NO_COLUMN if entry.kind != "hidden copy" else ""
            except Exception as problem:  # noqa: BLE001 - pyarrow, zlib and zstd raise their own
                seen.problem = why(problem)
        if seen.rows or seen.unread or seen.problem or not entry.tag:
            yield seen


def _look_into(storage: Storage, shape: Shape, wanted: Collection[str], seen: Seen) -> None:
    with storage.opened(seen.entry) as stream:
        if not _is_parquet(stream):
            seen.rows, seen.unread = json_rows.found(stream, shape, wanted)
            return
        from assent.connectors.files import parquet_rows  # noqa: PLC0415 - loading it takes longer than most looks

        seen.rows = parquet_rows.found(stream, shape, wanted)


def rows(
    storage: Storage, shape: Shape, entry: Entry, wanted: Collection[str] | None
) -> Iterator[tuple[int, Row | str]]:
    """Read the rows of a file, of `wanted` or all, with their numbers; a text instead of a row says why it is none.

    Raises `DamagedError` where the file cannot be read any further, what `storage` raises if it cannot be reached.
    """
    with storage.opened(entry) as stream:
        try:
            if not _is_parquet(stream):
                for number, row in json_rows.rows(stream):
                    if isinstance(row, str) or wanted is None or shape.id_of(row) in wanted:
                        yield number, row
                return
            from assent.connectors.files import parquet_rows  # noqa: PLC0415 - as above

            yield from parquet_rows.rows(stream, shape, wanted)
        except (AssentError, FileNotFoundError):
            raise
        except Exception as problem:
            if isinstance(problem, OSError) and problem.strerror:
                raise
            raise DamagedError(why(problem)) from None


def rewriter(storage: Storage, shape: Shape, entry: Entry, wanted: Collection[str]) -> tuple[Rewrite, bool]:
    """Give what copies a file without these conversations, and whether another program may append to it meanwhile."""
    with storage.opened(entry) as stream:
        if not _is_parquet(stream):
            return json_rows.rewriter(shape, wanted), json_rows.is_plain(stream)
    from assent.connectors.files import parquet_rows  # noqa: PLC0415 - as above

    return parquet_rows.rewriter(shape, wanted), False


def why(problem: Exception) -> str:
    """Say what went wrong with a file, without its name and without anything of what is in it."""
    if isinstance(problem, AssentError):
        return problem.message
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror.lower()
    # pyarrow raises an `OSError` without a number for a damaged file; ours have a type, or words, of their own
    return str(problem) if type(problem) in _OURS else _DAMAGED


def _is_parquet(stream: IO[bytes]) -> bool:
    head = stream.read(4)
    stream.seek(0)
    return head == _PARQUET
