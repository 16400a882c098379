"""Contract of what guards a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from assent.store.records import Listing, Page, Round, Safeguard


class Guards(Protocol):
    """What was seen of earlier rounds, and the limits that count."""

    def add_round(self, done: Round) -> int:
        """Write a round down under a number of its own, which is returned; its `id` is not read."""
        ...

    def rounds(self, page: Page) -> Listing[Round]:
        """List rounds, newest first."""
        ...

    def last_round(self) -> Round | None: ...

    def settled_round(self, by: datetime) -> Round | None:
        """Return the newest round that had ended by then and knows its policies.

        Where there is none yet, the oldest of all that no guard stopped.
        """
        ...

    def last_round_under_others(self, policies: Sequence[str]) -> Round | None:
        """Return the newest round that knows its policies, and knows others than these."""
        ...

    def clock_seen(self) -> datetime | None:
        """Return the instant that the last round went by; None before the first."""
        ...

    def see_clock(self, at: datetime) -> None:
        """Let `at` be the instant that later ones are measured against."""
        ...

    def safeguards(self) -> Mapping[str, Safeguard]: ...

    def put_safeguards(self, safeguards: Sequence[Safeguard]) -> None:
        """Keep limits, each in the place of the one of its name."""
        ...

    def erased_by_sweeps(self, since: datetime) -> list[tuple[datetime, int]]:
        """Say of each sweep that began at `since` or later when it began and how many parts it has erased so far."""
        ...
