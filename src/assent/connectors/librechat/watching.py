"""Watching: conversations whose time of change moved since the last look, and those that are gone.

MongoDB forgets what was deleted, so each look is compared with the one before; what differs is written down with a
number, which is the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from assent.connectors.librechat.listing import last_turns
from assent.connectors.librechat.rows import CONVERSATIONS
from assent.connectors.port import Change
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from assent.connectors.librechat.memory import Memory
    from assent.connectors.librechat.mongo import Base

_SEEN: Final = "seen.json"
_CHANGES: Final = "changes.jsonl"

Kind = Literal["created", "turn", "changed", "deleted"]


def watch(base: Base, memory: Memory, cursor: str) -> Iterator[Change]:
    """Look, write down what differs, yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning")
    seen = memory.load(_SEEN)
    now, found = _differences(base, seen)
    gone = seen.keys() - now.keys()
    at = _ms(memory.now()) if gone else 0
    found += [(at, name, "deleted") for name in gone]
    written = list(memory.lines(_CHANGES))
    number = max((int(line["number"]) for line in written), default=0)
    new: list[dict[str, Any]] = [
        {"number": number + step, "id": name, "kind": kind, "at": at}
        for step, (at, name, kind) in enumerate(sorted(found), 1)
    ]
    memory.append(_CHANGES, new)
    if new:  # kept after its changes are written: a crash between tells them twice and loses none
        memory.save(_SEEN, now)
    for line in [*written, *new]:
        if int(line["number"]) > int(cursor or 0):
            happened = datetime.fromtimestamp(int(line["at"]) / 1000, UTC)
            yield Change(str(line["id"]), line["kind"], happened, str(line["number"]))


def _differences(base: Base, seen: dict[str, Any]) -> tuple[dict[str, list[int]], list[tuple[int, str, Kind]]]:
    """Return each conversation with its time of change and its person's last turn, and what differs from before."""
    wanted = {"conversationId": 1, "updatedAt": 1, "createdAt": 1}
    rows = base[CONVERSATIONS].find({"subagentThread": None}, wanted)
    times = ((row.get("conversationId"), row.get("updatedAt") or row.get("createdAt")) for row in rows)
    changed = {name: _ms(at) for name, at in times if isinstance(name, str) and name}
    moved = [name for name, at in changed.items() if name not in seen or seen[name][0] != at]
    turns = last_turns(base, moved)
    now: dict[str, list[int]] = {}
    found: list[tuple[int, str, Kind]] = []
    for name, at in changed.items():
        before = seen.get(name)
        turn = _ms(turns.get(name)) if before is None or before[0] != at else before[1]
        now[name] = [at, turn]
        if before is None:
            found.append((at, name, "created"))
        elif before != now[name]:
            found.append((max(at, turn), name, "turn" if turn > before[1] else "changed"))
    return now, found


def _ms(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1000)
