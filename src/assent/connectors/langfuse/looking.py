"""Looking at what the API shows of sessions: their traces, and everything that hangs on these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from assent.connectors.formats.fields import instant, string
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

    traces: list[Row] = field(default_factory=list)
    pieces: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, rows: Iterable[Row]) -> None:
        """Add what was found of a kind."""
        if ids := [string(row.get("id")) for row in rows]:
            self.pieces.setdefault(kind, []).extend(ids)


def traces_of(api: Api, session: str) -> list[Row]:
    """Read the traces of a session, oldest first. Whatever a filter lets through, only its own count."""
    if not session:
        return []  # an empty filter would be none
    given = {"sessionId": session, "orderBy": "timestamp.asc"}
    return [row for row in api.pages("/traces", given) if row.get("sessionId") == session]


def look(api: Api, session: str, traces: Iterable[str] = ()) -> Found:
    """Find everything of a session; `traces` are those that it once had."""
    found = Found(traces_of(api, session) if session else [])
    there = [string(row.get("id")) for row in found.traces]
    lost = [one for one in dict.fromkeys(traces) if one not in there and api.there("/traces", one)]
    found.pieces = {TRACES: [*there, *lost]} if there or lost else {}
    for one in dict.fromkeys([*there, *traces]):
        found.add(OBSERVATIONS, _of(api, "/observations", "traceId", one))
        found.add(SCORES, _of(api, "/v2/scores", "traceId", one))
        found.add(ITEMS, _of(api, "/dataset-items", "sourceTraceId", one))
        found.add(COMMENTS, _comments(api, "TRACE", one))
    if session:
        found.add(SCORES, _of(api, "/v2/scores", "sessionId", session))
        found.add(COMMENTS, _comments(api, "SESSION", session))
    for one in found.pieces.get(OBSERVATIONS, ()):
        found.add(COMMENTS, _comments(api, "OBSERVATION", one))
    found.pieces = {kind: list(dict.fromkeys(ids)) for kind, ids in found.pieces.items()}
    return found


def _of(api: Api, path: str, key: str, value: str) -> Iterator[Row]:
    if value:
        yield from (row for row in api.pages(path, {key: value}) if row.get(key) == value)


def _comments(api: Api, kind: str, one: str) -> Iterator[Row]:
    rows = api.pages("/comments", {"objectType": kind, "objectId": one}) if one else ()
    yield from (row for row in rows if row.get("objectId") == one)


# -- conversations ------------------------------------------------------------------------


def conversation(api: Api, session: str, traces: Iterable[Row]) -> Whole:
    """Put a session together; of a trace without input and output its observations speak."""
    turns: list[Turn] = []
    rows = sorted(traces, key=_began)
    for row in rows:
        if row.get("input") is None and row.get("output") is None:
            inner = sorted(_of(api, "/observations", "traceId", string(row.get("id"))), key=_began)
            turns += [_turn(one) for one in inner]
        else:
            turns.append(_turn(row))
    owners = [who for row in rows if (who := string(row.get("userId")))]
    times = [time for row in rows if (time := _time(row)) is not None]
    spoken = [turn for turn in turns if turn.input or turn.output]
    return whole(FORMAT, session, spoken, subject=owners[-1] if owners else None, began=min(times, default=None))


def _turn(row: Row) -> Turn:
    ended = instant(row.get("endTime")) or _time(row)
    said = tuple(loose(row.get("input"), "user")), tuple(loose(row.get("output"), "assistant"))
    return Turn(FORMAT, "", string(row.get("id")), started_at=_time(row), ended_at=ended, input=said[0], output=said[1])


def _time(row: Row) -> datetime | None:
    return instant(row.get("timestamp")) or instant(row.get("startTime"))


def _began(row: Row) -> tuple[float, str]:
    time = _time(row)
    return (time.timestamp() if time is not None else 0.0), string(row.get("id"))
