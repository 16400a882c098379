"""The work on single conversations: every block in its turn, and what later choices among them need to know."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.extra import needing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.pipeline.block import Block
    from assent.pipeline.recipe import Recipe

LEFT_OUT: Final = pa.struct([("part", pa.string()), ("block", pa.string()), ("reason", pa.string())])
TALKS: Final = pa.schema(
    [
        ("conversation", pa.string()),
        ("person", pa.string()),
        ("parts", pa.int32()),
        ("bytes", pa.int64()),
        ("language", pa.string()),
        ("skill", pa.string()),
        ("excluded", pa.list_(LEFT_OUT)),
        ("digest", pa.binary(32)),
        ("bands", pa.list_(pa.uint64(), 20)),
        ("shingles", pa.large_list(pa.uint32())),
        ("turns", pa.list_(pa.binary(32))),
    ]
)
"""What is known of a conversation after the work: one row each, and no text.

`parts` and `bytes` (UTF-8) are what is left of it; `excluded` what is not, with the block and its reason; `digest`,
`bands` and `shingles` are its sketch (pipeline/dedup), `turns` the digests of its rows in order; all four are null
without deduplication or text.
"""


_SKETCH: Final = ("digest", "bands", "shingles", "turns")


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of a batch: rows that are left, and a row of TALKS for every conversation that went in."""

    rows: pa.RecordBatch
    talks: pa.Table


class Work:
    """All blocks of a recipe over batches of whole conversations. It can be sent to a worker."""

    def __init__(self, recipe: Recipe, key: bytes) -> None:
        """Work by a recipe, with the key of a cut."""
        self._recipe = recipe
        self._key = key
        self._blocks: list[Block] | None = None

    def __getstate__(self) -> tuple[Recipe, bytes]:
        """Send recipe and key: each worker builds its own blocks."""
        return self._recipe, self._key

    def __setstate__(self, state: tuple[Recipe, bytes]) -> None:
        """Begin in a worker."""
        self._recipe, self._key = state
        self._blocks = None

    def __call__(self, rows: pa.RecordBatch) -> Worked:
        """Work on a batch of whole conversations, columns PARTS."""
        if not rows.num_rows:
            return Worked(rows, TALKS.empty_table())
        with needing("the recipe of this cut"):
            return self._do(rows)

    def _do(self, rows: pa.RecordBatch) -> Worked:
        if self._blocks is None:
            self._blocks = self._recipe.made(self._key)
        before = _people(rows)
        excluded: dict[str, list[dict[str, str]]] = defaultdict(list)
        for block in self._blocks:
            outcome = block.apply(rows)
            for part, reason in outcome.dropped:
                excluded[_conversation(part)].append({"part": part, "block": block.name, "reason": reason})
            rows = outcome.rows
        return Worked(rows, self._talks(rows, before, excluded))

    def _talks(
        self, rows: pa.RecordBatch, people: dict[str, str | None], excluded: dict[str, list[dict[str, str]]]
    ) -> pa.Table:
        spans = _spans(rows)
        lengths = pc.binary_length(rows["text"].cast(pa.large_binary())).to_pylist()
        languages, skills = _of(rows, "language"), _of(rows, "skill")
        found = []
        for conversation, person in people.items():
            start, stop = spans.get(conversation, (0, 0))
            found.append(
                {
                    "conversation": conversation,
                    "person": person,
                    "parts": stop - start,
                    "bytes": sum(lengths[start:stop]),
                    "language": languages[start] if stop else None,
                    "skill": skills[start] if stop else None,
                    "excluded": excluded.get(conversation, []),
                }
            )
        talks = pa.Table.from_pylist(found, schema=pa.schema(list(TALKS)[: -len(_SKETCH)]))
        sketches = self._sketches(rows)
        order = {name: number for number, name in enumerate(spans)}
        places = pa.array([order.get(name) for name in people], pa.int64())
        for name in _SKETCH:
            column = pa.nulls(len(people), TALKS.field(name).type) if sketches is None else sketches[name].take(places)
            talks = talks.append_column(TALKS.field(name), column.cast(TALKS.field(name).type))
        return talks

    def _sketches(self, rows: pa.RecordBatch) -> Mapping[str, pa.Array] | None:
        """Sketch the conversations that are left, in order; None without deduplication."""
        terms = self._recipe.dedup
        if terms is None or not rows.num_rows:
            return None
        from assent.pipeline.dedup.boilerplate import turn_digests  # noqa: PLC0415 - an extra, and slow to import
        from assent.pipeline.dedup.sketch import sketch_rows  # noqa: PLC0415 - as above
        from assent.pipeline.dedup.terms import DedupTerms  # noqa: PLC0415 - as above

        texts = self._masked(rows)
        found = sketch_rows(rows, DedupTerms(terms.threshold / 100), texts)
        begins = [0, *(stop for _, stop in _spans(rows).values())]
        turns = pa.ListArray.from_arrays(pa.array(begins, pa.int32()), turn_digests(rows, texts)["digest"])
        return {name: found[name] for name in ("digest", "bands", "shingles")} | {"turns": turns}

    def _masked(self, rows: pa.RecordBatch) -> pa.Array:
        """Return texts in which what was found of a person stands for its kind only: twins stay twins."""
        texts = rows["text"]
        if "findings" not in rows.schema.names:
            return texts
        from assent.pipeline.redact.block import mask  # noqa: PLC0415 - an extra

        found = rows["findings"]
        some = pc.greater(pc.list_value_length(found), 0)
        changed = [
            mask(text, each)
            for text, each in zip(texts.filter(some).to_pylist(), found.filter(some).to_pylist(), strict=True)
        ]
        return pc.replace_with_mask(texts, some, pa.array(changed, pa.string()))


def _conversation(part: str) -> str:
    return part.rpartition("#")[0]


def _people(rows: pa.RecordBatch) -> dict[str, str | None]:
    return dict(zip(rows["conversation"].to_pylist(), rows["person"].to_pylist(), strict=True))


def _spans(rows: pa.RecordBatch) -> dict[str, tuple[int, int]]:
    """Find the rows of each conversation: they stand together."""
    spans: dict[str, tuple[int, int]] = {}
    for number, name in enumerate(rows["conversation"].to_pylist()):
        start, _ = spans.get(name, (number, number))
        spans[name] = start, number + 1
    return spans


def _of(rows: pa.RecordBatch, column: str) -> list[Any]:
    if column in rows.schema.names:
        found: list[Any] = rows[column].to_pylist()
        return found
    return [None] * rows.num_rows
