"""Watching: what became of sessions since they were last looked at, by size and time of their files.

Nothing runs in between. Each look is compared with the one before, and what differs is written down
with a number, which is the cursor: so a reader that stopped in the middle goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from assent.connectors.port import Change
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from assent.connectors.coding_agents.agent import Session
    from assent.connectors.coding_agents.state import State

_SEEN: Final = "seen.json"
_CHANGES: Final = "changes.jsonl"

Kind = Literal["created", "turn", "changed", "deleted"]


def watch(state: State, sessions: Iterable[Session], cursor: str) -> Iterator[Change]:
    """Look, write down what differs, yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""
    if cursor and not cursor.isdecimal():
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning")
    written = list(state.lines(_CHANGES))
    number = max((int(line["number"]) for line in written), default=0)
    now = {session.id: [session.size, session.changed_ns] for session in sessions if session.whole}
    new: list[dict[str, Any]] = [
        {"number": number + step, "id": key, "kind": kind, "at": at}
        for step, (at, key, kind) in enumerate(_differences(state, now), 1)
    ]
    state.append(_CHANGES, new)
    if new:  # kept after its changes are written: a crash between tells them twice and loses none
        state.save(_SEEN, now)
    for line in [*written, *new]:
        if int(line["number"]) > int(cursor or 0):
            at = datetime.fromtimestamp(int(line["at"]) / 1e9, UTC)
            yield Change(str(line["id"]), line["kind"], at, str(line["number"]))


def _differences(state: State, now: dict[str, list[int]]) -> list[tuple[int, str, Kind]]:
    seen = state.load(_SEEN)
    found: list[tuple[int, str, Kind]] = []
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
    return sorted(found)
