"""The room of reclaiming: what of the vault is still referred to, and where records were moved."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, text

from assent.domain.contents import Sealed
from assent.store.schema import cut as cuts
from assent.store.schema import cut_member as members
from assent.store.schema import sealed, tombstone
from assent.store.sql.cuts import IN_CUT
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement

_PLACE: Final = select(*(sealed.c[name] for name in Sealed._fields))
_MOVE: Final = (
    "UPDATE sealed SET segment = :new_segment, position = moving.new FROM moving"
    " WHERE sealed.slot = moving.slot AND sealed.segment = :old_segment AND sealed.position = moving.old"
)


class ReclaimRoom(Room):
    """What clearing the vault needs."""

    def live_bytes(self, segments: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        query = select(sealed.c.segment, func.sum(sealed.c.length)).group_by(sealed.c.segment)
        with self._database.reading() as connection:
            for piece in pieces(segments):
                rows = connection.execute(query.where(sealed.c.segment.in_(piece)))
                found.update((segment, int(length)) for segment, length in rows)
        return found

    def places_in(self, segment: str) -> list[Sealed]:
        with self._database.reading() as connection:
            rows = connection.execute(_PLACE.where(sealed.c.segment == segment).order_by(sealed.c.slot))
            return [Sealed(*row) for row in rows]

    def moved(self, pairs: Iterable[tuple[Sealed, Sealed]]) -> int:
        ways: dict[tuple[str, str], list[tuple[int | None, ...]]] = defaultdict(list)
        for old, new in pairs:
            ways[old.segment, new.segment].append((old.slot, old.position, new.position))
        count = 0
        with self._database.writing() as connection:
            for (old_segment, new_segment), rows in ways.items():
                begin, values = self._database.beside(connection, "moving", ("slot", "old", "new"), rows)
                move = text(begin + _MOVE).bindparams(old_segment=old_segment, new_segment=new_segment, **values)
                count += connection.execute(move).rowcount
        return count

    def unreferenced(self, segments: Sequence[str]) -> list[str]:
        with self._database.writing() as connection:
            named: set[str] = set()
            for piece in pieces(segments):
                query = select(sealed.c.segment).where(sealed.c.segment.in_(piece)).distinct()
                named.update(connection.scalars(query))
        return [segment for segment in segments if segment not in named]

    def log_mark(self) -> str:
        return self._database.log_mark()

    def log_passed(self, mark: str) -> bool:
        return self._database.log_passed(mark)

    def cuts_with_erased(self, erasure: int) -> list[tuple[str, int, str, int]]:
        query = (
            select(cuts.c.name, cuts.c.number, cuts.c.directory, func.count())
            .join_from(tombstone, members, _same_part())
            .join(cuts, IN_CUT)
            .where(tombstone.c.erasure == erasure, cuts.c.retired_at.is_(None))
            .group_by(cuts.c.id, cuts.c.name, cuts.c.number, cuts.c.directory)
            .order_by(cuts.c.id)
        )
        with self._database.reading() as connection:
            return [(name, number, directory, count) for name, number, directory, count in connection.execute(query)]


def _same_part() -> ColumnElement[bool]:
    return (members.c.conversation == tombstone.c.conversation) & (members.c.part == tombstone.c.part)
