"""Set evaluator: 10 million parts joined to 2 million choice intervals, against a hand-written query.

Both decide every part under `anthropic/2025-10-08` (eligible for training, erase_by) in the
same DuckDB session settings over the same Parquet files, in turn, and must agree to the last row.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import duckdb

from assent.policy.compile import compile_policy
from assent.policy.parse import parse_policy
from assent.policy.runs import runs_query
from benchmarks.board.rounds import Work, grown, in_turn, peak_megabytes, setting, thirds
from benchmarks.board.values import Figure, Headline, Result, Spread, Words

PARTS = setting("PARTS", 10_000_000, small=160_000)
SUBJECTS = PARTS // 10
ROUNDS = setting("ROUNDS", 5, small=2)
AT = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = Path(__file__).parents[1] / "policies/anthropic/2025-10-08.toml"
ANSWER = "count(*), count_if({eligible}), sum(epoch_us({erase_by}) // 1000000), min({erase_by}), max({erase_by})"

FACTS = """
    SELECT i::VARCHAR AS part, (hash(i, 1) % {subjects})::INTEGER AS chooser,
           ['free','pro','max','team','api'][1 + (hash(i, 2) % 5)::INT] AS plan,
           CASE WHEN hash(i, 3) % 50 = 0 THEN 'private' ELSE 'normal' END AS mode,
           CASE WHEN hash(i, 4) % 20 = 0 THEN 'connector' WHEN hash(i, 4) % 2 = 0 THEN 'person' ELSE 'model' END
               AS origin,
           'text' AS data, 18 + (hash(i, 5) % 60)::SMALLINT AS age, NULL::VARCHAR AS region, NULL::VARCHAR AS role,
           'chat' AS surface, NULL::BOOLEAN AS signed_in, NULL::VARCHAR AS user_duration,
           TIMESTAMP '2025-06-01' + INTERVAL (hash(i, 6) % 25000000) SECOND AS created_at,
           TIMESTAMP '2025-06-01' + INTERVAL (hash(i, 6) % 25000000 + hash(i, 7) % 1000000) SECOND AS last_turn_at,
           NULL::TIMESTAMP AS recorded_at,
           CASE WHEN hash(i, 8) % 25 = 0
                THEN TIMESTAMP '2025-06-01' + INTERVAL (hash(i, 6) % 25000000 + 2000000) SECOND END AS deleted_at,
           NULL::TIMESTAMP AS account_closed_at, NULL::TIMESTAMP AS moved_to_business_at,
           CASE WHEN hash(i, 9) % 200 = 0
                THEN TIMESTAMP '2025-06-01' + INTERVAL (hash(i, 6) % 25000000 + 1000) SECOND END AS flagged_at,
           NULL::TIMESTAMP AS flag_reversed_at, NULL::TIMESTAMP AS reviewed_at, NULL::TIMESTAMP AS feedback_at,
           NULL::TIMESTAMP AS acknowledged_at, hash(i, 10) % 1000 = 0 AS held, NULL::TIMESTAMP AS released_at
    FROM range({parts}) AS numbers(i)
"""
ACTS = """
    SELECT i::INTEGER AS chooser, 'training' AS purpose, act,
           TIMESTAMP '2025-08-28' + INTERVAL (hash(i, n) % 5000000 + n * 6000000) SECOND AS acted_at
    FROM range({subjects}) AS people(i),
         (VALUES (0, 'allow'), (1, 'withdraw')) AS acts(n, act)
    WHERE n = 0 AND hash(i, 20) % 100 < 85 OR n = 1 AND hash(i, 21) % 100 < 35
