"""Watching: conversations whose time of change moved since the last look, and those that are gone.

MongoDB forgets what was deleted, so each look is compared with the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from assent.connectors.comparing import Difference, compared
from assent.connectors.librechat.listing import last_turns
from assent.connectors.librechat.rows import CONVERSATIONS

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.librechat.memory import Memory
    from assent.connectors.librechat.mongo import Base
    from assent.connectors.port import Change

_MS: Final = 10**6
"""Nanoseconds of the millisecond in which MongoDB counts."""


def watch(base: Base, memory: Memory, cursor: str) -> Iterator[Change]:
    """Look, and yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""

    def compare(seen: dict[str, Any]) -> tuple[list[Difference], dict[str, Any]]:
        now, found = _differences(base, seen)
        gone = seen.keys() - now.keys()
        at = memory.now_ns() if gone else 0
        return found + [(at, name, "deleted") for name in gone], now

    yield from compared(memory, compare, cursor)


def _differences(base: Base, seen: dict[str, Any]) -> tuple[dict[str, list[int]], list[Difference]]:
    """Return each conversation with its time of change and its person's last turn, and what differs from before."""
    wanted = {"conversationId": 1, "updatedAt": 1, "createdAt": 1}
    rows = base[CONVERSATIONS].find({"subagentThread": None}, wanted)
    times = ((row.get("conversationId"), row.get("updatedAt") or row.get("createdAt")) for row in rows)
    changed = {name: _ms(at) for name, at in times if isinstance(name, str) and name}
    moved = [name for name, at in changed.items() if name not in seen or seen[name][0] != at]
    turns = last_turns(base, moved)
    now: dict[str, list[int]] = {}
    found: list[Difference] = []
    for name, at in changed.items():
        before = seen.get(name)
        turn = _ms(turns.get(name)) if before is None or before[0] != at else before[1]
        now[name] = [at, turn]
        if before is None:
            found.append((at * _MS, name, "created"))
        elif before != now[name]:
            found.append((max(at, turn) * _MS, name, "turn" if turn > before[1] else "changed"))
    return now, found


def _ms(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1000)
