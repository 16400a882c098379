"""All conversations of all files, each once, in memory that does not grow with their number.

A conversation's rows may stand in many files, so what each row says of it is first sorted into piles by its id; then
one pile at a time is in memory.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from assent.connectors.files.rows import NO_ID, Row, Shape
from assent.connectors.port import Listed, Unlisted
from assent.domain.conversation import last_turn
from assent.domain.errors import Invalid, Place

PILES: Final = 64
_PILE_BYTES: Final = 1 << 20
MAX_UNLISTED: Final = 1_000
"""Entries that are named as unreadable; of a file of something else, nobody reads more."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def merged(said: Iterable[Listed | Unlisted], folder: Path) -> Iterator[Listed | Unlisted]:
    """Yield every conversation once, then what cannot be read; `folder` holds piles that are too large for memory."""
    broken: list[Unlisted] = []
    with ExitStack() as stack:
        piles = [stack.enter_context(SpooledTemporaryFile(_PILE_BYTES, dir=str(folder))) for _ in range(PILES)]
        for one in said:
            if isinstance(one, Unlisted):
                broken.append(one)
                del broken[MAX_UNLISTED:]
                continue
            pile = piles[zlib.crc32(one.id.encode("utf-8", "surrogatepass")) % PILES]
            line = [one.id, one.owner, _micros(one.created_at), _micros(one.last_turn_at), one.plan]
            pile.write(json.dumps(line).encode() + b"\n")
        for pile in piles:
            yield from _merged(pile)
    yield from broken


def said(rows: Iterable[tuple[int, Row | str]], place: str, shape: Shape) -> Iterator[Listed | Unlisted]:
    """Say of each row what it says of its conversation."""
    for number, row in rows:
        name = "" if isinstance(row, str) else shape.id_of(row)
        if isinstance(row, str) or not name:
            yield Unlisted(Place(place, number), row if isinstance(row, str) else NO_ID)
            continue
        turned = None
        try:
            turned = last_turn(shape.parts(row))
        except Invalid as problem:
            yield Unlisted(Place(place, number), problem.message)
        yield Listed(name, shape.owner_of(row), shape.created_of(row), turned, shape.plan_of(row))


def _merged(pile: IO[bytes]) -> Iterator[Listed]:
    found: dict[str, Listed] = {}
    pile.seek(0)
    for line in pile:
        _add(found, *json.loads(line))
    yield from found.values()


def _add(
    found: dict[str, Listed], name: str, owner: str | None, created: int | None, turned: int | None, plan: str
) -> None:
    before = found.get(name, Listed(name))
    times = [at for at in (before.created_at, _instant(created)) if at]
    turns = [at for at in (before.last_turn_at, _instant(turned)) if at]
    found[name] = Listed(
        name,
        owner or before.owner,
        min(times, default=None),
        max(turns, default=None),
        plan or before.plan,
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + micros * _MICROSECOND