"""
BY_HAND = f"""
    WITH joined AS (
        SELECT p.*, r.allowed, r.stop,
               CASE WHEN p.plan IN ('free', 'pro', 'max') THEN TRUE ELSE FALSE END AS consumer
        FROM parts p LEFT JOIN runs r
          ON r.chooser = p.chooser AND r.start <= p.last_turn_at AND p.last_turn_at < r.stop
    ), dated AS (
        SELECT held, consumer, deleted_at, flagged_at,
               CASE WHEN consumer AND allowed AND mode = 'normal' AND origin <> 'connector' AND age >= 18
                    THEN least(last_turn_at + INTERVAL 5 YEAR, deleted_at,
                               CASE WHEN stop <= $at THEN stop END) END AS train_until,
               CASE WHEN train_until IS NOT NULL
                    THEN least(last_turn_at + INTERVAL 5 YEAR, deleted_at + INTERVAL 30 DAY,
                               CASE WHEN stop <= $at THEN stop + INTERVAL 30 DAY END) END AS train_gone,
               least(last_turn_at + INTERVAL 30 DAY, deleted_at + INTERVAL 30 DAY) AS base_gone
        FROM joined
    ), answers AS (
        SELECT NOT held AND coalesce($at < train_until, FALSE) AS eligible,
               CASE WHEN consumer AND NOT held
                    THEN greatest(base_gone, train_gone, flagged_at + INTERVAL 2 YEAR) END AS erase_by
        FROM dated
    )
    SELECT {ANSWER.format(eligible="eligible", erase_by="erase_by")} FROM answers
"""


def prepare(folder: Path, parts: int) -> None:
    """Write the facts and the runs as Parquet."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as session:
        session.execute("SET enable_progress_bar = false")
        session.execute(f"COPY ({FACTS.format(parts=parts, subjects=SUBJECTS)}) TO '{folder}/parts-{parts}.parquet'")
        if parts == PARTS:
            session.execute(f"CREATE TABLE acts AS {ACTS.format(subjects=SUBJECTS)}")
            session.execute(f"COPY ({runs_query()}) TO '{folder}/runs.parquet'")


def measure() -> Result:
    """Time both queries in turn, and the compiled one at three sizes."""
    policy = parse_policy(POLICY.read_text(encoding="utf-8"), POLICY.name)
    query = compile_policy(policy, AT)
    training = query.purposes.index("training")
    compiled = f"SELECT {ANSWER.format(eligible=f'eligible_{training}', erase_by='erase_by')} FROM ({query.sql})"
    by_hand = BY_HAND.replace("$at", f"TIMESTAMP '{AT:%Y-%m-%d}'")
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1, get_context("spawn")) as other:  # so that the peak memory is that of the queries
            list(other.map(prepare, [Path(folder)] * 3, thirds(PARTS)))
        session = duckdb.connect(config={"threads": 2, "memory_limit": "600MB"})
        session.execute("SET enable_progress_bar = false")
        session.execute(f"CREATE VIEW runs AS FROM read_parquet('{folder}/runs.parquet')")

        def answer(sql: str, parts: int = PARTS) -> Work:
            def ask() -> object:
                session.execute(f"CREATE OR REPLACE VIEW parts AS FROM read_parquet('{folder}/parts-{parts}.parquet')")
                return session.sql(sql).fetchall()

            return ask

        intervals = session.sql("SELECT count(*) FROM runs").fetchall()[0][0]
        if answer(compiled)() != answer(by_hand)():
            sys.exit("the two queries disagree")
        times = in_turn({"compiled": answer(compiled), "by hand": answer(by_hand)}, ROUNDS)
        peak = peak_megabytes()
        sizes = {parts: answer(compiled, parts) for parts in thirds(PARTS)}
        cost = grown("the compiled query", sizes, ROUNDS, of="parts")
    return Result(
        figures=(
            Figure("compiled from the policy", times.rate("compiled", PARTS / 1e6), "million parts a second"),
            Figure("written by hand", times.rate("by hand", PARTS / 1e6), "million parts a second"),
            Figure("peak memory of the process", Spread.single(peak), "MB"),
        ),
        ratios=(Figure("against a query of the same rule written by hand", times.against("compiled", "by hand")),),
        growth=(cost,),
        notes=(f"The parts were joined to {intervals:,} choice intervals.",),
    )


HEADLINE = Headline(
    Words(
        title="Set evaluator",
        work=(
            f"{PARTS:,} parts, two threads, `anthropic/2025-10-08`: what may train, and when each must be erased. "
            "Both queries must agree on every row, or the benchmark fails."
        ),
        peer="a query of the same rule written by hand, in the same database",
    ),
    measure,
    uses=("duckdb",),
)
