"""Where conversations begin and end in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence


def conversation_spans(rows: pa.RecordBatch) -> list[tuple[int, int]]:
    """Tell the first row of each conversation of a batch and the row after its last. Its rows stand together."""
    runs = pc.run_end_encode(rows.column("conversation"))
    ends: list[int] = runs.run_ends.to_pylist() if len(rows) else []
    return list(zip([0, *ends], ends, strict=False))


def repeated(values: Sequence[object], spans: list[tuple[int, int]], kind: pa.DataType) -> pa.Array:
    """Write one value a conversation on each of its rows."""
    return pa.array([value for value, (start, end) in zip(values, spans, strict=True) for _ in range(start, end)], kind)
