"""A session that nobody uses ends early: somebody went away and left the browser open."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.store.records import Session

_REMEMBERED: Final = 100_000


class Idle:
    """Remembers when each session of this process was last used; one that was never seen counts as used now.

    In memory, because writing at every request would cost more than it is worth: after a restart a session is awake
    once more, and ends at its own end all the same.
    """

    def __init__(self, longest: timedelta) -> None:
        """Let a session be for this long."""
        self._longest = longest
        self._used: dict[str, datetime] = {}
        self._lock = Lock()

    def awake(self, session: Session, *, now: datetime) -> bool:
        """Tell whether a session was used a short while ago, and note that it is used now."""
        with self._lock:
            used = self._used.get(session.digest, now)
            if now - used > self._longest:
                del self._used[session.digest]
                return False
            if len(self._used) >= _REMEMBERED:
                self._used = {digest: at for digest, at in self._used.items() if now - at <= self._longest}
            self._used[session.digest] = now
            return True
