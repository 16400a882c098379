"""What a Langfuse shows of traces and scores, in both generations of its API.

To version 3 a trace is a row with an input and an output of its own (`/traces`, `/observations`, `/v2/scores`). From
version 4 there are observations alone, each naming its trace, session and person (`/v2/observations`, `/v3/scores`);
its cloud was announced to answer the old paths until 2026-11-16. A server on the way keeps both, each with rows of its
own: whatever answers is asked, and nothing is absent before everything that answers says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from assent.connectors.formats.fields import instant, mapping, string
from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.langfuse.api import Api, Row

Rows: TypeAlias = "Iterator[Row] | None"

_NOTHING_SERVED: Final = "{} of this Langfuse cannot be read by any address that is known"
_WHOLE: Final = "core,basic,io"


@dataclass(slots=True)
class Trace:
    """One trace: its own row where there is one, and its observations as far as they were shown with it."""

    id: str
    rows: list[Row] = field(default_factory=list)
    observations: list[Row] = field(default_factory=list)

    @property
    def sessions(self) -> list[str]:
        """Every session that it names; of a well kept trace one."""
        found = (string(row.get("sessionId")) for row in (*self.rows, *self.observations))
        return list(dict.fromkeys(name for name in found if name))

    @property
    def owners(self) -> list[str]:
        """Every person that it names."""
        return [who for row in (*self.rows, *self.observations) if (who := string(row.get("userId")))]

    @property
    def began(self) -> datetime | None:
        """When its first row began."""
        return min((at for row in (*self.rows, *self.observations) if (at := time_of(row))), default=None)

    @property
    def latest(self) -> datetime | None:
        """When its last row began: what is added to a trace is news."""
        return max((at for row in (*self.rows, *self.observations) if (at := time_of(row))), default=None)


def time_of(row: Row) -> datetime | None:
    """When a row began."""
    return instant(row.get("timestamp")) or instant(row.get("startTime"))


def traces(api: Api, session: str = "", since: str = "") -> list[Trace]:
    """Read the traces of a session, or of all; `since` leaves out rows that began before. Ordered by id."""
    found: dict[str, Trace] = {}
    given = {"orderBy": "timestamp.asc", **_given(sessionId=session, fromTimestamp=since)}
    old = api.pages("/traces", given)
    conditions = [_is("sessionId", session)] if session else []
    conditions += [{"type": "datetime", "column": "startTime", "operator": ">=", "value": since}] if since else []
    new = _observations(api, conditions)
    for row in _served((old, new), "traces"):
        if session and row.get("sessionId") != session:
            continue  # whatever a filter lets through, only its own count
        of = "traceId" if "startTime" in row else "id"
        if name := string(row.get(of)):
            trace = found.setdefault(name, Trace(name))
            (trace.observations if of == "traceId" else trace.rows).append(row)
    return [found[name] for name in sorted(found)]


def observations(api: Api, trace: str) -> list[Row]:
    """Read the observations of a trace, each id once."""
    old = api.pages("/observations", {"traceId": trace})
    new = _observations(api, [_is("traceId", trace)])
    return _own(_served((old, new), "observations"), lambda row: row.get("traceId") == trace)


def scores(api: Api, *, trace: str = "", session: str = "") -> list[Row]:
    """Read the scores of a trace and its observations, or those of a session, each id once."""
    name = trace or session
    key = "traceId" if trace else "sessionId"
    # a comma would ask for two others
    asked = {} if "," in name else {key: name}
    new = api.runs("/v3/scores", {"fields": "subject", **asked})
    old = api.pages("/v2/scores", {key: name})

    def own(row: Row) -> bool:
        about = mapping(row.get("subject"))
        if not about:
            return row.get(key) == name
        if about.get("kind") == "observation":
            return bool(trace) and about.get("traceId") == name
        return about.get("kind") == ("trace" if trace else "session") and about.get("id") == name

    return _own(_served((new, old), "scores"), own)


def there(api: Api, trace: str) -> bool:
    """Ask whether anything of a trace is still shown."""
    if api.there("/traces", trace):
        return True
    rows = _observations(api, [_is("traceId", trace)], fields="core", limit=1)
    return rows is not None and any(row.get("traceId") == trace for row in rows)


# -- questions ----------------------------------------------------------------------------


def _observations(api: Api, conditions: list[dict[str, str]], fields: str = _WHOLE, limit: int = 0) -> Rows:
    given = {"fields": fields, **_given(filter=orjson.dumps(conditions).decode() if conditions else "")}
    rows = api.runs("/v2/observations", given, limit)
    return None if rows is None else map(_read, rows)


def _is(column: str, value: str) -> dict[str, str]:
    return {"type": "string", "column": column, "operator": "=", "value": value}


def _given(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _read(row: Row) -> Row:
    """Read input and output, which come as text whatever they were."""
    return {**row, **{key: _value(row[key]) for key in ("input", "output") if key in row}}


def _value(text: object) -> object:
    if isinstance(text, str) and text[:1] in ("{", "["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return text


def _served(answers: Iterable[Rows], what: str) -> Iterator[Row]:
    given = [rows for rows in answers if rows is not None]
    if not given:
        raise AssentError(_NOTHING_SERVED.format(what), "correct `url`, or update assent")
    for rows in given:
        yield from rows


def _own(rows: Iterable[Row], own: Callable[[Row], bool]) -> list[Row]:
    return list({string(row.get("id")): row for row in rows if own(row)}.values())
