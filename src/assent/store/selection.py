"""Which parts a cut takes, which it leaves and why: read from the answers of one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from assent.store.columns import Columns


def count_eligible(columns: Columns, purpose: str) -> int:
    """Count the parts that are eligible for a purpose, one that a policy declares. As all here: inside `answers(...)`."""
    sql = f'SELECT count(*)::BIGINT AS parts FROM answers WHERE "eligible_{purpose}"'  # noqa: S608 - declared, a slug
    found: int = columns.table(sql)["parts"][0].as_py()
    return found


def eligible_by_conversation(columns: Columns, purpose: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Stream what is eligible for a purpose: `part` (key) and `conversation`, all parts of a conversation together.

    The order depends on names only, so that a store that was filled in another order gives the same cut.
    """
    columns_of = "SELECT part::BIGINT AS part, holder AS conversation FROM answers JOIN facts USING (part)"
    return columns.batches(f'{columns_of} WHERE "eligible_{purpose}" ORDER BY conversation, part', batch_rows)


def not_eligible(columns: Columns, purpose: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Stream what is not eligible for a purpose: `part` (key) and `reason`, in the order of conversations."""
    columns_of = f'SELECT part::BIGINT AS part, "why_not_{purpose}" AS reason FROM answers JOIN facts USING (part)'
    return columns.batches(f'{columns_of} WHERE NOT "eligible_{purpose}" ORDER BY holder, part', batch_rows)
