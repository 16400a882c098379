"""Runs: choices as half-open intervals without gap, so that a part joins the one that holds at its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.instants import LATEST

if TYPE_CHECKING:
    from datetime import datetime

RUNS: Final = """
    WITH last_word AS (
        -- of two acts at one instant the refusing one counts
        SELECT chooser, purpose, acted_at, bool_and(act = 'allow') AS allowed
        FROM acts WHERE act <> 'defer' GROUP BY ALL
    ),
    turns AS (
        SELECT *, lag(allowed) OVER whose AS before, min(acted_at) OVER (PARTITION BY chooser, purpose) AS decided_at
        FROM last_word WINDOW whose AS (PARTITION BY chooser, purpose ORDER BY acted_at)
    ),
    answered AS (
        SELECT chooser, purpose, allowed, acted_at AS start, decided_at,
               lead(acted_at) OVER (PARTITION BY chooser, purpose ORDER BY acted_at) AS stop
        FROM turns WHERE before IS DISTINCT FROM allowed
    )
    SELECT chooser, purpose, allowed, start, coalesce(stop, $never) AS stop,
           CASE WHEN allowed THEN stop END AS refused_at, decided_at
    FROM answered
    UNION ALL
    SELECT chooser, purpose, NULL, $ever, start, CASE WHEN allowed THEN stop ELSE start END, decided_at
    FROM answered WHERE start = decided_at
"""
"""Runs of one answer per chooser and purpose, from `acts(chooser, purpose, act, acted_at)`: half-open [start, stop),
without gap from the first moment on; `allowed` NULL before the first answer. `refused_at` is the first refusal
after the run's permission, `decided_at` the first answer of all."""


def literal(instant: datetime) -> str:
    """Write an instant as a TIMESTAMP literal in UTC."""
    return f"TIMESTAMP '{instant.replace(tzinfo=None).isoformat(sep=' ')}'"


NEVER: Final = literal(LATEST)
EVER: Final = "TIMESTAMP '0001-01-01'"


def runs_query() -> str:
    """Return the SELECT that makes runs from a relation named `acts`."""
    return RUNS.replace("$never", NEVER).replace("$ever", EVER)
