"""What a detector learns from people: decisions on conversations that a cut for `safety` holds, and no others.

The texts come from the cut's folder, which holds only what was eligible and proved, and is read only while everything
in it may still be used. They are never written anywhere else: a cut is a copy that erasure reaches.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow.parquet as pq

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, Refused
from assent.learn.harm.categories import BY_NAME
from assent.learn.harm.conversation import Turn, pieces_of
from assent.learn.harm.labelled import UNKNOWN, Labelled
from assent.services.cut.differing import find_cut
from assent.services.cut.freshness import FreshStore, freshness
from assent.services.detector import SAFETY
from assent.store.port import Reviews

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.learn.harm.port import Detector, Piece
    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.records import Candidate, Cut, Review, ReviewDecision

MANIFEST: Final = "manifest.json"
HARMLESS_TURNS: Final = 3
"""Turns of a harmless conversation that are learned from: those that looked worst."""
_AT_ONCE: Final = 64
_COLUMNS: Final = ("conversation", "turn", "ordinal", "speaker", "data", "text")


class LabelStore(FreshStore, Reviews, Protocol):
    """What reading labels asks of a store."""


@dataclass(frozen=True, slots=True)
class LabelledCut:
    """Texts of a cut that people decided about. `source` names the cut with the digest of its manifest.

    `kinds` counts the conversations by what they were: `overturned` flags, those `upheld`, `uncertain` ones and those
    `drawn` at random. `conversations` is how many the cut holds in all.
    """

    source: str
    rows: tuple[Labelled, ...]
    kinds: Mapping[str, int]
    conversations: int


def labelled_cut(
    store: LabelStore,
    columns: Columns,
    policies: Sequence[Policy],
    named: tuple[str, int],
    detector: Detector,
    *,
    now: datetime,
) -> LabelledCut:
    """Read what people decided about the conversations of a cut, by name and number.

    Of a harmful conversation the turn that `detector` finds worst is learned from, of a harmless one the three that it
    finds worst. Raises `NotFound`, `Refused` for a cut that is stale, retired or for another purpose, and `Invalid`
    for a folder that is not that of the cut.
    """
    cut = find_cut(store, *named)
    if cut.purpose != SAFETY or cut.retired_at is not None:
        raise Refused(
            f"cut `{cut.name}` number `{cut.number}` is no cut for `{SAFETY}` that is still there", "cut again"
        )
    state = freshness(store, columns, policies, cut, now)
    if not state.fresh:
        raise Refused(
            f"{sum(state.stale.values()):,} rows of cut `{cut.name}` number `{cut.number}` may not be used any more",
            "run `assent cut refresh`",
        )
    folder = _folder(cut)
    source = f"cut {cut.name} {cut.number} {cut.manifest}"
    decided = _decided(store.reviews())
    rows: list[Labelled] = []
    kinds: Counter[str] = Counter()
    count = 0
    for batch in _batched(_conversations(folder)):
        count += len(batch)
        waiting = store.candidates_of(batch)
        for name, pieces in batch.items():
            found = [(one, decided[one.id]) for one in waiting.get(name, ()) if one.settled_at and one.id in decided]
            if found and pieces:
                one, decision = max(found, key=lambda pair: (pair[0].queued_at, pair[0].id))
                kinds[_kind(one, decision)] += 1
                rows += _labels(name, pieces, one, decision, detector, source)
    return LabelledCut(source, tuple(rows), dict(kinds), count)


def _folder(cut: Cut) -> Path:
    folder = Path(cut.directory)
    path = folder / MANIFEST
    if not path.is_file() or digest_bytes(path.read_bytes()) != cut.manifest:
        raise Invalid(f"the folder of cut `{cut.name}` number `{cut.number}` is not what was written", "cut again")
    return folder


def _decided(reviews: Iterator[Review]) -> dict[str, ReviewDecision]:
    """Return what reviews came to: the decision on an appeal, or what most reviewers said."""
    found: dict[str, ReviewDecision] = {}
    for name, several in groupby(reviews, key=lambda one: one.candidate):
        ordered = sorted(several, key=lambda one: one.at)
        appeals = [one.decision for one in ordered if one.stage == "appeal"]
        votes = Counter(one.decision for one in ordered if one.stage == "review")
        found[name] = appeals[-1] if appeals else votes.most_common(1)[0][0]
    return found


def _conversations(folder: Path) -> Iterator[tuple[str, list[Piece]]]:
    """Read the pieces of every conversation of a cut; rows of a conversation stand together."""
    for shard in sorted(folder.glob("data/parts-*.parquet")):
        with pq.ParquetFile(shard) as file:
            rows = (row for batch in file.iter_batches(5_000, columns=list(_COLUMNS)) for row in batch.to_pylist())
            for name, parts in groupby(rows, key=lambda row: row["conversation"]):
                ordered = sorted(parts, key=lambda row: row["ordinal"])
                turns = [Turn(row["speaker"], row["text"]) for row in ordered if row["data"] == "text" and row["text"]]
                yield name, pieces_of(turns)


def _batched(found: Iterator[tuple[str, list[Piece]]]) -> Iterator[dict[str, list[Piece]]]:
    batch: dict[str, list[Piece]] = {}
    for name, pieces in found:
        batch[name] = pieces
        if len(batch) == _AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


def _labels(
    name: str, pieces: Sequence[Piece], one: Candidate, decision: ReviewDecision, detector: Detector, source: str
) -> Iterator[Labelled]:
    counting = [piece for piece in pieces if piece.surface != "tool"]
    scored = detector.score(counting)
    worst = sorted(range(len(counting)), key=lambda place: -scored[place].score)
    harmful = decision == "uphold"
    harms = ((one.category if one.category in BY_NAME else UNKNOWN),) if harmful else ()
    for place in worst[: 1 if harmful else HARMLESS_TURNS]:
        # a conversation is one family: no turn of it judges what another one taught
        yield Labelled(counting[place].text, harms, name, source, counting[place].surface)


def _kind(one: Candidate, decision: ReviewDecision) -> str:
    if one.drawn:
        return "drawn"
    if one.band == "uncertain":
        return "uncertain"
    return "upheld" if decision == "uphold" else "overturned"
