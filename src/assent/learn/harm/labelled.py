"""Labelled texts: what a detector learns from, is calibrated on, and is measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast, get_args
from zlib import crc32

import orjson

from assent.domain.errors import Invalid, Place
from assent.learn.harm.categories import BY_NAME
from assent.learn.harm.pairs import everyday, pairs
from assent.learn.harm.port import SURFACES, Surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Part = Literal["learn", "tune", "judge"]
UNKNOWN: Final = "?"
"""Stands for a harm whose category nobody named."""
_FIX: Final = 'write {"text": "...", "harms": ["CATEGORY", ...]} on one line; no harms means harmless'


class Labelled(NamedTuple):
    """A text and the categories of its harm (none: harmless).

    `family` says what it was made of or belongs to (a template, a conversation): a family is in one part only, so that
    nothing is measured with a near copy of what was learned. `weight` says how much one such text counts.
    """

    text: str
    harms: tuple[str, ...]
    family: str
    source: str
    surface: Surface = "prompt"
    weight: float = 1.0
    part: Part | None = None

    @property
    def use(self) -> Part:
        """Say what the text is for: of a hundred families eighty are learned from, ten tune, ten judge."""
        if self.part is not None:
            return self.part
        share = crc32(self.family.encode()) % 100
        return "judge" if share < 10 else "tune" if share < 20 else "learn"


def own() -> Iterator[Labelled]:
    """Give the texts that the package carries: both halves of every pair, and everyday texts."""
    for pair in pairs():
        yield Labelled(pair.harmful, (pair.category,), pair.family, "pairs")
        yield Labelled(pair.harmless, (), pair.family, "pairs")
    for family, text in everyday():
        yield Labelled(text, (), family, "everyday")


def read_labelled(lines: Iterable[bytes], source: str) -> Iterator[Labelled]:
    """Read lines of JSON. Raises `Invalid` with the number of the first line that is wrong; it quotes nothing."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _labelled(orjson.loads(line), source)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise Invalid("the line is no labelled text", _FIX, Place(source, number)) from None


def _labelled(row: dict[str, Any], source: str) -> Labelled:
    text, harms = row["text"], tuple(row["harms"])
    surface, part, weight = row.get("surface", "prompt"), row.get("part"), float(row.get("weight", 1.0))
    known = all(harm in BY_NAME or harm == UNKNOWN for harm in harms)
    right = isinstance(text, str) and known and surface in SURFACES and (part is None or part in get_args(Part))
    if not right or not 0 < weight <= 100:
        raise ValueError
    family = str(row.get("family") or text)
    return Labelled(text, harms, family, str(row.get("source") or source), surface, weight, cast("Part | None", part))


def without_copies(rows: Iterable[Labelled]) -> list[Labelled]:
    """Leave out texts that are there already, and what would be learned although it judges."""
    given = list(rows)
    judged = {_plain(row) for row in given if row.use == "judge"}
    seen: set[str] = set()
    kept: list[Labelled] = []
    for row in given:
        plain = _plain(row)
        if plain in seen or (row.use != "judge" and plain in judged):
            continue
        seen.add(plain)
        kept.append(row)
    return kept


def _plain(row: Labelled) -> str:
    return " ".join(row.text.lower().split())
