"""Watching: what became of sessions since they were last looked at, by size and time of their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from assent.connectors.comparing import Difference, compared

if TYPE_CHECKING:
    from assent.connectors.coding_agents.agent import Session
    from assent.connectors.coding_agents.state import State
    from assent.connectors.port import Change


def watch(state: State, sessions: Iterable[Session], cursor: str) -> Iterator[Change]:
    """Look, and yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""

    def compare(seen: dict[str, Any]) -> tuple[list[Difference], dict[str, Any]]:
        now = {session.id: [session.size, session.changed_ns] for session in sessions if session.whole}
        return _differences(state, seen, now), now

    yield from compared(state, compare, cursor)


def _differences(state: State, seen: dict[str, Any], now: dict[str, list[int]]) -> list[Difference]:
    found: list[Difference] = []
    for key, (size, changed) in now.items():
        before = seen.get(key)
        if before is None:
            found.append((changed, key, "created"))
        elif before != [size, changed]:
            found.append((changed, key, "turn" if size > before[0] else "changed"))
    gone = seen.keys() - now.keys()
    if gone:
        at = state.now_ns()
        found += [(at, key, "deleted") for key in gone]
    return found
