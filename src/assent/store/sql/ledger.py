"""The room of the ledger: leaves enter with their choices, the head moves only from where its writer saw it."""

from __future__ import annotations

import json
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, column, func, insert, select, text, tuple_, update

from assent.domain.errors import Refused
from assent.domain.instants import to_micros
from assent.ledger.tiles import WIDTH
from assent.store.records import Choice, Cosignature, Edge, Head, Leaf, Staged
from assent.store.schema import Instant, cosignature, key_change, leaf, ledger_head, tile
from assent.store.schema import choice as choices
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, RowMapping
    from sqlalchemy.sql.expression import TextualSelect

_COLUMNS: Final = choices.columns.keys()
_VALUES: Final = attrgetter(*_COLUMNS)
_INSTANTS: Final = [n for n, column in enumerate(choices.columns) if isinstance(column.type, Instant)]
_OPTIONS: Final = _COLUMNS.index("options")
_LOGGED: Final = select(leaf, choices).join_from(leaf, choices, leaf.c.choice == choices.c.id)
_PUT_TILE: Final = text(
    "INSERT INTO tile (level, number, hashes) VALUES (:level, :number, :hashes)"
    " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
)
_PUT_COSIGNATURE: Final = text(
    "INSERT INTO cosignature (size, witness, line, added_at) VALUES (:size, :witness, :line, :added_at)"
    " ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line, added_at = excluded.added_at"
)


class LedgerRoom(Room):
    """The append-only log."""

    def stage(self, entries: Sequence[Staged]) -> list[Leaf]:
        with self._database.writing() as connection:
            kept = _kept(connection, {entry.choice.id for entry in entries})
            leaves = _leaves(connection, kept)
            number = _count(connection)
            new_choices: list[Choice] = []
            new_leaves: list[Leaf] = []
            for entry in entries:
                choice = entry.choice
                known = kept.setdefault(choice.id, choice)
                if known is choice:
                    new_choices.append(choice)
                elif known != choice:
                    raise Refused(
                        f"choice `{choice.id}` is recorded with another meaning", "record it under an id of its own"
                    )
                if choice.id not in leaves:
                    leaves[choice.id] = Leaf(number, choice.id, entry.salt, entry.commitment)
                    new_leaves.append(leaves[choice.id])
                    number += 1
            rows = [(made.number, made.choice, made.salt, made.commitment) for made in new_leaves]
            self._database.insert_rows(connection, choices, [_row(choice) for choice in new_choices])
            self._database.insert_rows(connection, leaf, rows)
        return [leaves[entry.choice.id] for entry in entries]

    def staged(self) -> int:
        with self._database.reading() as connection:
            return _count(connection)

    def commitments(self, first: int, limit: int) -> list[bytes]:
        query = select(leaf.c.commitment).where(leaf.c.number >= first).order_by(leaf.c.number).limit(limit)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def leaves(self, first: int, limit: int) -> list[tuple[Choice | None, Leaf]]:
        query = select(leaf, choices).join_from(leaf, choices, leaf.c.choice == choices.c.id, isouter=True)
        query = query.where(leaf.c.number >= first).order_by(leaf.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [(None if row[choices.c.id] is None else _choice(row), _leaf(row)) for row in rows]

    def logged(self, choice: str) -> tuple[Choice, Leaf] | None:
        with self._database.reading() as connection:
            row = connection.execute(_LOGGED.where(leaf.c.choice == choice)).mappings().one_or_none()
        return None if row is None else (_choice(row), _leaf(row))

    def unlogged(self, limit: int) -> list[Choice]:
        query = select(choices).join_from(choices, leaf, leaf.c.choice == choices.c.id, isouter=True)
        query = query.where(leaf.c.number.is_(None)).order_by(choices.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_choice(row) for row in connection.execute(query).mappings()]

    def erase_salts(self, choices: Iterable[str]) -> int:
        erased = 0
        with self._database.writing() as connection:
            for piece in pieces(choices):
                change = update(leaf).where(leaf.c.choice.in_(piece), leaf.c.salt.is_not(None)).values(salt=None)
                erased += connection.execute(change).rowcount
        return erased

    def head(self) -> Head | None:
        with self._database.reading() as connection:
            return _head(connection)

    def edge(self) -> Edge:
        with self._database.reading() as connection:
            head = _head(connection)
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
            if _head(connection) != before:
                return False
            values = {"size": after.size, "checkpoint": after.checkpoint, "signed_at": after.signed_at}
            change = insert(ledger_head).values(id=1) if before is None else update(ledger_head)
            connection.execute(change.values(values))
            if tiles:
                rows = [{"level": level, "number": n, "hashes": hashes} for (level, n), hashes in tiles.items()]
                connection.execute(_PUT_TILE, rows)
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


def _count(connection: Connection) -> int:
    newest = connection.scalar(select(func.max(leaf.c.number)))
    return 0 if newest is None else newest + 1


def _kept(connection: Connection, ids: Collection[str]) -> dict[str, Choice]:
    rows = connection.execute(select(choices).where(choices.c.id.in_(_listed(connection, ids)))).mappings()
    return {row[choices.c.id]: _choice(row) for row in rows}


def _leaves(connection: Connection, ids: Collection[str]) -> dict[str, Leaf]:
    rows = connection.execute(select(leaf).where(leaf.c.choice.in_(_listed(connection, ids)))).mappings()
    return {row["choice"]: Leaf(**row) for row in rows}


def _listed(connection: Connection, ids: Collection[str]) -> TextualSelect:
    """Name any number of ids by one bound value: a parameter each costs as much as a row."""
    if connection.dialect.name == "postgresql":
        return text("SELECT unnest(CAST(:ids AS text[]))").bindparams(ids=list(ids)).columns(column("id", Text))
    return text("SELECT value FROM json_each(:ids)").bindparams(ids=json.dumps(list(ids))).columns(column("id", Text))


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


def _choice(row: RowMapping) -> Choice:
    values = {name: row[choices.c[name]] for name in _COLUMNS}
    return Choice(**values | {"options": tuple(json.loads(values["options"] or "[]"))})


def _leaf(row: RowMapping) -> Leaf:
    return Leaf(row[leaf.c.number], row[leaf.c.choice], row[leaf.c.salt], row[leaf.c.commitment])


def _head(connection: Connection) -> Head | None:
    query = select(ledger_head.c.size, ledger_head.c.checkpoint, ledger_head.c.signed_at)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Head(**row)
