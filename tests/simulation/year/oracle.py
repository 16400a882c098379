"""What must be there and what must be gone, thought out again without assent's policy engine.

The oracle knows the two policies of the simulation by heart, as a person would tell them:

    nobody allowed it    kept 30 days after the last turn; 20 days under the stricter version
    allowed              kept five years after the last turn, if the newest answer at that turn was an allow
    taken back           gone 30 days after that
    deleted              out of use at once, gone 30 days after
    flagged              kept two years after, whatever else; an overturned flag counts for nothing
    held                 kept while the hold stands

What was written under the first version keeps to the stricter of both.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulation.year.script import TIGHTENED, Act

DAY = timedelta(days=1)
LEAD = timedelta(days=16)
QUARANTINE = timedelta(days=14)
SECOND = timedelta(seconds=1)


@dataclass
class Kept:
    """What is true of a conversation."""

    person: str
    first: datetime
    last: datetime
    turns: int = 1
    deleted: datetime | None = None
    flags: list[tuple[datetime, datetime | None]] = field(default_factory=list)


@dataclass
class Held:
    """A hold: whom it covers, and when it stood."""

    target: str
    start: datetime
    released: datetime | None = None


@dataclass
class Oracle:
    """The state of the world."""

    talks: dict[str, Kept] = field(default_factory=dict)
    acts: dict[str, list[tuple[datetime, Act]]] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)
    tightened: datetime | None = None
    erased: set[str] = field(default_factory=set)

    def ends(self, name: str, now: datetime) -> list[tuple[datetime, datetime]]:
        """Return for each reason to keep a conversation when its use ends, and when its bytes must be gone."""
        found = self.talks[name]
        days = TIGHTENED if self.tightened is not None else 30
        base = found.last + days * DAY
        ends = [self._deleted(found, base, base)]
        known = [(at, act) for at, act in self.acts.get(found.person, ()) if at <= now]
        before = [act for at, act in known if at <= found.last]
        if before and before[-1] == "allow":
            long = _years(found.last, 5)
            refused = next((at for at, act in known if at > found.last and act != "allow"), None)
            use, gone = (long, long) if refused is None else (refused, refused + 30 * DAY)
            ends.append(self._deleted(found, use, gone))
        standing = [at for at, overturned in found.flags if overturned is None]
        if standing:
            two = _years(standing[-1], 2)
            ends.append((two, two))
        return ends

    @staticmethod
    def _deleted(found: Kept, use: datetime, gone: datetime) -> tuple[datetime, datetime]:
        if found.deleted is None:
            return use, gone
        return min(use, found.deleted), min(gone, found.deleted + 30 * DAY)

    def covering(self, name: str) -> list[Held]:
        """Return the holds that cover a conversation, released ones too."""
        person = self.talks[name].person
        return [hold for hold in self.holds.values() if hold.target in ("", name, person)]

    def held(self, name: str) -> bool:
        """Tell whether a hold stands."""
        return any(hold.released is None for hold in self.covering(name))

    def gone_by(self, name: str, now: datetime) -> datetime:
        """Return when a conversation must be gone, unless it is held."""
        released = [hold.released for hold in self.covering(name) if hold.released is not None]
        return max([*(gone for _, gone in self.ends(name, now)), *released])

    def earliest(self, name: str, now: datetime) -> datetime:
        """Return before when a conversation must not go: while anything may use it, or long before it has to."""
        return max([self.gone_by(name, now) - LEAD, *(use for use, _ in self.ends(name, now))])

    def moments(self, now: datetime) -> list[datetime]:
        """Return the instants at which something must be gone, and those just before which it must not, from now on."""
        names = [name for name in self.talks if not self.held(name)]
        found = {at for name in names for at in (self.gone_by(name, now), self.earliest(name, now) - SECOND)}
        return sorted(at for at in found if at > now)

    def as_of(self) -> Oracle:
        """Return the state as a backup keeps it."""
        return copy.deepcopy(self)

    def restored(self, saved: Oracle) -> None:
        """Go back to a saved state; what was erased since stays erased, and what was held since stays held."""
        erased = self.erased | saved.erased
        holds = {**saved.holds, **self.holds}
        tightened = self.tightened
        self.__dict__.update(copy.deepcopy(saved.__dict__))
        self.erased, self.holds, self.tightened = erased, holds, tightened
        self.talks = {name: talk for name, talk in self.talks.items() if name not in erased}


def _years(at: datetime, years: int) -> datetime:
    return at.replace(year=at.year + years)
