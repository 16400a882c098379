"""The work inside a Spark job: `frame.mapInArrow(in_arrow(work), schema)`.

Conversations have to stand together in a partition (`repartitionByRange` or `repartition` by `conversation`, then
`sortWithinPartitions("conversation", "ordinal")`); a batch that ends within one is held until it is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assent.pipeline.work import Work


def in_arrow(work: Work) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function that Spark calls on each partition: rows in, the rows that are left out."""

    def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (work(rows).rows for rows in whole(batches))

    return mapped


def whole(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut a stream of rows again, so that no conversation is torn."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows == 0:
            continue
        names = batch["conversation"].to_pylist()
        if held and held[-1]["conversation"][-1].as_py() != names[0]:
            yield _joined(held)
            held = []
        last = next(number for number in range(len(names), 0, -1) if number == 1 or names[number - 2] != names[-1]) - 1
        if last:
            yield _joined([*held, batch.slice(0, last)])
            held = []
        held.append(batch.slice(last))
    if held:
        yield _joined(held)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
