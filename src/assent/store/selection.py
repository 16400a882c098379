"""Which parts a cut takes, which it leaves and why: read from the answers of one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa

    from assent.store.columns import Columns


def count_eligible(columns: Columns, purpose: str) -> int:
    """Count the parts that are eligible for a purpose that a policy declares. Like all here, inside `answers(...)`."""
    sql = f'SELECT count(*)::BIGINT AS parts FROM answers WHERE "eligible_{purpose}"'  # noqa: S608 - declared, a slug
    found: int = columns.table(sql)["parts"][0].as_py()
    return found


def eligible_by_conversation(columns: Columns, purpose: str, batch_rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream what is eligible for a purpose: `part` (key) and `conversation`, all parts of a conversation together.

    The order depends on names only, so that a store that was filled in another order gives the same cut.
    """
    rows = "SELECT part::BIGINT AS part, holder AS conversation FROM answers JOIN facts USING (part)"
    yield from columns.batches(f'{rows} WHERE "eligible_{purpose}" ORDER BY conversation, part', batch_rows)


def not_eligible(columns: Columns, purpose: str, batch_rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream what is not eligible for a purpose: `part` (key) and `reason`, in the order of conversations."""
    why = f'"why_not_{purpose}" AS reason'
    rows = f'FROM answers JOIN facts USING (part) WHERE NOT "eligible_{purpose}" ORDER BY holder, part'
    yield from columns.batches(f"SELECT part::BIGINT AS part, {why} {rows}", batch_rows)
