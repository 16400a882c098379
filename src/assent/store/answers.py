"""Answers over everything that is kept: the set query of all versions, asked for plans, cuts and forecasts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.decision import NO_LEAD
from assent.domain.instants import in_utc
from assent.policy.compile import GAP_KEYS
from assent.policy.compile_versions import compile_versions, ripe_at
from assent.policy.runs import literal
from assent.store.columns import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import pyarrow as pa

    from assent.policy.model import Policy
    from assent.policy.nominate import Bound
    from assent.store.columns import Columns
    from assent.store.port import FactColumns


@dataclass(frozen=True, slots=True)
class Tally:
    """How many parts, and of how many conversations and people, share a label."""

    label: str
    parts: int
    conversations: int
    people: int


@dataclass(frozen=True, slots=True)
class Delays:
    """How far behind erasing is: parts `ripe`, ripe for too long (`late`), and past their `erase_by` (`overdue`).

    `oldest` is the earliest `erase_by` that has passed, `first_end` the next one of what is ripe.
    """

    ripe: int
    late: int
    overdue: int
    oldest: datetime | None
    first_end: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """Parts that one rule ends in some stretch of time, and the first `erase_by` among them."""

    rule: str
    parts: int
    conversations: int
    people: int
    first: datetime


@contextmanager
def answers(
    store: FactColumns,
    columns: Columns,
    policies: Sequence[Policy],
    at: datetime,
    nominated: Mapping[int, tuple[Bound, ...] | None] | None = None,
    *,
    lead: timedelta = NO_LEAD,
) -> Iterator[Answers]:
    """Load facts (all, or those nominated), choices and holds, and answer for every part at `at`.

    `policies` are ordered by date, oldest first. `lead` is how long before its end a part is ripe
    (`Decision.ripe_at`), and what is nominated is what may end by then.
    """
    facts = store.fact_batches(nominated, at=at + lead)
    # for a few parts not everybody's acts are read, and not what a hold of everybody covers
    everything = nominated is None
    acts = store.act_batches() if everything else store.act_batches
    holds = store.hold_batches() if everything else store.hold_batches
    with columns.loaded(facts, acts, holds, at):
        columns.keep("answers", f"SELECT *, {ripe_at(lead)} AS ripe_at FROM ({compile_versions(policies, at)})")
        try:
            yield Answers(columns, at)
        finally:
            columns.forget("answers")


class Answers:
    """The answers of one instant; alive inside `answers(...)` only."""

    def __init__(self, columns: Columns, at: datetime) -> None:
        """Read from the relation `answers` of the session."""
        self._columns = columns
        self._now = literal(at)

    def due(self, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Stream what is ripe: `part` (key), `erase_by`, `rule`, in the order of keys."""
        return self._columns.batches(
            f"SELECT part::BIGINT AS part, erase_by, rule FROM answers WHERE ripe_at <= {self._now} ORDER BY 1",
            batch_rows,
        )

    def staying(self, until: datetime, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Stream the keys (`part`) of what need not be gone by an instant, in their order."""
        return self._columns.batches(
            f"SELECT part::BIGINT AS part FROM answers WHERE (erase_by <= {literal(until)}) IS NOT TRUE ORDER BY 1",
            batch_rows,
        )

    def due_by_rule(self) -> list[Tally]:
        """Count what is ripe by the rule that set its end."""
        return self._tally("rule", f"ripe_at <= {self._now}")

    def delays(self, lag: timedelta) -> Delays:
        """Count what is ripe, what has been so for longer than `lag`, and what should be gone by now."""
        late = f"ripe_at + INTERVAL {int(lag.total_seconds())} SECOND < {self._now}"
        row = self._columns.table(
            f"SELECT count(*) FILTER (ripe_at <= {self._now})::BIGINT AS ripe, "
            f"count(*) FILTER ({late})::BIGINT AS late, count(*) FILTER (over)::BIGINT AS overdue, "
            f"min(erase_by) FILTER (over) AS oldest, "
            f"min(erase_by) FILTER (ripe_at <= {self._now} AND NOT over) AS first_end "
            f"FROM (SELECT *, NOT held AND erase_by <= {self._now} AS over FROM answers)"
        ).to_pylist()[0]
        ends = (row[name] and in_utc(row[name]) for name in ("oldest", "first_end"))
        return Delays(row["ripe"], row["late"], row["overdue"], *ends)

    def ending(self, after: datetime | None, until: datetime) -> list[Ending]:
        """Count by rule what must be gone behind `after` (None: ever) and by `until`, the oldest end first.

        What is held is left out: nothing has to go.
        """
        rows = self._columns.table(
            "SELECT rule, count(*)::BIGINT AS parts, count(DISTINCT holder)::BIGINT AS conversations, "
            f"count(DISTINCT {SUBJECT})::BIGINT AS people, min(erase_by) AS first "
            f"FROM answers JOIN facts USING (part) WHERE {_between(after, until)} GROUP BY 1 ORDER BY first, rule"
        ).to_pylist()
        return [Ending(**{**row, "first": in_utc(row["first"])}) for row in rows]

    def first_to_end(self, after: datetime | None, until: datetime, limit: int) -> list[tuple[int, datetime, str]]:
        """Read (part key, `erase_by`, rule) of the first `limit` parts that `ending` counts."""
        rows = self._columns.table(
            "SELECT part::BIGINT AS part, erase_by, rule FROM answers "
            f"WHERE {_between(after, until)} ORDER BY erase_by, part LIMIT {limit:d}"
        ).to_pylist()
        return [(row["part"], in_utc(row["erase_by"]), row["rule"]) for row in rows]

    def remember_ripe(self) -> None:
        """Keep the keys of what is ripe in the session, for the next `ripe_since` of other answers."""
        self._columns.keep("ripe_before", f"SELECT part FROM answers WHERE ripe_at <= {self._now}")

    def ripe_since(self) -> int:
        """Count what is ripe and was not when `remember_ripe` was asked."""
        others = "answers ANTI JOIN ripe_before USING (part)"
        found = self._columns.table(f"SELECT count(*)::BIGINT AS n FROM {others} WHERE ripe_at <= {self._now}")
        self._columns.forget("ripe_before")
        number: int = found.to_pylist()[0]["n"]
        return number

    def standing(self) -> list[Tally]:
        """Count everything: `due`, `kept with an end`, `kept without an end`, `held`."""
        label = (
            f"CASE WHEN held THEN 'held' WHEN ripe_at <= {self._now} THEN 'due' "
            "WHEN erase_by IS NULL THEN 'kept without an end' ELSE 'kept with an end' END"
        )
        return self._tally(label, "TRUE")

    def gaps(self) -> list[Tally]:
        """Count parts by each fact that is missing and matters."""
        found = [self._tally(f"'{key}'", f"gap & {1 << n} <> 0") for n, key in enumerate(GAP_KEYS)]
        return [tally for tallies in found for tally in tallies]

    def eligible(self, purpose: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Stream the keys (`part`) of parts that are eligible for a purpose, in their order."""
        return self._columns.batches(
            f'SELECT part::BIGINT AS part FROM answers WHERE "eligible_{purpose}" ORDER BY 1', batch_rows
        )

    def why_not(self, purpose: str) -> list[Tally]:
        """Count the parts that are not eligible for a purpose, by what stopped them."""
        return self._tally(f'"why_not_{purpose}"', f'NOT "eligible_{purpose}"')

    def ends(self, step: str) -> list[tuple[datetime | None, str, int]]:
        """Count parts by when they are ripe, in steps of `day`, `week`, `month` or `year`, and by rule.

        What is ripe already counts in the present step; held parts count under the rule
        `hold` and no date; parts without an end under no date.
        """
        rows = self._columns.table(
            "SELECT CASE WHEN ripe_at IS NOT NULL "
            f"THEN date_trunc('{step}', greatest(ripe_at, {self._now}))::TIMESTAMP END AS bucket, "
            "CASE WHEN held THEN 'hold' ELSE rule END AS why, count(*)::BIGINT AS parts "
            "FROM answers GROUP BY ALL ORDER BY 1 NULLS LAST, 2"
        ).to_pylist()
        return [(row["bucket"], row["why"], row["parts"]) for row in rows]

    def _tally(self, label: str, where: str) -> list[Tally]:
        rows = self._columns.table(
            f"SELECT {label} AS label, count(*)::BIGINT AS parts, count(DISTINCT holder)::BIGINT AS conversations, "
            f"count(DISTINCT {SUBJECT})::BIGINT AS people "
            f"FROM answers JOIN facts USING (part) WHERE {where} GROUP BY 1 ORDER BY parts DESC, label"
        ).to_pylist()
        return [Tally(**row) for row in rows]


def _between(after: datetime | None, until: datetime) -> str:
    behind = "" if after is None else f" AND erase_by > {literal(after)}"
    return f"NOT held AND erase_by <= {literal(until)}{behind}"
