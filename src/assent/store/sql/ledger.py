"""The room of the ledger: leaves enter with their choices, the head moves only from where its writer saw it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, insert, select, text, tuple_, update

from assent.domain.errors import Refused
from assent.domain.instants import to_micros
from assent.ledger.tiles import WIDTH
from assent.store.records import Choice, Cosignature, Edge, Head, Leaf, Staged
from assent.store.schema import Instant, cosignature, key_change, leaf, ledger_head, tile
from assent.store.schema import choice as choices
from assent.store.sql.driven import Driven
from assent.store.sql.listed import LISTED, joined, rows_by_ids
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Select

    from assent.store.sql.room import Database

_COLUMNS: Final = choices.columns.keys()
_VALUES: Final = attrgetter(*_COLUMNS)
_INSTANTS: Final = [n for n, column in enumerate(choices.columns) if isinstance(column.type, Instant)]
_OPTIONS: Final = _COLUMNS.index("options")
_LEAF: Final = [leaf.c[field.name] for field in fields(Leaf)]
_LOGGED: Final = (
    select(*_LEAF, choices)
    .join_from(leaf, choices, leaf.c.choice == choices.c.id)
    .where(leaf.c.choice == bindparam("id"))
)
_STRETCH: Final = Driven(
    select(*_LEAF, choices)
    .join_from(leaf, choices, leaf.c.choice == choices.c.id, isouter=True)
    .where(leaf.c.number >= bindparam("first"))
    .order_by(leaf.c.number)
    .limit(bindparam("count"))
)
_NEWEST: Final = select(func.max(leaf.c.number))


def _standing_of(kind: str) -> Select[Any]:
    """Read of each id its leaf and its choice, as far as they are here, and always which leaf is the newest."""
    one = LISTED[kind]
    choice, rows = joined(kind, one, choices, choices.c.id == one.c.id)
    logged, rows = joined(kind, rows, leaf, leaf.c.choice == choice.c.id)
    return select(_NEWEST.scalar_subquery(), *(logged.c[column.name] for column in _LEAF), *choice.c).select_from(rows)


_STANDING: Final = Driven({kind: _standing_of(kind) for kind in LISTED})
_HEAD_FIELDS: Final = ("size", "checkpoint", "signed_at")
_HEAD: Final = Driven(select(*(ledger_head.c[name] for name in _HEAD_FIELDS)))
_MOVE_HEAD: Final = Driven(
    update(ledger_head)
    .where(*(ledger_head.c[name] == bindparam(f"old_{name}") for name in _HEAD_FIELDS))
    .values({name: bindparam(f"new_{name}") for name in _HEAD_FIELDS})
)
_PUT_TILE: Final = Driven(
    text(
        "INSERT INTO tile (level, number, hashes) VALUES (:level, :number, :hashes)"
        " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
    )
)
_PUT_COSIGNATURE: Final = text(
    "INSERT INTO cosignature (size, witness, line, added_at) VALUES (:size, :witness, :line, :added_at)"
    " ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line, added_at = excluded.added_at"
)


class LedgerRoom(Room):
    """The append-only log."""

    def stage(self, entries: Sequence[Staged]) -> list[Leaf]:
        with self._database.writing() as connection:
            return stage(self._database, connection, entries)

    def staged(self) -> int:
        with self._database.reading() as connection:
            return count_leaves(connection)

    def commitments(self, first: int, limit: int) -> list[bytes]:
        query = select(leaf.c.commitment).where(leaf.c.number >= first).order_by(leaf.c.number).limit(limit)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def leaves(self, first: int, limit: int) -> list[tuple[Choice | None, Leaf]]:
        with self._database.looking() as connection:
            rows = _STRETCH.rows(self._database, connection, {"first": first, "count": limit})
        return [(None if row[_ID] is None else choice_of(row[len(_LEAF) :]), _leaf(row)) for row in rows]

    def logged(self, choice: str) -> tuple[Choice, Leaf] | None:
        with self._database.reading() as connection:
            row = connection.execute(_LOGGED, {"id": choice}).one_or_none()
        return None if row is None else (choice_of(row[len(_LEAF) :]), _leaf(row))

    def unlogged(self, limit: int) -> list[Choice]:
        query = select(choices).join_from(choices, leaf, leaf.c.choice == choices.c.id, isouter=True)
        query = query.where(leaf.c.number.is_(None)).order_by(choices.c.id).limit(limit)
        with self._database.reading() as connection:
            return [choice_of(row) for row in connection.execute(query)]

    def receipt_leaf(self, erasure: int) -> Leaf | None:
        with self._database.reading() as connection:
            row = connection.execute(select(*_LEAF).where(leaf.c.erasure == erasure)).one_or_none()
        return None if row is None else _leaf(row)

    def erase_salts(self, choices: Iterable[str]) -> int:
        erased = 0
        with self._database.writing() as connection:
            for piece in pieces(choices):
                change = update(leaf).where(leaf.c.choice.in_(piece), leaf.c.salt.is_not(None)).values(salt=None)
                erased += connection.execute(change).rowcount
        return erased

    def head(self) -> Head | None:
        with self._database.looking() as connection:
            return _head(self._database, connection)

    def edge(self) -> Edge:
        with self._database.reading() as connection:
            head = _head(self._database, connection)
            places, whole, level = [], 0 if head is None else head.size, 0
            while whole:
                whole, rest = divmod(whole, WIDTH)
                places += [(level, whole)] if rest else []
                level += 1
            query = select(tile).where(tuple_(tile.c.level, tile.c.number).in_(places))
            tiles = {(row.level, row.number): row.hashes for row in connection.execute(query)} if places else {}
            newest = select(key_change.c.note).order_by(key_change.c.number.desc()).limit(1)
            return Edge(head, connection.scalar(newest), tiles)

    def swap(
        self, before: Head | None, after: Head, tiles: Mapping[tuple[int, int], bytes], keys: str | None = None
    ) -> bool:
        # leaves are on the disk: a head that is lost is made again over them, and says the same
        with self._database.writing(may_be_lost=keys is None) as connection:
            if not _moved(self._database, connection, before, after):
                return False
            for (level, n), hashes in tiles.items():
                _PUT_TILE.run(self._database, connection, {"level": level, "number": n, "hashes": hashes})
            if keys is not None:
                number = connection.scalar(select(func.count()).select_from(key_change))
                connection.execute(insert(key_change).values(number=number, note=keys, added_at=after.signed_at))
        return True

    def tile(self, level: int, number: int) -> bytes | None:
        query = select(tile.c.hashes).where(tile.c.level == level, tile.c.number == number)
        with self._database.reading() as connection:
            return connection.scalar(query)


class SigningRoom(Room):
    """Who signs the log, and who else looked at it."""

    def key_changes(self) -> list[str]:
        with self._database.reading() as connection:
            return list(connection.scalars(select(key_change.c.note).order_by(key_change.c.number)))

    def add_cosignature(self, cosignature: Cosignature) -> None:
        row = {name: getattr(cosignature, name) for name in ("size", "witness", "line")}
        with self._database.writing() as connection:
            connection.execute(_PUT_COSIGNATURE, row | {"added_at": to_micros(cosignature.added_at)})

    def cosignatures(self, size: int) -> list[Cosignature]:
        query = select(cosignature).where(cosignature.c.size == size).order_by(cosignature.c.witness)
        with self._database.reading() as connection:
            return [Cosignature(**row) for row in connection.execute(query).mappings()]

    def cosigned(self, at_least: int) -> int | None:
        query = select(func.max(cosignature.c.size)).where(cosignature.c.size >= at_least)
        with self._database.reading() as connection:
            found: int | None = connection.scalar(query)
        return found


def stage(database: Database, connection: Connection, entries: Sequence[Staged]) -> list[Leaf]:
    """Insert choices with a leaf each, as far as they are not here; returns the leaf of each."""
    kept, leaves, number = _standing(database, connection, [entry.choice.id for entry in entries])
    new_choices: list[Choice] = []
    new_leaves: list[Leaf] = []
    for entry in entries:
        choice = entry.choice
        known = kept.setdefault(choice.id, choice)
        if known is choice:
            new_choices.append(choice)
        elif known != choice:
            raise Refused(f"choice `{choice.id}` is recorded with another meaning", "record it under an id of its own")
        if choice.id not in leaves:
            leaves[choice.id] = Leaf(number, choice.id, entry.salt, entry.commitment)
            new_leaves.append(leaves[choice.id])
            number += 1
    rows = [(made.number, made.choice, made.salt, made.commitment, made.erasure) for made in new_leaves]
    database.insert_rows(connection, choices, [_row(choice) for choice in new_choices])
    database.insert_rows(connection, leaf, rows)
    return [leaves[entry.choice.id] for entry in entries]


def count_leaves(connection: Connection) -> int:
    """Count the leaves; for a writer that is the number of the next one."""
    newest = connection.scalar(_NEWEST)
    return 0 if newest is None else newest + 1


def _standing(
    database: Database, connection: Connection, ids: Collection[str]
) -> tuple[dict[str, Choice], dict[str, Leaf], int]:
    """Read which of these choices are here, which have a leaf, and the number of the next leaf."""
    kept, leaves, number = {}, {}, 0
    for newest, *row in rows_by_ids(database, connection, _STANDING, ids):
        number = 0 if newest is None else newest + 1
        if row[_ID] is not None:
            kept[row[_ID]] = choice_of(row[len(_LEAF) :])
            if row[0] is not None:
                leaves[row[_ID]] = _leaf(row)
    return kept, leaves, number


def _row(choice: Choice) -> tuple[object, ...]:
    values = list(_VALUES(choice))
    for n in _INSTANTS:
        values[n] = to_micros(values[n])
    values[_OPTIONS] = _written(values[_OPTIONS])
    return tuple(values)


@lru_cache(maxsize=256)
def _written(options: tuple[str, ...]) -> str:
    # a product shows few orders of few options, to everybody
    return json.dumps(options) if options else ""


_ID: Final = len(_LEAF) + _COLUMNS.index("id")
"""Where a row of leaf and choice says which choice, or that it is not kept."""


def choice_of(row: Sequence[Any]) -> Choice:
    """Make a choice of what its row holds, in the order of the columns."""
    values = dict(zip(_COLUMNS, row, strict=True))
    values["options"] = _read(values["options"])
    return Choice(**values)


@lru_cache(maxsize=256)
def _read(options: str) -> tuple[str, ...]:
    return tuple(json.loads(options or "[]"))


def _leaf(row: Sequence[Any]) -> Leaf:
    return Leaf(*row[: len(_LEAF)])


def _moved(database: Database, connection: Connection, before: Head | None, after: Head) -> bool:
    """Put a head in the place of another, and tell whether that one was there."""
    if before is not None:
        values = {**_bound("old", before), **_bound("new", after)}
        return _MOVE_HEAD.run(database, connection, values).rowcount == 1
    if _head(database, connection) is not None:
        return False
    connection.execute(insert(ledger_head).values(id=1, **asdict(after)))
    return True


def _bound(which: str, head: Head) -> dict[str, object]:
    size, checkpoint, signed_at = (f"{which}_{name}" for name in _HEAD_FIELDS)
    return {size: head.size, checkpoint: head.checkpoint, signed_at: to_micros(head.signed_at)}


def _head(database: Database, connection: Connection) -> Head | None:
    rows = _HEAD.rows(database, connection, {})
    return Head(*rows[0]) if rows else None
