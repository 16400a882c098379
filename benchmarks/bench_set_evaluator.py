"""Set evaluator: 10 million parts joined to 2 million choice intervals, against a hand-written query.

Both decide every part under `anthropic/2025-10-08` (eligible for training, erase_by) in the
same DuckDB session settings over the same Parquet files, in turn, and must agree to the last row.
Figures: parts per second (median, min-max), ratio of the medians, peak memory of the process.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from assent.policy.compile import compile_policy
from assent.policy.parse import parse_policy
from assent.policy.runs import runs_query

PARTS = 10_000_000
SUBJECTS = 1_000_000
ROUNDS = 5
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


def prepare(folder: Path) -> None:
    """Write the facts and the runs as Parquet."""
    session = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    session.execute("SET enable_progress_bar = false")
    session.execute(f"COPY ({FACTS.format(parts=PARTS, subjects=SUBJECTS)}) TO '{folder}/parts.parquet'")
    session.execute(f"CREATE TABLE acts AS {ACTS.format(subjects=SUBJECTS)}")
    session.execute(f"COPY ({runs_query()}) TO '{folder}/runs.parquet'")


def measure(folder: Path) -> None:
    """Time both queries in turn in this process and print the figures."""
    policy = parse_policy(POLICY.read_text(encoding="utf-8"), POLICY.name)
    query = compile_policy(policy, AT)
    training = query.purposes.index("training")
    compiled = f"SELECT {ANSWER.format(eligible=f'eligible_{training}', erase_by='erase_by')} FROM ({query.sql})"
    by_hand = BY_HAND.replace("$at", f"TIMESTAMP '{AT:%Y-%m-%d}'")
    session = duckdb.connect(config={"threads": 2, "memory_limit": "600MB"})
    session.execute("SET enable_progress_bar = false")
    for name in ("parts", "runs"):
        session.execute(f"CREATE VIEW {name} AS FROM read_parquet('{folder}/{name}.parquet')")
    intervals = session.sql("SELECT count(*) FROM runs").fetchall()[0][0]
    answers: dict[str, object] = {}
    times: dict[str, list[float]] = {"compiled": [], "by hand": []}
    for _ in range(ROUNDS):
        for name, sql in (("compiled", compiled), ("by hand", by_hand)):
            start = time.perf_counter()
            answers[name] = session.sql(sql).fetchall()
            times[name].append(time.perf_counter() - start)
    if answers["compiled"] != answers["by hand"]:
        sys.exit(f"the two queries disagree: {answers}")
    print(f"{PARTS:,} parts, {intervals:,} choice intervals, {ROUNDS} rounds in turn, 2 threads")
    for name, seconds in times.items():
        rates = sorted(PARTS / s / 1e6 for s in seconds)
        print(f"  {name:9} {statistics.median(rates):5.2f} M parts/s  ({rates[0]:.2f}-{rates[-1]:.2f})")
    ratios = sorted(a / b for a, b in zip(times["compiled"], times["by hand"], strict=True))
    print(f"  ratio of times compiled / by hand: {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})")
    print(f"  peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Prepare the data, then measure in a fresh process so that peak memory is the query's own."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        subprocess.run([sys.executable, __file__, folder], check=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
