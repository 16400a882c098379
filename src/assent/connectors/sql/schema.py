"""The mapping put against the database: every table and column is there, and no table is overlooked.

The result knows, table by table, how its rows are found from those of another one, what becomes of them, and which
columns elsewhere point at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa

from assent.connectors.sql.facts import Facts, Key
from assent.connectors.sql.mapping import Belonging, Conversations, Do, Fault, Join, Messages
from assent.connectors.sql.mapping import Mapping as Mapped
from assent.connectors.sql.unmapped import overlooked
from assent.connectors.sql.values import is_text

Columns = tuple["sa.Column[Any]", ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Columns somewhere that equal those named `target` in rows that go, and which of them are emptied before.

    None is where none may be: then a row that stays and has them forbids the erasure.
    """

    columns: Columns
    target: tuple[str, ...]
    emptied: Columns


@dataclass(eq=False, slots=True)
class Rows:
    """A table whose rows belong to conversations.

    `link` equals `parent_columns` of `parent`; of conversations themselves where there is none, then it is one column
    with their id. `gives`: groups of its columns that others are found by. `users`: columns elsewhere that use its
    rows, if they are shared. `pointers`: columns elsewhere that are emptied before its rows go.
    """

    name: str
    table: sa.Table
    link: Columns
    parent: Rows | None
    parent_columns: tuple[str, ...]
    do: Do
    blank: Columns
    files: sa.Column[Any] | None
    shared: bool
    gives: set[tuple[str, ...]] = field(default_factory=set)
    users: list[Columns] = field(default_factory=list)
    pointers: list[Pointer] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What its rows are called."""
        return f"rows of {self.name}"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A table of what was said, with the tables on the way to the column `conversation` joined to it."""

    entry: Messages
    table: sa.Table
    source: sa.FromClause
    conversation: sa.Column[Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """What the mapping comes to in this database. `rows`: parents first; `going`: what refers before its target.

    `enforced`: rows are left to `ON DELETE CASCADE`, which SQLite minds only if it is told to.
    """

    conversations: Conversations
    table: sa.Table
    source: sa.FromClause
    single: bool
    spoken: tuple[Spoken, ...]
    rows: tuple[Rows, ...]
    going: tuple[Rows, ...]
    columns: Mapping[str, sa.Table]
    enforced: bool

    def column(self, name: str) -> sa.Column[Any] | None:
        """Find the column of conversations, or of a table joined to them, that is written so; None for nothing."""
        return None if not name else _written(name, self.table, self.columns)

    @property
    def tables(self) -> list[str]:
        """The tables that rows are deleted from or columns emptied in."""
        return sorted({rows.name for rows in self.rows if rows.do != "keep"})


def check(connection: sa.Connection, mapping: Mapped, fault: Fault) -> Schema:
    """Put a mapping against its database. Raises `Invalid` for what is not there, and for a copy that it overlooks."""
    return _Check(Facts.of(connection), mapping, fault).schema(connection)


def _written(name: str, own: sa.Table, tables: Mapping[str, sa.Table]) -> sa.Column[Any] | None:
    if name in own.c:
        return own.c[name]
    table, _, column = name.rpartition(".")
    return tables[table].c[column] if table in tables and column in tables[table].c else None


class _Check:
    def __init__(self, facts: Facts, mapping: Mapped, fault: Fault) -> None:
        self._facts = facts
        self._mapping = mapping
        self._fault = fault
        self._rows: dict[str, Rows] = {}
        self._keys: dict[str, tuple[str | int, ...]] = {}
        self._enforced = False

    def schema(self, connection: sa.Connection) -> Schema:
        said = self._mapping.conversations
        table = self._table(("conversations", "table"), said.table)
        self._columns_there(("conversations",), said, ("id", "created_at", "updated_at", "title"), table)
        source, joined = self._joined(table)
        for key in ("owner", "plan", "project"):
            self._column(("conversations", key), getattr(said, key), table, joined)
        root = Belonging(table=said.table, conversation=said.id, do=said.do, blank=said.blank)
        self._add(("conversations",), root)
        self._add_all()
        for number, one in enumerate(self._mapping.messages):
            own = self._facts.tables[one.table]
            self._columns_there(("messages", number), one, ("id", "content", "role", "created_at", "name"), own)
        self._point()
        problem = overlooked(connection, self._facts, self._mapping, set(self._rows) | set(joined))
        if problem:
            raise self._fault.at(("copies",), *problem)
        spoken = tuple(self._spoken(one) for one in self._mapping.messages)
        single = frozenset([said.id]) in self._facts.unique[said.table]
        rows = tuple(self._rows.values())
        return Schema(
            said, table, source, single, spoken, rows, _ordered(rows, self._facts.keys), joined, self._enforced
        )

    # -- tables and columns -------------------------------------------------------------------

    def _table(self, key: tuple[str | int, ...], name: str) -> sa.Table:
        found = self._facts.tables.get(name)
        if found is None:
            fix = _near(name, self._facts.tables)
            if self._facts.dialect == "mysql":
                fix += "; a table with system versioning is out of reach, because it keeps what is deleted"
            raise self._fault.at(key, f"there is no table `{name}`", fix)
        return found

    def _columns_there(self, key: tuple[str | int, ...], entry: Any, names: Sequence[str], table: sa.Table) -> None:
        for name in names:
            self._column((*key, name), getattr(entry, name), table, {})

    def _column(
        self, key: tuple[str | int, ...], name: str, table: sa.Table, others: Mapping[str, sa.Table]
    ) -> sa.Column[Any] | None:
        if not name:
            return None
        found = _written(name, table, others)
        if found is None:
            known = [
                *(column.name for column in table.c),
                *(f"{one}.{column.name}" for one, other in others.items() for column in other.c),
            ]
            raise self._fault.at(key, f"there is no column `{name}` in `{table.name}`", _near(name, known))
        return found

    def _joined(self, table: sa.Table) -> tuple[sa.FromClause, dict[str, sa.Table]]:
        source: sa.FromClause = table
        joined = {str(table.name): table}
        for number, join in enumerate(self._mapping.joins):
            other = self._table(("joins", number, "table"), join.table)
            source = source.outerjoin(other, sa.and_(*self._equal(number, join, other, table, joined)))
            joined[join.table] = other
        return source, joined

    def _equal(
        self, number: int, join: Join, other: sa.Table, table: sa.Table, joined: Mapping[str, sa.Table]
    ) -> Iterator[sa.ColumnElement[bool]]:
        for own, theirs in join.on.items():
            left = self._column(("joins", number, "on", own), own, other, {})
            right = self._column(("joins", number, "on", own), theirs, table, joined)
            if left is not None and right is not None:
                yield left == right

    # -- rows -----------------------------------------------------------------------------------

    def _add_all(self) -> None:
        """Add what belongs to conversations, each after what it is found by."""
        waiting: dict[tuple[str | int, ...], Belonging] = {
            **{("messages", number): one for number, one in enumerate(self._mapping.messages)},
            **{("copies", number): one for number, one in enumerate(self._mapping.copies) if one.do != "keep"},
        }
        for number, one in enumerate(self._mapping.copies):
            self._table(("copies", number, "table"), one.table)
        while waiting:
            ready = {key: one for key, one in waiting.items() if self._parent_of(key, one) in ({""} | set(self._rows))}
            if not ready:
                key = min(waiting, key=str)
                raise self._fault.at(
                    key, "what it is found by is mapped nowhere, or in a circle", "map that table, too"
                )
            for key, one in ready.items():
                self._add(key, one)
                del waiting[key]

    def _parent_of(self, key: tuple[str | int, ...], one: Belonging) -> str:
        table = self._table((*key, "table"), one.table)
        if one.conversation or table.name in self._rows:
            return ""
        if one.on:
            return next(iter(one.on.values())).rpartition(".")[0]
        keys = self._keys_of(one.table)
        return keys[0].target if len(keys) == 1 else ""

    def _keys_of(self, table: str) -> list[Key]:
        """Find the foreign keys that may lead from a table to its conversation."""
        mapped = {self._mapping.conversations.table, *(one.table for one in self._mapping.messages)}
        mapped |= {one.table for one in self._mapping.copies if not one.shared and one.do != "keep"}
        return [one for one in self._facts.keys if one.table == table and one.target in mapped - {table}]

    def _add(self, key: tuple[str | int, ...], one: Belonging) -> None:
        table = self._table((*key, "table"), one.table)
        blank = tuple(
            found
            for number, name in enumerate(one.blank)
            if (found := self._column((*key, "blank", number), name, table, {})) is not None
        )
        for column in blank:
            self._blankable((*key, "blank"), one.table, column)
        before = self._rows.get(one.table)
        if before is not None:  # prompt and answer in one row: the same rows
            before.blank = tuple(dict.fromkeys((*before.blank, *blank)))
            return
        link, parent, columns = self._link(key, one, table)
        files = self._column((*key, "files"), one.files, table, {})
        rows = Rows(one.table, table, link, parent, columns, one.do, blank, files, one.shared)
        self._rows[one.table], self._keys[one.table] = rows, key
        if parent is not None:
            parent.gives.add(columns)
        for number, name in enumerate(one.used_by):
            other = self._column((*key, "used_by", number), name, table, self._facts.tables)
            if other is not None:
                rows.users.append((other,))

    def _link(
        self, key: tuple[str | int, ...], one: Belonging, table: sa.Table
    ) -> tuple[Columns, Rows | None, tuple[str, ...]]:
        if one.conversation:
            column = self._column((*key, "conversation"), one.conversation, table, {})
            return (() if column is None else (column,)), None, ()
        on = dict(one.on)
        if not on:
            keys = self._keys_of(one.table)
            if len(keys) != 1:
                fix = "give `conversation`, a column, or `on`"
                raise self._fault.at(key, f"{len(keys)} foreign keys lead from it to a mapped table", fix)
            on = {own: f"{keys[0].target}.{c}" for own, c in zip(keys[0].columns, keys[0].target_columns, strict=True)}
        own = [self._column((*key, "on", name), name, table, {}) for name in on]
        theirs = [name.rpartition(".") for name in on.values()]
        if len({name for name, _, _ in theirs}) != 1:
            raise self._fault.at((*key, "on"), "its columns equal those of several tables", "name one table")
        parent = self._rows[theirs[0][0]]
        for name, (_, _, named) in zip(on, theirs, strict=True):
            self._column((*key, "on", name), named, parent.table, {})
        return tuple(one for one in own if one is not None), parent, tuple(named for _, _, named in theirs)

    def _spoken(self, entry: Messages) -> Spoken:
        """Join the tables that lie between a table of messages and the column with the conversation's id."""
        rows = self._rows[entry.table]
        source: sa.FromClause = rows.table
        while rows.parent is not None:
            parent = rows.parent
            equal = zip(rows.link, rows.parent_columns, strict=True)
            source = source.join(parent.table, sa.and_(*(own == parent.table.c[name] for own, name in equal)))
            rows = parent
        return Spoken(entry, self._rows[entry.table].table, source, rows.link[0])

    def _blankable(self, key: tuple[str | int, ...], table: str, column: sa.Column[Any]) -> None:
        if column.name not in self._facts.nullable[table] and not is_text(column.info["type"]):
            raise self._fault.at(
                key, f"`{column.name}` cannot be empty", "name a column of text or one that may be null"
            )

    # -- what points at rows that go --------------------------------------------------------------

    def _point(self) -> None:
        """Note who uses shared rows, and which columns have to let go of rows before these can go."""
        for key in self._facts.keys:
            target = self._rows.get(key.target)
            if target is None or target.do not in ("delete", "look"):
                continue
            columns = tuple(self._facts.tables[key.table].c[name] for name in key.columns)
            own = self._rows.get(key.table)
            if target.shared:
                self._used(target, columns, key)
            elif own is not None and own.do == "look" and self._is_link(own, key):
                self._enforced |= key.cascades
            elif own is None or own.do != "delete" or not self._is_link(own, key):
                self._pointer(target, own, columns, key)
        for rows in self._rows.values():
            if rows.shared and rows.parent is not None:  # what it is found by uses it, too
                columns = tuple(rows.parent.table.c[name] for name in rows.parent_columns)
                rows.users += [] if columns in rows.users else [columns]

    @staticmethod
    def _used(target: Rows, columns: Columns, key: Key) -> None:
        if key.target_columns == tuple(str(one.name) for one in target.link) and columns not in target.users:
            target.users.append(columns)

    @staticmethod
    def _is_link(rows: Rows, key: Key) -> bool:
        return (
            rows.parent is not None
            and rows.parent.name == key.target
            and tuple(str(one.name) for one in rows.link) == key.columns
        ) or (rows.parent is None and tuple(str(one.name) for one in rows.link) == key.columns)

    def _pointer(self, target: Rows, own: Rows | None, columns: Columns, key: Key) -> None:
        fixed = self._facts.primary[key.table] | (set() if own is None else {str(one.name) for one in own.link})
        free = self._facts.nullable[key.table] - fixed
        emptied = tuple(column for column in columns if column.name in free)
        if not emptied and (own is None or own.do != "delete" or (key.cascades and key.table == key.target)):
            where = self._keys.get(key.table, ("copies",))
            problem = f"rows of `{key.table}` cannot stay: `{'`, `'.join(key.columns)}` must point at `{key.target}`"
            raise self._fault.at(where, problem, "let `do` be `delete`, or let the column be null")
        target.pointers.append(Pointer(columns, key.target_columns, emptied))
        target.gives.add(key.target_columns)


def _ordered(rows: Sequence[Rows], keys: Sequence[Key]) -> tuple[Rows, ...]:
    """Put rows in an order in which they can go: what refers to others before these, shared ones after their users."""
    known = {one.name: one for one in rows}
    after: dict[str, set[str]] = {one.name: set() for one in rows}
    for one in rows:
        if one.parent is not None:
            first, then = (one.parent, one) if one.shared else (one, one.parent)
            after[then.name].add(first.name)
        if one.shared:
            after[one.name] |= {str(user[0].table.name) for user in one.users} & known.keys() - {one.name}
    links = {name: set(before) for name, before in after.items()}
    emptied = {(one.columns[0].table.name, target.name) for target in rows for one in target.pointers if one.emptied}
    for key in keys:
        if (
            {key.table, key.target} <= known.keys()
            and key.table != key.target
            and (key.table, key.target) not in emptied
        ):
            after[key.target].add(key.table)
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError:  # keys in a circle that may not be empty: the database checks them at the end, or says no
        order = list(TopologicalSorter(links).static_order())
    return tuple(known[name] for name in order)


def _near(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(f'`{one}`' for one in sorted(known)[:12])}"
