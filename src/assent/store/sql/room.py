"""What the rooms of the store share: a database to read from and to write to."""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Engine, Executable, Table

    from assent.store.port.contents import Contents
    from assent.store.sql.driven import Cursor

T = TypeVar("T")
Among: TypeAlias = "Callable[[ColumnElement[Any]], ColumnElement[bool]]"
Stretches: TypeAlias = "Generator[Sequence[tuple[Any, ...]], None, None]"

PIECE: Final = 5_000
"""How many values one statement names at most."""


class Database(Protocol):
    """One database and its connections, for any number of threads.

    What SQLite and PostgreSQL do not do alike is here, and nowhere else.
    """

    @property
    def engine(self) -> Engine: ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Read at one instant: what others write meanwhile is not seen."""
        ...

    def looking(self) -> AbstractContextManager[Connection]:
        """Read by a single statement that is written down (`driven.py`): it sees one instant by itself."""
        ...

    def writing(self, *, may_be_lost: bool = False, replaying: bool = False) -> AbstractContextManager[Connection]:
        """Write as if alone, all or nothing: what was read here stays true until the end.

        With `may_be_lost` it is not waited for the disk: should the power fail, this write may be
        undone, and never without those after it. Raises `Refused` in a store that came back from a
        backup, unless it is `replaying` what was erased since.
        """
        ...

    def next_key(self, connection: Connection, table: Table) -> int:
        """Return the first number that no row of a table has; of tables whose keys stand in plans, that none ever had.

        Only a writer may ask, and it gives the numbers from there on to `insert_rows`.
        """
        ...

    def give_keys(self, connection: Connection, table: Table, last: int) -> None:
        """Note that the numbers up to `last` were given, also those that no row of the table has."""
        ...

    def run(self, connection: Connection, statement: str, values: Mapping[str, object]) -> Cursor:
        """Say one statement straight to the driver, in its own words and with values as it takes them (`driven.py`)."""
        ...

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert many rows, several times as fast as Core does.

        A row has every column of the table, in order, as the driver takes it: instants are
        microseconds. A key that the database would give comes from `next_key`.
        """
        ...

    def stream(self, connection: Connection, query: Executable, rows: int) -> Stretches:
        """Read a query in stretches of up to `rows` rows, as the driver gives them; memory holds one stretch.

        Close it before the transaction ends, also when it is left half-way.
        """
        ...

    def beside(
        self, connection: Connection, name: str, columns: Sequence[str], rows: Sequence[tuple[int | None, ...]]
    ) -> tuple[str, Mapping[str, object]]:
        """Lay numbers beside the tables, for queries of this transaction that range over an index for each of them.

        The first column is a key. Returns what such a query (text) begins with, and its
        bound values; it then reads from `name`, and says CROSS JOIN to keep its order.
        """
        ...

    def among(self, connection: Connection, name: str, keys: Iterable[int]) -> Among:
        """Lay keys beside the tables, each once; returns what says of a column that it holds one of them.

        Statements of this transaction reach what they name over an index, in the order of the
        keys, however many rows a table has.
        """
        ...

    def count_anew(self, *tables: Table) -> None:
        """Let the database count what its plans are made from: many rows came at once, and it has not noticed."""
        ...

    def shorten_log(self) -> None:
        """Do beforehand, while others write, what some commit would stop for when the log has grown long."""
        ...

    def checkpoint(self) -> bool:
        """Reclaim what deleted rows left behind, as far as this database can; False if somebody stands in the way."""
        ...

    def log_mark(self) -> str:
        """Name the end of what the log may still hold of earlier rows, after `checkpoint`; empty if it was cut off."""
        ...

    def log_passed(self, mark: str) -> bool:
        """Tell whether the log has been written over up to a mark."""
        ...

    def rewrite(self, table: Table) -> None:
        """Write the files of a table anew, so that they hold nothing but what its rows hold now."""
        ...

    def empty(self, table: Table) -> None:
        """Remove every row of a table, and its files."""
        ...

    def files(self) -> list[Path] | None:
        """Name the files and folders in which the database lies; None if that cannot be seen from here."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class HeldTexts:
    """Texts that are never changed or taken away, held in memory by digest: one is read for very many people."""

    _MOST: Final = 200

    def __init__(self) -> None:
        self._held: dict[tuple[type, str], object] = {}

    def get(self, kind: type[T], digest: str, find: Callable[[], T | None]) -> T | None:
        """Return what is held under this digest, else what is found; what is not there is looked for again."""
        held = self._held.get((kind, digest))
        if held is None:
            held = find()
            if held is not None:
                if len(self._held) >= self._MOST:
                    self._held.clear()
                self._held[kind, digest] = held
        return held  # type: ignore[return-value]  # kept under its own kind


class Room:
    """A concern of the store."""

    _database: Database
    _held_texts: HeldTexts
    contents: Contents


def pieces(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists that one statement can name (SQLite takes 32,766 of them)."""
    rest = iter(values)
    while piece := list(islice(rest, PIECE)):
        yield piece
