"""What experiments made of a session: it hangs on examples of datasets, and is brought under the session to go too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

BESIDE: Final = ("experiment_logs",)
"""Tables whose rows go here and nowhere else: what the database keeps of them has to be looked after, too."""

_EXAMPLES: Final = (
    " FROM project_sessions JOIN traces own ON own.project_session_rowid = project_sessions.id"
    " JOIN spans ON spans.trace_rowid = own.id JOIN dataset_examples ON dataset_examples.span_rowid = spans.id"
)
_RUNS: Final = f"{_EXAMPLES} JOIN experiment_runs ON experiment_runs.dataset_example_id = dataset_examples.id"
_OF: Final = " WHERE project_sessions.session_id IN :ids"


def _asked(query: str) -> sa.TextClause:
    return sa.text(query).bindparams(sa.bindparam("ids", expanding=True, type_=sa.Text))


_MADE: Final = " AND made.project_session_rowid IS NULL"
_TRACES: Final = _asked(
    f"SELECT project_sessions.session_id, project_sessions.id, made.id{_RUNS}"
    f" JOIN traces made ON made.trace_id = experiment_runs.trace_id{_OF}{_MADE}"
    f" UNION SELECT project_sessions.session_id, project_sessions.id, made.id{_RUNS}"
    " JOIN experiment_run_annotations said ON said.experiment_run_id = experiment_runs.id"
    f" JOIN traces made ON made.trace_id = said.trace_id{_OF}{_MADE}"
)
_LOGS: Final = _asked(
    f"SELECT experiment_task_logs.id{_EXAMPLES}"
    f" JOIN experiment_task_logs ON experiment_task_logs.dataset_example_id = dataset_examples.id{_OF}"
    f" UNION SELECT experiment_eval_logs.id{_RUNS}"
    f" JOIN experiment_eval_logs ON experiment_eval_logs.experiment_run_id = experiment_runs.id{_OF}"
)
_ADOPT: Final = sa.text("UPDATE traces SET project_session_rowid = :session WHERE id = :trace")
_FORGET: Final = sa.text("DELETE FROM experiment_logs WHERE id = :log")


def traces_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, int]:
    """Count, by session, the traces that experiments on its examples left outside of it."""
    counts: dict[str, int] = {}
    for one, _, _ in connection.execute(_TRACES, {"ids": list(ids)}):
        counts[one] = counts.get(one, 0) + 1
    return counts


def gather(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Bring those traces under their session, and delete what experiments logged: all else hangs on rows that go."""
    traces = [
        {"session": session, "trace": made} for _, session, made in connection.execute(_TRACES, {"ids": list(ids)})
    ]
    logs = [{"log": log} for (log,) in connection.execute(_LOGS, {"ids": list(ids)})]
    if traces:
        connection.execute(_ADOPT, traces)
    if logs:
        connection.execute(_FORGET, logs)
