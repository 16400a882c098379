"""What every table is made of.

Facts are stored, deadlines are not: no column holds a date on which something is due. A
part carries its retention class (categorical facts, interned) and copies of the clocks
that nominate it; the truth that decides stands in `conversation` and `account`.
Instants are integers: microseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)

from assent.domain.instants import from_micros, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

NAMES: Final = {
    "ix": "%(table_name)s_by_%(column_0_N_name)s",
    "uq": "%(table_name)s_unique_%(column_0_N_name)s",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_of_%(referred_table_name)s",
    "pk": "%(table_name)s_key",
}
"""Every constraint and index has a name, so that a later migration can name it too."""

METADATA: Final = MetaData(naming_convention=NAMES)


class Instant(TypeDecorator["datetime"]):
    """An instant as microseconds since 1970, compared and indexed as a number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return _instant(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        # a row of facts has eighteen instants: without the layers between, reading one takes a third of the time
        return _instant


def _instant(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


# SQLite gives numbers of its own only to a column of type INTEGER.
KEY: Final = BigInteger().with_variant(Integer(), "sqlite")


def key_column(name: str = "id") -> Column[int]:
    """Return a number that the database gives."""
    return Column(name, KEY, primary_key=True, autoincrement=True)


def text_column(name: str, *, required: bool = True) -> Column[str]:
    """Return a column of text, NOT NULL unless said otherwise."""
    return Column(name, Text, nullable=not required)


def added_text(name: str, value: str = "") -> Column[str]:
    """Return a column of text that a later step added: rows from before it hold `value`."""
    return Column(name, Text, nullable=False, server_default=text(f"'{value}'"))


def instant_column(name: str, *, required: bool = False) -> Column[datetime]:
    """Return a column of an instant, which may be missing unless said otherwise."""
    return Column(name, Instant, nullable=not required)


def child_of(column: str, parent: str) -> ForeignKeyConstraint:
    """Return a foreign key to rows that are erased in bulk; PostgreSQL does without.

    There it would ask for children once for every row that goes, which is most of what erasing
    costs (docs/adr/0019-erasure.md). Reconciling counts rows without their parent.
    """
    found: ForeignKeyConstraint = ForeignKeyConstraint([column], [parent]).ddl_if(dialect="sqlite")
    return found


def number_column(name: str) -> Column[int]:
    """Return a column that counts from zero."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))
