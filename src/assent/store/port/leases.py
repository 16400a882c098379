"""Contract of leases."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from assent.domain.errors import Refused
from assent.store.records import Lease


class LeaseLost(Refused):
    """Somebody else has taken the lease since, or it was given back; nothing was done."""


class Leases(Protocol):
    """Who may do a thing that one at a time may do.

    Clocks only say when somebody may be taken for dead, and machines may disagree about them. What
    keeps the work single is the fence: whoever writes under a lease shows its number in the same
    transaction, and is refused once somebody else has taken the lease since.
    """

    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take a lease that nobody has, that was given back, or that ended before `now`; else None.

        The holder that has it already takes it anew, under a higher fence: what it began before is refused.
        """
        ...

    def renew_lease(self, lease: Lease, until: datetime) -> Lease:
        """Keep a lease until `until`, under the same fence. Raises `LeaseLost` once it was given back or taken."""
        ...

    def give_lease_back(self, lease: Lease) -> None:
        """Let others take it at once. Does nothing if it is lost already."""
        ...
