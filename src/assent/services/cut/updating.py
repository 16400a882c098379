"""Bring the workings of a series up to date: what is chosen and unchanged stays, the rest is read and worked on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from assent.pipeline.work import Work
from assent.pipeline.workings import KEPT, joined
from assent.pipeline.write import PARTS
from assent.services.cut.rows import GONE
from assent.store.selection import buckets_with_something, chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from assent.pipeline.work import Worked
    from assent.pipeline.workings import Bucket
    from assent.services.cut.order import CutOrder
    from assent.services.cut.rows import Draft, Reader
    from assent.services.cut.series import Series
    from assent.store.columns import Columns

BATCH_PARTS: Final = 1_000
"""Parts whose content is read and worked on at once. A conversation that is longer is a batch of its own."""

_GATE: Final = ""
"""Stands as the block of parts that a gate left out, before any block."""


@dataclass(slots=True)
class _Renewed:
    """A bucket that is being written anew: what stays of it, and what comes in, batch by batch."""

    number: int
    stays: Sequence[str]
    before: Bucket | None
    waiting: int = 0
    pieces: list[pa.RecordBatch] = field(default_factory=list)
    talks: list[pa.Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch on its way: its bucket, and what is known of its conversations besides their rows."""

    bucket: _Renewed
    known: Mapping[str, dict[str, Any]]
    parts: int


class Updating:
    """One time of bringing up to date. The choice of the columns must be open."""

    def __init__(
        self, series: Series, order: CutOrder, columns: Columns, reader: Reader, advance: Callable[[int], None]
    ) -> None:
        """Read through `reader` what is chosen in `columns`; `advance` is told of each further number of parts."""
        self._series = series
        self._order = order
        self._columns = columns
        self._reader = reader
        self._advance = advance
        self._sent: deque[_Sent] = deque()
        self.changed: list[int] = []

    def run(self) -> None:
        """Bring every bucket up to date; one that is, is on the disk, whatever happens to the others."""
        work = Work(self._series.recipe, self._series.key)
        with self._order.workers(work) as engine:
            for worked in engine.map(self._batches()):
                self._receive(worked)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        filled = set(buckets_with_something(self._columns))
        for number in range(self._series.buckets):
            before = self._series.workings.bucket(number)
            if number in filled or (before is not None and before.talks.num_rows):
                yield from self._bucket(number, before)
            elif before is None:
                self._series.workings.replace(number, PARTS.empty_table(), KEPT.empty_table())

    def _bucket(self, number: int, before: Bucket | None) -> Iterator[pa.RecordBatch]:
        rows = chosen(self._columns, number).to_pylist()
        there = {} if before is None else _fingerprints(before)
        fresh = [row for row in rows if there.get(row["conversation"]) != row["fingerprint"]]
        stays = [row["conversation"] for row in rows if there.get(row["conversation"]) == row["fingerprint"]]
        self._advance(sum(len(row["parts"]) for row in rows if there.get(row["conversation"]) == row["fingerprint"]))
        if before is not None and not fresh and len(stays) == len(there):
            return
        groups = list(_groups(fresh))
        renewed = _Renewed(number, stays, before, len(groups))
        if not groups:
            self._write(renewed)
        for group in groups:
            yield self._read(renewed, group)

    def _read(self, bucket: _Renewed, group: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        """Decide and read some conversations; remember what their rows do not say."""
        found = self._reader.drafts({row["conversation"]: set(row["parts"]) for row in group})
        texts = self._reader.texts([draft for drafts in found.values() for draft in drafts.kept])
        kept, known = [], {}
        for row in group:
            drafts = found[row["conversation"]]
            left_out = [*drafts.excluded, *((d.row["part"], GONE) for d in drafts.kept if d.key not in texts)]
            kept += [_row(draft, texts[draft.key]) for draft in drafts.kept if draft.key in texts]
            known[row["conversation"]] = {
                "subject": drafts.subject,
                "fingerprint": row["fingerprint"],
                "excluded": [{"part": part, "block": _GATE, "reason": reason} for part, reason in left_out],
            }
        self._sent.append(_Sent(bucket, known, sum(len(row["parts"]) for row in group)))
        return pa.RecordBatch.from_pylist(kept, schema=PARTS)

    def _receive(self, worked: Worked) -> None:
        sent = self._sent.popleft()
        bucket = sent.bucket
        bucket.pieces.append(worked.rows)
        bucket.talks.append(_known(worked.talks, sent.known))
        bucket.waiting -= 1
        self._advance(sent.parts)
        if bucket.waiting == 0:
            self._write(bucket)

    def _write(self, bucket: _Renewed) -> None:
        pieces: list[Any] = list(bucket.pieces)
        talks = list(bucket.talks)
        if bucket.before is not None and bucket.stays:
            stays = pa.array(bucket.stays, pa.string())
            rows = bucket.before.rows()
            pieces.append(rows.filter(pc.is_in(rows["conversation"], stays)))
            before = bucket.before.talks.replace_schema_metadata(None)
            talks.append(before.filter(pc.is_in(before["conversation"], stays)))
        self._series.keep_governed(self._reader.governed)
        self._series.workings.replace(bucket.number, joined(pieces, PARTS), joined(talks, KEPT))
        self.changed.append(bucket.number)


def _fingerprints(bucket: Bucket) -> dict[str, str]:
    talks = bucket.talks
    return dict(zip(talks["conversation"].to_pylist(), talks["fingerprint"].to_pylist(), strict=True))


def _groups(rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    parts = 0
    for row in rows:
        group.append(row)
        parts += len(row["parts"])
        if parts >= BATCH_PARTS:
            yield group
            group, parts = [], 0
    if group:
        yield group


def _row(draft: Draft, text: str) -> dict[str, Any]:
    return {**draft.row, "text": text}


def _known(talks: pa.Table, known: Mapping[str, dict[str, Any]]) -> pa.Table:
    """Complete what the work says of conversations, and add those of which no row came to it."""
    there = talks["conversation"].to_pylist()
    missing = [name for name in known if name not in set(there)]
    lost = pa.Table.from_pylist(
        [{"conversation": name, "parts": 0, "bytes": 0, "excluded": []} for name in missing], schema=talks.schema
    )
    whole = pa.concat_tables([talks, lost])
    names = [*there, *missing]
    excluded = [
        [*known[name]["excluded"], *said] for name, said in zip(names, whole["excluded"].to_pylist(), strict=True)
    ]
    place = whole.schema.get_field_index("excluded")
    whole = whole.set_column(place, whole.schema.field(place), pa.array(excluded, whole.schema.field(place).type))
    for column in ("subject", "fingerprint"):
        whole = whole.append_column(column, pa.array([known[name][column] for name in names], pa.string()))
    return whole
