"""Langfuse as a product: list, read, order, and poll until nothing answers any more."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import Field

from assent.connectors.formats.fields import instant
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.langfuse.api import Api
from assent.connectors.langfuse.generations import Trace, there, traces
from assent.connectors.langfuse.looking import (
    COMMENTS,
    FORMAT,
    ITEMS,
    OBSERVATIONS,
    SCORES,
    TRACES,
    Found,
    conversation,
    look,
)
from assent.connectors.langfuse.memory import Known, Memory
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table
from assent.domain.errors import Invalid, Place
from assent.domain.instants import format_instant

SUMMARY: Final = "Langfuse, by its public API: sessions with traces, observations, scores, dataset items"

UNSEEN: Final = "masked rows and raw events"
_BELOW: Final = "ClickHouse and the bucket"
_TOGETHER: Final = 100
"""Traces of one order."""

_POLL_S: Final = 2.0
_PLACES: Final = {
    TRACES: "the project",
    OBSERVATIONS: "the project",
    SCORES: "the project",
    ITEMS: "datasets",
    COMMENTS: "the project",
}
_COMMENT: Final = "the API deletes no comments: somebody has to, in its own pages"
_SHARED: Final = "a trace of it belongs to another session too, which would go with it: take them apart there"
_UNSEEN_NOTE: Final = (
    "no request shows them; say in `cleaned_after_days` after how many days your retention rules have removed them"
)


class Settings(Table):
    """The keys of a connector to Langfuse."""

    url: str = Field(description="its address, as https://cloud.langfuse.com")
    public_key: str = Field(description="the public key of the project, as pk-lf-1")
    secret_key_file: Path = Field(description="a file with the secret key of the project")
    wait_s: int = Field(60, ge=0, le=3_600, description="seconds to wait for the queue of deletions before looking")
    cleaned_after_days: int | None = Field(
        None,
        ge=1,
        le=3_650,
        description="days after which ClickHouse has dropped deleted rows and the bucket has no raw events, by your own"
        " rules; without it they stay not reachable",
    )


def connect(settings: Settings, secret: Secret) -> Langfuse:
    """Connect a project. Raises `Invalid` for settings that cannot be meant."""
    if not settings.url.startswith(("https://", "http://")):
        raise Invalid("`url` is no address of a server", "write it as https://HOST")
    return Langfuse(settings, secret)


class Langfuse:
    """One project of a Langfuse."""

    format = FORMAT
    reach = (
        "traces with observations and scores, scores of sessions, dataset items made from them; not reached: comments,"
        " rows of ClickHouse that are masked, raw events and media in the bucket, traces of experiments, exports"
    )

    def __init__(self, settings: Settings, secret: Secret) -> None:
        self.name = settings.name
        self._settings = settings
        self._secret = secret
        self._memory = Memory(settings.folder)

    def _api(self) -> Api:
        found = self._settings
        return Api(found.url, found.public_key, self._secret(found.secret_key_file))

    # -- list, read, watch --------------------------------------------------------------

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        with self._api() as api:
            sessions: dict[str, list[Trace]] = {}
            for trace in traces(api):
                for session in trace.sessions:
                    sessions.setdefault(session, []).append(trace)
            for session, theirs in sessions.items():
                found = conversation(api, session, theirs).conversation
                if since is None or found.last_turn_at is None or found.last_turn_at >= since:
                    yield Listed(session, found.subject, found.created_at, found.last_turn_at)

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        if not ids:
            return
        with self._api() as api:
            for session in dict.fromkeys(ids):
                if theirs := traces(api, session) if session else ():
                    found = conversation(api, session, theirs)
                    yield found.conversation
                    if found.unread:
                        yield Malformed(Place("a session"), "a trace's messages cannot be read", found.unread)

    def watch(self, cursor: str = "") -> Iterator[Change]:
        """Say which sessions have new traces; what is deleted there is not seen."""
        at, _, last = cursor.partition(" ")
        with self._api() as api:
            found = [(time, trace) for trace in traces(api, since=at) if (time := trace.latest) is not None]
        for time_, trace in sorted(found, key=lambda one: (one[0], one[1].id)):
            if not at or (format_instant(time_), trace.id) > (at, last):
                for session in trace.sessions:
                    yield Change(session, "turn", time_, f"{format_instant(time_)} {trace.id}")

    # -- copies -------------------------------------------------------------------------

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        with self._api() as api:
            return {one: [*_present(look(api, one))] for one in dict.fromkeys(ids)}

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:  # noqa: ARG002
        """Order, wait for the queue, look. There is nothing to stop: `maintenance` only looks once more."""
        if not ids:
            return {}
        with self._api() as api:
            known = self._memory.read()
            found = {one: look(api, one, _traces(known, one)) for one in dict.fromkeys(ids)}
            self._note(known, found)
            self._order(api, found)
            self._wait(api, found)
        return self.verify(ids)

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        if not ids:
            return {}
        known = self._memory.read()
        answers: dict[str, Sequence[Copy]] = {}
        moved: dict[str, Known] = {}
        with self._api() as api:
            for one in dict.fromkeys(ids):
                found = look(api, one, _traces(known, one))
                before = known.get(one)
                if before is None:
                    answers[one] = [*_present(found)]
                    continue
                now = "" if found.pieces else before.gone or (format_instant(api.date) if api.date else "")
                if now != before.gone:
                    moved[one] = before = replace(before, gone=now)
                gone = [Copy(kind, _PLACES[kind], "removed") for kind in before.kinds if kind not in found.pieces]
                answers[one] = [*_present(found), *gone, self._unseen(before, api.date)]
        if moved:
            self._memory.keep(moved, moved)
        return answers

    # -- orders -------------------------------------------------------------------------

    def _note(self, known: dict[str, Known], found: Mapping[str, Found]) -> None:
        """Remember what is there before it is ordered away."""
        for one, what in found.items():
            if what.pieces:
                before = known.get(one, Known((), ()))
                traces = dict.fromkeys([*before.traces, *what.pieces.get(TRACES, ())])
                known[one] = Known(tuple(traces), tuple(dict.fromkeys([*before.kinds, *what.pieces])))
        self._memory.keep(known, [one for one, what in found.items() if what.pieces])

    def _order(self, api: Api, found: Mapping[str, Found]) -> None:
        for what in found.values():
            if what.shared:
                continue  # what is deleted with a trace may be another session's
            for item in what.pieces.get(ITEMS, ()):
                api.delete("/dataset-items", item)
            for score in what.pieces.get(SCORES, ()):
                api.delete("/scores", score)
        ours = (trace for what in found.values() if not what.shared for trace in what.pieces.get(TRACES, ()))
        while some := list(islice(ours, _TOGETHER)):
            api.delete_traces(some)

    def _wait(self, api: Api, found: Mapping[str, Found]) -> None:
        """Poll until no trace answers any more, at most as long as the settings say."""
        left = [trace for what in found.values() if not what.shared for trace in what.pieces.get(TRACES, ())]
        for _ in range(int(self._settings.wait_s / _POLL_S)):
            left = [trace for trace in left if there(api, trace)]
            if not left:
                return
            time.sleep(_POLL_S)

    def _unseen(self, known: Known, today: datetime | None) -> Copy:
        days, since = self._settings.cleaned_after_days, instant(known.gone)
        if days is None:
            return Copy(UNSEEN, _BELOW, "not reachable", _UNSEEN_NOTE)
        if since is None:
            return Copy(UNSEEN, _BELOW, "pending maintenance", f"{days} days after the rest is gone, by your own rules")
        end = since + timedelta(days=days)
        if today is None or today < end:
            return Copy(UNSEEN, _BELOW, "pending maintenance", f"until {format_instant(end)}, by your own rules")
        return Copy(UNSEEN, _BELOW, "removed", "by your own rules; no request shows it")


def _traces(known: Mapping[str, Known], one: str) -> tuple[str, ...]:
    return known[one].traces if one in known else ()


def _present(found: Found) -> Iterator[Copy]:
    for kind, ids in found.pieces.items():
        if kind == COMMENTS:
            yield Copy(kind, _PLACES[kind], "not reachable", _COMMENT)
        elif found.shared:
            yield Copy(kind, _PLACES[kind], "not reachable", _SHARED)
        else:
            yield Copy(kind, _PLACES[kind], note=f"{len(ids):,}")
