"""A conversation from everything that a store of traces has of it, where a live source tells it call by call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assent.connectors.telemetry.messages import said, values
from assent.connectors.telemetry.reading import PERSON, named
from assent.connectors.telemetry.said import messages_of, woven
from assent.connectors.telemetry.turns import Turn
from assent.domain.conversation import Conversation, last_turn
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.telemetry.spans import Span
    from assent.domain.conversation import Part


@dataclass(frozen=True, slots=True)
class Whole:
    """A conversation, and how many of its turns could not be read."""

    conversation: Conversation
    unread: int = 0


def spoken(spans: Sequence[Span]) -> tuple[list[Turn], int]:
    """Read the spans of one conversation into turns by time, trace by trace; say how many could not be read."""
    turns, unread = [], 0
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace, []).append(span)
    for trace in traces.values():
        found = []
        for span in trace:
            try:
                found.append((span, said(span)))
            except Invalid:
                unread += 1
        some = [(span, both) for span, both in found if any(both)]
        some = some or [(span, both) for span in trace if not span.parent and any(both := values(span))]
        for span, (given, made) in some:
            times = {"started_at": span.started_at, "ended_at": span.ended_at}
            turns.append(Turn("", "", span.id, input=tuple(given), output=tuple(made), **times))  # type: ignore[arg-type]
    turns.sort(key=lambda turn: (turn.started_at.timestamp() if turn.started_at else 0.0, turn.id))
    return turns, unread


def owner_of(spans: Iterable[Span]) -> str | None:
    """Return the person that the spans name, the latest where they name several; None if they name nobody."""
    found = [
        (span.started_at.timestamp() if span.started_at else 0.0, who) for span in spans if (who := named(span, PERSON))
    ]
    return max(found)[1] if found else None


def conversation_of(form: str, identity: str, spans: Sequence[Span]) -> Whole:
    """Put a conversation together from spans."""
    turns, unread = spoken(spans)
    began = min((span.started_at for span in spans if span.started_at is not None), default=None)
    made = whole(form, identity, turns, subject=owner_of(spans), began=began)
    return Whole(made.conversation, made.unread + unread)


def whole(form: str, identity: str, turns: Sequence[Turn], *, subject: str | None, began: datetime | None) -> Whole:
    """Put turns together, oldest first: what several repeat counts once, and is named after the first that has it."""
    order: list[str] = []
    parts: dict[str, list[Part]] = {}
    unread = 0
    for turn in turns:
        try:
            found = messages_of(turn, b"").messages
        except Invalid:
            unread += 1
            continue
        order = woven(order, list(found))
        for number, (name, some) in enumerate(found.items()):
            if name not in parts:
                place = f"{turn.id}.{number}"
                parts[name] = [replace(part, id=f"{place}/{part.id.rpartition('/')[2]}", turn=place) for part in some]
            elif parts[name][0].created_at is None and some[0].created_at is not None:
                parts[name] = [replace(part, created_at=some[0].created_at) for part in parts[name]]
    found_parts = tuple(part for name in order for part in parts[name])
    made = Conversation(
        id=f"{form}:{identity}",
        source=form,
        parts=found_parts,
        subject=subject,
        created_at=began,
        last_turn_at=last_turn(found_parts),
        records=max(1, len(turns) - unread),
    )
    return Whole(made, unread)
