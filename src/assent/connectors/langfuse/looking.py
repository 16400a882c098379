"""Looking at what the API shows of sessions: their traces, and everything that hangs on these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from assent.connectors.formats.fields import instant, string
from assent.connectors.langfuse.generations import Trace, observations, scores, there, time_of, traces
from assent.connectors.telemetry.messages import loose
from assent.connectors.telemetry.turns import Turn
from assent.connectors.telemetry.whole import Whole, whole

if TYPE_CHECKING:
    from assent.connectors.langfuse.api import Api, Row

FORMAT: Final = "langfuse"

TRACES: Final = "traces"
OBSERVATIONS: Final = "observations"
SCORES: Final = "scores"
ITEMS: Final = "dataset items"
COMMENTS: Final = "comments"


@dataclass(slots=True)
class Found:
    """What is there of one session: ids by kind."""

    pieces: dict[str, list[str]] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    """Traces that name another session too: deleting them would take that one along."""

    def add(self, kind: str, ids: Iterable[str]) -> None:
        """Add what was found of a kind."""
        if found := [*ids]:
            self.pieces[kind] = list(dict.fromkeys([*self.pieces.get(kind, ()), *found]))


def look(api: Api, session: str, known: Iterable[str] = ()) -> Found:
    """Find everything of a session; `known` are the traces that it once had."""
    found = Found()
    now = [trace.id for trace in traces(api, session)] if session else []
    lost = [one for one in dict.fromkeys(known) if one not in now and there(api, one)]
    found.add(TRACES, [*now, *lost])
    for one in dict.fromkeys([*now, *known]):
        rows = observations(api, one)
        if any(string(row.get("sessionId")) not in ("", session) for row in rows):
            found.shared.append(one)
        found.add(OBSERVATIONS, _ids(rows))
        found.add(SCORES, _ids(scores(api, trace=one)))
        found.add(ITEMS, _ids(_of(api, "/dataset-items", "sourceTraceId", one)))
        found.add(COMMENTS, _ids(_comments(api, "TRACE", one)))
    if session:
        found.add(SCORES, _ids(scores(api, session=session)))
        found.add(COMMENTS, _ids(_comments(api, "SESSION", session)))
    for one in found.pieces.get(OBSERVATIONS, ()):
        found.add(COMMENTS, _ids(_comments(api, "OBSERVATION", one)))
    return found


def _ids(rows: Iterable[Row]) -> Iterator[str]:
    return (string(row.get("id")) for row in rows)


def _of(api: Api, path: str, key: str, value: str) -> Iterator[Row]:
    if value:
        yield from (row for row in api.pages(path, {key: value}) or () if row.get(key) == value)


def _comments(api: Api, kind: str, one: str) -> Iterator[Row]:
    rows = api.pages("/comments", {"objectType": kind, "objectId": one}) if one else ()
    yield from (row for row in rows or () if row.get("objectId") == one)


# -- conversations ------------------------------------------------------------------------


def conversation(api: Api, session: str, found: Iterable[Trace]) -> Whole:
    """Put a session together."""
    ordered = sorted(found, key=lambda trace: (_seconds(trace.began), trace.id))
    turns = [_turn(row) for trace in ordered for row in sorted(_speaking(api, trace), key=_began)]
    owners = [who for trace in ordered for who in trace.owners]
    times = [time for trace in ordered if (time := trace.began) is not None]
    spoken = [turn for turn in turns if turn.input or turn.output]
    return whole(FORMAT, session, spoken, subject=owners[-1] if owners else None, began=min(times, default=None))


def _speaking(api: Api, trace: Trace) -> list[Row]:
    """Choose the rows that say what a trace was about: its own, or its first observations, or else all of them."""
    if own := [row for row in trace.rows if _says(row)]:
        return own
    rows = [row for row in trace.observations or observations(api, trace.id) if _says(row)]
    return [row for row in rows if not row.get("parentObservationId")] or rows


def _says(row: Row) -> bool:
    return row.get("input") is not None or row.get("output") is not None


def _turn(row: Row) -> Turn:
    ended = instant(row.get("endTime")) or time_of(row)
    said = tuple(loose(row.get("input"), "user")), tuple(loose(row.get("output"), "assistant"))
    return Turn(
        FORMAT, "", string(row.get("id")), started_at=time_of(row), ended_at=ended, input=said[0], output=said[1]
    )


def _began(row: Row) -> tuple[float, str]:
    return _seconds(time_of(row)), string(row.get("id"))


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time is not None else 0.0
