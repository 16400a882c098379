"""Long lists in short pages: each page starts behind the last row of the one before, however far it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BigInteger, func, literal, select, tuple_, type_coerce

from assent.domain.errors import Invalid
from assent.store.records import Listing, Page
from assent.store.schema import Instant
from assent.store.sql.room import PIECE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, RowMapping, Select

    from assent.store.sql.room import Database

T = TypeVar("T")


def listing(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    page: Page,
    make: Callable[[RowMapping], T],
) -> Listing[T]:
    """Read one page of a query, the greatest values of `order` first.

    The last column of `order` is unique and none of them is NULL.
    """
    total = connection.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = stretch(connection, query, order, place_of(page, len(order)), page.limit + 1)
    return Listing(tuple(make(row) for row in rows[: page.limit]), total, token_of(rows, page))


def stretch(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    behind: Sequence[object],
    limit: int,
) -> list[RowMapping]:
    """Read up to `limit` rows behind a place (empty: from the start), the greatest values of `order` first."""
    places = [plain(column) for column in order]
    if behind:
        query = query.where(tuple_(*places) < tuple_(*(literal(value) for value in behind)))
    query = query.add_columns(*(column.label(f"order_{n}") for n, column in enumerate(places)))
    query = query.order_by(*(column.desc() for column in order)).limit(limit)
    return list(connection.execute(query).mappings())


def walk(
    database: Database, query: Select[Any], order: Sequence[ColumnElement[Any]], make: Callable[[RowMapping], T]
) -> Iterator[T]:
    """Read a whole query, the least values of `order` first; nothing is held between two pieces of it."""
    places = [plain(column) for column in order]
    query = query.add_columns(*(column.label(f"order_{n}") for n, column in enumerate(places)))
    query = query.order_by(*order).limit(PIECE)
    paged = query
    while True:
        with database.reading() as connection:
            rows = list(connection.execute(paged).mappings())
        yield from map(make, rows)
        if len(rows) < PIECE:
            return
        place = [rows[-1][f"order_{n}"] for n in range(len(places))]
        paged = query.where(tuple_(*places) > tuple_(*(literal(value) for value in place)))


def values_of(row: RowMapping) -> Mapping[str, Any]:
    """Leave out the columns that only say where the next page starts."""
    return {name: value for name, value in row.items() if not name.startswith("order_")}


def place_of(page: Page, *widths: int) -> list[object]:
    """Read the place that a page starts behind. Raises `Invalid` for one that no page gave out."""
    if page.after is None:
        return []
    try:
        place = json.loads(page.after)
    except ValueError:
        place = None
    if not isinstance(place, list) or len(place) not in widths or not all(isinstance(v, str | int) for v in place):
        raise Invalid("this is no place in this list", "start without one, then pass on what the last page gave")
    return place


def token_of(rows: Sequence[RowMapping], page: Page) -> str | None:
    """Write the place behind the last row of a page that was read one row too far; None if there was no such row."""
    if len(rows) <= page.limit:
        return None
    return token([value for name, value in rows[page.limit - 1].items() if name.startswith("order_")])


def token(place: Sequence[object]) -> str:
    """Write a place as `place_of` reads it."""
    return json.dumps(place)


def plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Read an instant as the number that the database holds."""
    return type_coerce(column, BigInteger) if isinstance(column.type, Instant) else column
