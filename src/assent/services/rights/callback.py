"""Telling agents how their requests go, where they asked for it: the status callback of section 2.03.

An attempt that fails is made again later and later, then given up: an agent can always read the status itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.services.events.sending import Sender
    from assent.services.rights.exercise import Desk
    from assent.store.records import RightsRequest

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 600, 1_440))
"""How long to wait after the first failed attempt, the second, and so on; after the last nothing more is tried."""


class Calls(Protocol):
    """Whom to tell."""

    def due_calls(self, now: datetime, limit: int) -> Sequence[RightsRequest]: ...

    def record_call(self, request: str, *, told: datetime, next_at: datetime | None, calls: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Called:
    """How many agents were told, and how many attempts failed."""

    told: int = 0
    failed: int = 0


def call_back(store: Calls, desk: Desk, send: Sender, *, limit: int) -> Called:
    """Make one attempt at each of up to `limit` callbacks that are due; 200 is the only answer that counts."""
    told = failed = 0
    for request in store.due_calls(desk.now, limit):
        body = json.dumps(desk.status_of(request, "")).encode()
        try:
            status = send(request.callback or "", {"content-type": "application/json"}, body).status
        except AssentError:
            status = 0  # an address that nothing may be sent to
        if status == 200:
            told += 1
            store.record_call(request.id, told=request.changed_at, next_at=None, calls=request.calls)
            continue
        failed += 1
        next_at = desk.now + PAUSES[request.calls] if request.calls < len(PAUSES) else None
        store.record_call(request.id, told=request.changed_at, next_at=next_at, calls=request.calls + 1)
    return Called(told, failed)
