"""The set evaluator at work: facts as Arrow columns, decided by DuckDB in bounded memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from assent.policy.compile import compile_policy
from assent.policy.rows import decision_from_row
from assent.policy.runs import literal, runs_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.domain.facts import Facts
    from assent.policy.model import Policy

INSTANT: Final = pa.timestamp("us")
"""Instants in columns: microseconds in UTC, without a zone so that no zone database is asked."""

STATE: Final = ("plan", "region", "role", "surface", "mode", "data", "origin", "user_duration")
INSTANTS: Final = (
    "created_at",
    "last_turn_at",
    "recorded_at",
    "deleted_at",
    "account_closed_at",
    "moved_to_business_at",
    "flagged_at",
    "flag_reversed_at",
    "reviewed_at",
    "feedback_at",
    "acknowledged_at",
)
FACTS: Final = pa.schema(
    [("part", pa.string()), ("chooser", pa.string()), ("holder", pa.string())]
    + [(name, pa.string()) for name in STATE]
    + [("age", pa.int16()), ("signed_in", pa.bool_())]
    + [(name, INSTANT) for name in INSTANTS]
)
"""Columns of facts. `chooser` joins to choices; `holder` joins to the holds that cover the part."""

ACTS: Final = pa.schema(
    [("chooser", pa.string()), ("purpose", pa.string()), ("act", pa.string()), ("acted_at", INSTANT)]
)
HOLDS: Final = pa.schema([("holder", pa.string()), ("start", INSTANT), ("released_at", INSTANT)])

SUBJECT: Final = "split_part(chooser, chr(31), 1)"
"""The subject in SQL over facts: the first piece of a chooser's name (store/sql/choosing.py)."""


class Columns:
    """A DuckDB session that decides columns of facts under a policy.

    `memory_limit` bounds DuckDB's memory, as DuckDB writes it (`700MB`); `threads` its workers.
    """

    def __init__(self, memory_limit: str = "700MB", threads: int = 2, spill: str = "") -> None:
        """Open an in-memory session that never reaches for extensions or the network.

        `spill` is the folder for what does not fit into memory; without one nothing is spilled.
        """
        self._session = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "temp_directory": spill,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": True,
            }
        )
        # it would draw one on the terminal of whoever imports us into a program of their own
        self._session.execute("SET enable_progress_bar = false")

    def decide(self, facts: Sequence[Facts], policy: Policy, at: datetime) -> list[Decision]:
        """Decide a batch of facts, in order. Each part brings its own choices and holds."""
        query = compile_policy(policy, at)
        with self.loaded(*tables(facts), at):
            rows = self.table(f"SELECT * FROM ({query.sql}) ORDER BY part::BIGINT").to_pylist()
        return [decision_from_row(query, {**row, "part": fact.part}, at) for fact, row in zip(facts, rows, strict=True)]

    @contextmanager
    def loaded(self, facts: Any, acts: Any, holds: Any, at: datetime) -> Iterator[None]:
        """Make Arrow data (tables, readers or data sets) the relations of the set query for a while.

        `facts`, `acts` and `holds` have the schemas FACTS, ACTS and HOLDS. Acts become runs once. Instead
        of `acts` and `holds` there may be functions, which are given the subjects and the conversations of the facts.
        """
        session, now = self._session, literal(at)
        made = []
        for name, given, asked in (("facts", facts, ""), ("acts", acts, SUBJECT), ("holds", holds, "holder")):
            data = given(self._distinct(asked)) if callable(given) else given
            session.register(f"{name}_read", data)
            # a reader can be read once only, and several versions read the facts several times
            kind = "TABLE" if isinstance(data, pa.RecordBatchReader) else "VIEW"
            session.execute(f"CREATE OR REPLACE TEMP {kind} {name} AS FROM {name}_read")
            made.append((name, kind))
        session.execute(f"CREATE OR REPLACE TEMP TABLE runs AS {runs_query()}")
        session.execute(
            f"""CREATE OR REPLACE TEMP TABLE holding AS
                SELECT holder, bool_or(until IS NULL OR until > {now}) AS held,
                       max(CASE WHEN until <= {now} THEN until END) AS released_at
                FROM (SELECT holder, start, released_at AS until FROM holds)
                WHERE start <= {now} GROUP BY holder"""
        )
        session.execute(
            """CREATE OR REPLACE TEMP VIEW parts AS
                SELECT facts.*, coalesce(holding.held, FALSE) AS held, holding.released_at
                FROM facts LEFT JOIN holding USING (holder)"""
        )
        try:
            yield
        finally:
            session.execute("DROP VIEW parts")
            for name, kind in made:
                session.execute(f"DROP {kind} {name}")
                session.unregister(f"{name}_read")

    def _distinct(self, asked: str) -> pa.ChunkedArray:
        return self.table(f"SELECT DISTINCT {asked} AS one FROM facts WHERE {asked} IS NOT NULL")["one"]

    def keep(self, name: str, sql: str) -> None:
        """Work a query out once and keep its rows under a name."""
        self._session.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")

    def keep_read(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Read Arrow rows to their end and keep them under a name."""
        self._session.register(f"{name}_read", rows)
        self.keep(name, f"FROM {name}_read")
        self._session.unregister(f"{name}_read")

    def forget(self, name: str) -> None:
        """Drop what was kept under a name."""
        self._session.execute(f"DROP TABLE IF EXISTS {name}")

    def batches(self, sql: str, batch_rows: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Run SQL over the loaded relations and stream its rows as Arrow batches."""
        yield from self._session.sql(sql).to_arrow_reader(batch_rows)

    def table(self, sql: str) -> pa.Table:
        """Run SQL over the loaded relations and return all its rows."""
        return self._session.sql(sql).to_arrow_table()


def tables(facts: Sequence[Facts]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Lay facts out as columns: (facts, acts, holds). A part is its own chooser and holder, named by its position."""
    keys = [str(number) for number in range(len(facts))]
    columns: dict[str, Iterable[object]] = {"part": keys, "chooser": keys, "holder": keys}
    for name in (*STATE, "age", "signed_in", *INSTANTS):
        columns[name] = [getattr(f, name) for f in facts]
    acts = [(key, c.purpose, c.act, c.at) for key, f in zip(keys, facts, strict=True) for c in f.choices]
    holds = [(key, h.start, h.released_at) for key, f in zip(keys, facts, strict=True) for h in f.holds]
    return pa.table(columns, schema=FACTS), _table(acts, ACTS), _table(holds, HOLDS)


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.table([pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
