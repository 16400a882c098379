"""Spans of one request as turns: whose they are, in which conversation, and what was said.

A trace often names the person and the conversation on one of its spans only, so what the spans of a trace that came
together agree on holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast, get_args

from assent.connectors.telemetry.messages import Said, said, values
from assent.connectors.telemetry.otlp import Unread
from assent.connectors.telemetry.spans import Span, at
from assent.connectors.telemetry.turns import FORMAT, MAX_MESSAGES, NAME, Turn
from assent.domain.conversation import Mode, Surface
from assent.domain.errors import Invalid

DEFAULT_FORMAT: Final = "otlp"

CONVERSATION: Final = ("gen_ai.conversation.id", "session.id", "langfuse.session.id", "thread.id")
PERSON: Final = ("enduser.id", "user.id", "langfuse.user.id")
PLAN: Final = ("assent.plan",)
"""Attributes by which a span names its conversation, its person and their plan; the first that is there counts."""


@dataclass(slots=True)
class Reading:
    """What spans came to. `silent` counts those that hold nothing that was said."""

    turns: list[Turn]
    unread: list[Unread]
    silent: int = 0


def read_spans(spans: Iterable[Span | Unread]) -> Reading:
    """Read spans into turns, one for each that holds something that was said, in the order of their times."""
    reading = Reading([], [])
    traces: dict[str, list[Span]] = {}
    for one in spans:
        if isinstance(one, Unread):
            reading.unread.append(one)
        else:
            traces.setdefault(one.trace, []).append(one)
    for trace in traces.values():
        _read_trace(trace, reading)
    reading.turns.sort(key=lambda turn: (turn.started_at is not None, turn.started_at and turn.started_at.timestamp()))
    return reading


def _read_trace(trace: Sequence[Span], reading: Reading) -> None:
    wanted: tuple[tuple[str, ...], ...] = (CONVERSATION, PERSON, PLAN)
    shared = {names: _agreed(trace, names) for names in wanted}
    spoken: list[tuple[Span, Said]] = []
    for span in trace:
        try:
            found = said(span)
        except Invalid as problem:
            reading.unread.append(Unread(f"span {span.id}", problem.message))
            continue
        if any(found):
            spoken.append((span, found))
    if not spoken:
        spoken = [(span, found) for span in trace if not span.parent and any(found := values(span))]
    reading.silent += len(trace) - len(spoken)
    for span, found in spoken:
        try:
            reading.turns.append(_turn(span, found, partial(_named, span, shared)))
        except Invalid as problem:
            reading.unread.append(Unread(f"span {span.id}", problem.message))


def _turn(span: Span, found: Said, told: Callable[[tuple[str, ...]], str]) -> Turn:
    if sum(map(len, found)) > MAX_MESSAGES:
        raise Invalid(f"it holds more than {MAX_MESSAGES:,} messages")
    conversation, person = told(CONVERSATION), told(PERSON)
    if not conversation:
        raise Invalid("it names no conversation: set `gen_ai.conversation.id` or `session.id`")
    if not all(NAME.fullmatch(one) for one in (conversation, person) if one):
        raise Invalid("an id in it is longer than 200 characters, or holds control characters")
    form = _own(span, "format") or DEFAULT_FORMAT
    if not FORMAT.fullmatch(form):
        raise Invalid("`assent.format` is not a word of a-z, 0-9 and `-`")
    return Turn(
        format=form,
        conversation=conversation,
        id=span.id,
        subject=person or None,
        plan=told(PLAN) or None,
        project=_own(span, "project")[:200],
        surface=cast("Surface", _one_of(span, "surface", get_args(Surface), "chat")),
        mode=cast("Mode", _one_of(span, "mode", get_args(Mode), "normal")),
        started_at=span.started_at,
        ended_at=span.ended_at,
        input=tuple(found[0]),
        output=tuple(found[1]),
    )


def _named(span: Span, shared: Mapping[tuple[str, ...], str], names: tuple[str, ...]) -> str:
    return named(span, names) or shared[names]


def _one_of(span: Span, name: str, known: Sequence[str], default: str) -> str:
    told = _own(span, name) or default
    if told not in known:
        raise Invalid(f"`assent.{name}` is none of {', '.join(known)}")
    return told


def _own(span: Span, name: str) -> str:
    """Read an attribute that assent defines, from the span or from its resource."""
    return named(span, (f"assent.{name}",)) or _text(at(span.resource, f"assent.{name}"))


def named(span: Span, names: Iterable[str]) -> str:
    """Return the first of these attributes that a span has, as text; empty if it has none."""
    return next(filter(None, (_text(at(span.attributes, name)) for name in names)), "")


def _agreed(trace: Sequence[Span], names: tuple[str, ...]) -> str:
    found = set(filter(None, (named(span, names) for span in trace)))
    return found.pop() if len(found) == 1 else ""


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
