"""Sessions of Phoenix as conversations: its spans hold OpenInference or GenAI attributes, as trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from assent.connectors.formats.fields import instant, mapping, sequence
from assent.connectors.telemetry.spans import Span, SpanEvent, tree

_SPANS: Final = sa.text(
    "SELECT project_sessions.session_id, traces.trace_id, spans.span_id, spans.parent_id, spans.start_time,"
    " spans.end_time, spans.attributes, spans.events FROM project_sessions"
    " JOIN traces ON traces.project_session_rowid = project_sessions.id"
    " JOIN spans ON spans.trace_rowid = traces.id WHERE project_sessions.session_id IN :ids"
    " ORDER BY spans.start_time, spans.id"
).bindparams(sa.bindparam("ids", expanding=True, type_=sa.Text))
_PAGE: Final = sa.text(
    "SELECT id, session_id, start_time FROM project_sessions WHERE id > :after ORDER BY id LIMIT :limit"
)


def sessions(connection: sa.Connection, after: int, limit: int) -> list[tuple[int, str, datetime | None]]:
    """Read a page of sessions: number, id, and when it began."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit})
    return [(number, one, _time(began)) for number, one, began in rows]


def spans_of(connection: sa.Connection, ids: Sequence[str]) -> Mapping[str, list[Span]]:
    """Read the spans of sessions, by time; a session that is not there is left out."""
    found: dict[str, list[Span]] = {}
    for row in connection.execute(_SPANS, {"ids": list(ids)}):
        found.setdefault(row[0], []).append(_span(row))
    return found


def _span(row: Sequence[Any]) -> Span:
    return Span(
        trace=row[1],
        id=row[2],
        parent=row[3] or "",
        started_at=_time(row[4]),
        ended_at=_time(row[5]),
        attributes=mapping(_json(row[6])),
        events=tuple(_events(_json(row[7]))),
    )


def _events(value: object) -> Iterator[SpanEvent]:
    for event in map(mapping, sequence(value)):
        yield SpanEvent(str(event.get("name")), tree(mapping(event.get("attributes")).items()))


def _json(value: object) -> object:
    """Read a column: PostgreSQL's driver has read it already; SQLite's binary form comes as text from Phoenix."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _time(value: object) -> datetime | None:
    """Read a time; SQLite has it as text without a zone, in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return instant(value)
