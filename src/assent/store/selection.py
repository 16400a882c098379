"""Which parts a cut takes, which it leaves and why: read from the answers of one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assent.store.columns import INSTANTS, STATE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import pyarrow as pa

    from assent.store.columns import Columns

_FACTS: Final = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in (*STATE, "age", "signed_in", *INSTANTS))
_PERSON: Final = f"CASE WHEN chooser IS NULL THEN holder ELSE {SUBJECT} END"
"""Whose it is: the first piece of a chooser's name (store/sql/choosing.py), the conversation where nobody is known."""


class Spread(NamedTuple):
    """How a choice is laid out: `buckets` of people by a hash under `key`; `stamp` enters every fingerprint."""

    key: str
    buckets: int
    stamp: str


def count_eligible(columns: Columns, purpose: str) -> int:
    """Count the parts that are eligible for a purpose that a policy declares. Like all here, inside `answers(...)`."""
    sql = f'SELECT count(*)::BIGINT AS parts FROM answers WHERE "eligible_{purpose}"'  # noqa: S608 - declared, a slug
    found: int = columns.table(sql)["parts"][0].as_py()
    return found


def remember_eligible(columns: Columns, purpose: str) -> None:
    """Keep what is eligible at this instant, so that `choose` at another one takes nothing else."""
    columns.keep("eligible_since", f'SELECT part FROM answers WHERE "eligible_{purpose}"')  # noqa: S608 - as above


def choose(
    columns: Columns, purpose: str, spread: Spread, digests: pa.RecordBatchReader, *, remembered: bool = False
) -> None:
    """Work out what is eligible, by conversation and bucket, for `chosen` and the others below.

    `digests` names the content of each conversation (columns `conversation`, `digest`). If eligible parts are
    `remembered`, those that are not among them are left out, and `ended_since` lists them.
    """
    eligible = f'SELECT part FROM answers WHERE "eligible_{purpose}"'  # noqa: S608 - as above
    ended = "AND part NOT IN (FROM eligible_since)" if remembered else "AND FALSE"
    columns.keep("ended_since", f"{eligible} {ended}")
    columns.keep_read("content_digests", digests)
    columns.keep(
        "acted",
        "SELECT chooser, md5(string_agg(concat_ws('|', purpose, act, acted_at::VARCHAR), ' '"
        " ORDER BY acted_at, purpose, act)) AS acts FROM acts GROUP BY chooser",
    )
    # a person's bucket tells nobody whose it is: the hash has a key
    bucket = f"('0x' || substr(md5('{spread.key}' || min({_PERSON})), 1, 8))::UBIGINT % {spread.buckets}"
    seen = f"md5(concat_ws('|', part, {_FACTS}, coalesce(acts, '')))"
    columns.keep(
        "chosen",
        f"SELECT {bucket} AS bucket, holder AS conversation, list(part::BIGINT ORDER BY part::BIGINT) AS parts,"  # noqa: S608
        f" md5('{spread.stamp}' || coalesce(min(digest), '') || string_agg({seen}, ' ' ORDER BY part::BIGINT))"
        f" AS fingerprint FROM ({eligible}) ANTI JOIN ended_since USING (part)"
        " JOIN facts USING (part) LEFT JOIN acted USING (chooser)"
        " LEFT JOIN content_digests ON conversation = holder GROUP BY holder",
    )


def count_chosen(columns: Columns) -> tuple[int, int]:
    """Count the parts that are chosen, and those that were eligible and have ended since."""
    found = columns.table(
        "SELECT (SELECT coalesce(sum(len(parts)), 0) FROM chosen)::BIGINT AS parts,"
        " (SELECT count(*) FROM ended_since)::BIGINT AS ended"
    ).to_pylist()[0]
    return found["parts"], found["ended"]


