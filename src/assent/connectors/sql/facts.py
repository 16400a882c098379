"""What a database says of its tables: columns, what is unique, who refers to whom."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SAWarning
from sqlalchemy.sql.elements import quoted_name

# a part of a table is reached through the table
_PARTITIONS: Final = sa.text("SELECT relname FROM pg_class WHERE relispartition AND pg_table_is_visible(oid)")

# of a key that stands behind its column, SQLAlchemy leaves out what happens on deletion
_CASCADES: Final = sa.text(
    'SELECT own.name, points."from" FROM sqlite_master own, pragma_foreign_key_list(own.name) points'
    " WHERE own.type = 'table' AND points.on_delete = 'CASCADE'"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key: columns of one table that point at columns of another."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    cascades: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database says of its tables."""

    dialect: str
    tables: Mapping[str, sa.Table]
    nullable: Mapping[str, frozenset[str]]
    keys: Sequence[Key]
    unique: Mapping[str, Sequence[frozenset[str]]]
    primary: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, connection: sa.Connection) -> Facts:
        """Ask for all tables at once."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # a type that is not known, or an index by an expression
            return cls._asked(connection)

    @classmethod
    def _asked(cls, connection: sa.Connection) -> Facts:
        inspector = sa.inspect(connection)
        dialect = connection.dialect.name
        parts = set(connection.execute(_PARTITIONS).scalars()) if dialect == "postgresql" else set()
        columns = {name: found for (_, name), found in inspector.get_multi_columns().items() if name not in parts}
        primary = {
            name: tuple(found["constrained_columns"])
            for (_, name), found in inspector.get_multi_pk_constraint().items()
            if name in columns
        }
        indexes = {name: found for (_, name), found in inspector.get_multi_indexes().items()}
        constraints = {name: found for (_, name), found in inspector.get_multi_unique_constraints().items()}
        cascading = (
            {(table, column) for table, column in connection.execute(_CASCADES)} if dialect == "sqlite" else set()
        )
        keys = [
            _key(name, one, columns, cascading)
            for (_, name), found in inspector.get_multi_foreign_keys().items()
            for one in found
            if not one["referred_schema"] and name not in parts
        ]
        unique: dict[str, list[frozenset[str]]] = {name: [] for name in columns}
        for name in columns:
            found: list[Sequence[str | None]] = [one["column_names"] for one in indexes.get(name, []) if one["unique"]]
            found += [one["column_names"] for one in constraints.get(name, [])]
            found.append(primary[name])
            unique[name] = [frozenset(map(str, one)) for one in found if one]
        tables = {name: _table(name, found, dialect) for name, found in columns.items()}
        nullable = {name: frozenset(one["name"] for one in found if one["nullable"]) for name, found in columns.items()}
        return cls(dialect, tables, nullable, keys, unique, {name: frozenset(one) for name, one in primary.items()})


def _table(name: str, columns: Sequence[Any], dialect: str) -> sa.Table:
    """Describe a table by names alone: values come and go as the driver has them."""
    made = [
        sa.Column(
            quoted_name(one["name"], quote=True),
            sa.types.NullType(),
            info={"type": one["type"], "nullable": one["nullable"]},
        )
        for one in columns
    ]
    if dialect == "sqlite" and "rowid" not in {one["name"].lower() for one in columns}:
        made.append(
            sa.Column(
                quoted_name("rowid", quote=True), sa.types.NullType(), info={"type": sa.Integer(), "nullable": False}
            )
        )
    return sa.Table(quoted_name(name, quote=True), sa.MetaData(), *made)


def _key(table: str, one: Any, tables: Mapping[str, Sequence[Any]], cascading: AbstractSet[tuple[str, str]]) -> Key:
    cascades = str(one.get("options", {}).get("ondelete", "")).upper() == "CASCADE"
    cascades |= any((table, name) in cascading for name in one["constrained_columns"])
    target = _spelled(one["referred_table"], tables)
    own, theirs = ([column["name"] for column in tables.get(name, ())] for name in (table, target))
    columns = tuple(_spelled(name, own) for name in one["constrained_columns"])
    return Key(table, columns, target, tuple(_spelled(name, theirs) for name in one["referred_columns"]), cascades)


def _spelled(name: str, known: Iterable[str]) -> str:
    """Return a name as its table or column has it: a key may write it in another case."""
    found = list(known)
    return name if name in found else next((one for one in found if one.lower() == name.lower()), name)
