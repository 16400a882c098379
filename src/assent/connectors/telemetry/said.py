"""Messages of a turn, each with a name by which it is known again when another turn repeats it.

The name is a keyed digest of the conversation, who said it and what, and of how often it was said before in the same
turn. So what is there already meets itself, whatever call repeats it and in whatever order calls arrive, and what was
erased is known again and stays away. The key is the home's own: what is left of an erased message, its name in a
tombstone, lets nobody try out what it may have been.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assent.connectors.formats.messages import Reader
from assent.domain.digests import canonical
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.telemetry.turns import Message, Turn
    from assent.domain.conversation import Part

_DIGITS: Final = 20
_ASIDE: Final = frozenset({"reasoning"})


@dataclass(frozen=True, slots=True)
class Said:
    """The messages of a turn in order, and when its person last spoke in it; None if only the model or a tool did."""

    messages: dict[str, list[Part]]
    spoke_at: datetime | None


def messages_of(turn: Turn, key: bytes) -> Said:
    """Read a turn. Raises `Invalid` with the number of a message that cannot be read.

    What stands behind the model's last answer is of this turn and has its time; when the rest was said is not known
    from here. Reasoning is no part of the name: many clients leave it out of what they repeat.
    """
    reader, names, seen = Reader(), dict[str, str](), Counter[str]()
    found: dict[str, list[Part]] = {}
    spoke_at = None
    for number, (message, time) in enumerate(_timed(turn), 1):
        try:
            parts = reader.message(dict(message), "", names)
        except Invalid as problem:
            raise Invalid(f"message {number}: {problem.message}") from None
        if not parts:
            continue
        digest = _digest(turn, parts, key)
        name = f"{digest}.{seen[digest]}"
        seen[digest] += 1
        found[name] = _named(parts, name, time)
        if time is not None and any(part.origin in ("person", "file") for part in parts):
            spoke_at = time
    return Said(found, spoke_at)


def woven(order: Sequence[str], said: Sequence[str]) -> list[str]:
    """Put the messages of a turn into the order of a conversation.

    What stands between messages that are there goes between them, what comes behind the last of them to the end.
    """
    made, known = list(order), set(order)
    tail = len(said) - next((number for number, name in enumerate(reversed(said)) if name in known), len(said))
    at = next((made.index(name) for name in said[:tail] if name in known), 0)
    for name in said[:tail]:
        if name in known:
            at = made.index(name) + 1
        else:
            made.insert(at, name)
            at += 1
    return [*made, *said[tail:]]


def _timed(turn: Turn) -> list[tuple[Message, datetime | None]]:
    answers = [number for number, message in enumerate(turn.input) if _speaker(message) in ("assistant", "model")]
    own = answers[-1] + 1 if answers else 0
    given = [(message, turn.started_at if number >= own else None) for number, message in enumerate(turn.input)]
    return [*given, *((message, turn.ended_at or turn.started_at) for message in turn.output)]


def _speaker(message: Message) -> str:
    role = message.get("role")
    return role.strip().lower() if isinstance(role, str) else ""


def _digest(turn: Turn, parts: Sequence[Part], key: bytes) -> str:
    shown = [part for part in parts if not part.marks & _ASIDE] or parts
    told = [turn.name, *([part.speaker, part.data, part.text.strip()] for part in shown)]
    return hmac.digest(key, canonical(told).decode().encode("utf-8", "replace"), "sha256").hex()[:_DIGITS]


def _named(parts: Sequence[Part], name: str, time: datetime | None) -> list[Part]:
    named, counts = [], Counter[str]()
    for part in parts:
        aside = "r" if part.marks & _ASIDE else ""
        named.append(replace(part, id=f"{name}/{aside}{counts[aside]}", turn=name, created_at=time))
        counts[aside] += 1
    return named