def ended_since(columns: Columns, batch_rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream the keys (`part`) of what has ended since, in the order of conversations."""
    rows = "SELECT part::BIGINT AS part FROM ended_since JOIN facts USING (part) ORDER BY holder, part"
    yield from columns.batches(rows, batch_rows)


def buckets_with_something(columns: Columns) -> list[int]:
    """Name the buckets in which something is chosen, in their order."""
    rows = columns.table("SELECT DISTINCT bucket::INT AS bucket FROM chosen ORDER BY 1")
    found: list[int] = rows["bucket"].to_pylist()
    return found


def chosen(columns: Columns, bucket: int) -> pa.Table:
    """Read what is chosen in a bucket: `conversation`, `parts` (keys) and `fingerprint`, in the order of names."""
    rows = "SELECT conversation, parts, fingerprint FROM chosen"
    return columns.table(f"{rows} WHERE bucket = {bucket} ORDER BY conversation")


def refused_by_conversation(
    columns: Columns, purpose: str, reasons: Sequence[str], batch_rows: int
) -> Generator[pa.RecordBatch, None, None]:
    """Stream conversations with parts that are not eligible for one of some reasons, with their keys (`parts`)."""
    why = ", ".join(f"'{reason}'" for reason in reasons)
    yield from columns.batches(
        "SELECT holder AS conversation, list(part::BIGINT ORDER BY part::BIGINT) AS parts"  # noqa: S608 - as above
        f' FROM answers JOIN facts USING (part) WHERE "why_not_{purpose}" IN ({why}) GROUP BY holder ORDER BY holder',
        batch_rows,
    )


def not_eligible(columns: Columns, purpose: str, batch_rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream what is not eligible for a purpose: `part` (key) and `reason`, in the order of conversations."""
    why = f'"why_not_{purpose}" AS reason'
    rows = f'FROM answers JOIN facts USING (part) WHERE NOT "eligible_{purpose}" ORDER BY holder, part'
    yield from columns.batches(f"SELECT part::BIGINT AS part, {why} {rows}", batch_rows)


def no_longer_eligible(columns: Columns, purpose: str, keys: pa.RecordBatchReader) -> tuple[int, dict[str, int]]:
    """Tell of the parts named by `keys` (column `part`) how many are kept, and of those not eligible how many, why."""
    columns.keep_read("asked", keys)
    rows = columns.table(
        f'SELECT "eligible_{purpose}" AS eligible, "why_not_{purpose}" AS reason, count(*)::BIGINT AS parts'  # noqa: S608
        " FROM asked JOIN answers ON asked.part = answers.part::BIGINT GROUP BY ALL ORDER BY parts DESC, reason"
    ).to_pylist()
    stale = {row["reason"]: row["parts"] for row in rows if not row["eligible"]}
    return sum(row["parts"] for row in rows), stale


def conversations_no_longer_eligible(columns: Columns, purpose: str, keys: pa.RecordBatchReader) -> dict[str, str]:
    """Name the conversations of the parts named by `keys` (column `part`) that have one not eligible, with a reason."""
    columns.keep_read("asked", keys)
    rows = columns.table(
        f'SELECT holder AS conversation, min("why_not_{purpose}") AS reason FROM asked'  # noqa: S608 - as above
        " JOIN answers ON asked.part = answers.part::BIGINT JOIN facts ON facts.part = answers.part"
        f' WHERE NOT "eligible_{purpose}" GROUP BY 1 ORDER BY 1'
    )
    return dict(zip(rows["conversation"].to_pylist(), rows["reason"].to_pylist(), strict=True))


def eligible_by_conversation(columns: Columns, purpose: str, batch_rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream conversations with parts that are eligible for a purpose, with their keys (`parts`), by name."""
    yield from columns.batches(
        "SELECT holder AS conversation, list(part::BIGINT ORDER BY part::BIGINT) AS parts"  # noqa: S608 - as above
        f' FROM answers JOIN facts USING (part) WHERE "eligible_{purpose}" GROUP BY holder ORDER BY holder',
        batch_rows,
    )
