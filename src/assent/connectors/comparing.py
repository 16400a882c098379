"""Watching a system that does not say what happens: each look is compared with the one before.

What differs is written down with a number, which is the cursor: a reader that stopped in the middle goes on where it
was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from assent.connectors.port import Change
from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from assent.connectors.own_folder import OwnFolder

SEEN: Final = "seen.json"
CHANGES: Final = "changes.jsonl"

Kind = Literal["created", "turn", "changed", "deleted"]
Difference: TypeAlias = "tuple[int, str, Kind]"
"""When (nanoseconds since 1970), the id of a conversation, and what happened to it."""

Compare = Callable[[dict[str, Any]], "tuple[list[Difference], dict[str, Any]]"]
"""Is given what the last look saw; returns what differs now, and what is to be remembered as seen."""


def compared(own: OwnFolder, compare: Compare, cursor: str) -> Iterator[Change]:
    """Look, write down what differs, yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise Invalid("this is not a cursor of this connector", "leave it out to begin from the beginning")
    written = list(own.lines(CHANGES))
    number = max((int(line["number"]) for line in written), default=0)
    latest = max((int(line["at"]) for line in written), default=0)
    seen = own.load(SEEN)
    found, after = compare(seen)
    new: list[dict[str, Any]] = [
        # oldest first, also from look to look
        {"number": number + step, "id": name, "kind": kind, "at": max(at, latest)}
        for step, (at, name, kind) in enumerate(sorted(found), 1)
    ]
    own.append(CHANGES, new)
    if after != seen:  # kept after its changes are written: a crash between tells them twice and loses none
        own.save(SEEN, after)
    for line in [*written, *new]:
        if int(line["number"]) > int(cursor or 0):
            happened = datetime.fromtimestamp(int(line["at"]) / 1e9, UTC)
            yield Change(str(line["id"]), line["kind"], happened, str(line["number"]))
