"""The limits that count: those of the settings, except that a looser one waits until it has cooled off.

Whoever can edit the settings file could otherwise switch a guard off together with the mistake
that it would have stopped. A stricter value counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Refused
from assent.services.approve import require
from assent.store.port import Approvals, Guards
from assent.store.records import Safeguard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assent.settings import Settings


class LimitStore(Guards, Approvals, Protocol):
    """What remembering limits asks of a store."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond what a sweep stops. Each has the name of its setting; parts, percent, times, hours."""

    guard_floor_parts: int
    guard_most_parts: int
    guard_most_percent: int
    guard_times_mean: int
    canary_parts: int
    day_budget_parts: int
    cool_off_hours: int
    clock_ahead_hours: int

    @property
    def cool_off(self) -> timedelta:
        """How long what may be a mistake waits, so that somebody can notice."""
        return timedelta(hours=self.cool_off_hours)


LOOSER_WHEN_LESS: Final = frozenset({"cool_off_hours"})
"""Limits that protect less when they are lower; all others protect less when they are higher."""


def limits_of(settings: Settings) -> Limits:
    """Read the limits that the settings ask for."""
    return Limits(**{one.name: getattr(settings, one.name) for one in fields(Limits)})


def limits_in_force(store: LimitStore, wanted: Limits, now: datetime) -> Limits:
    """Return the limits that count at `now`, and remember them.

    A looser value than the one that counts waits for `cool_off_hours`, as they were before, from the first time that
    it was seen; or for a second person who agrees to `loosen` it (its target: `guard_most_parts=500000`).
    """
    known = store.safeguards()
    found = [_settle(store, wanted, known.get(one.name), one.name, now) for one in fields(Limits)]
    changed = [one for one in found if known.get(one.name) != one]
    store.put_safeguards(changed)
    return replace(wanted, **{one.name: one.value for one in found})


def ahead_in_force(store: Guards, wanted: Limits) -> timedelta:
    """Return how far the clock may have run on: the stricter of what counts and what is wanted, for no clock is asked.

    A clock that is wrong must not let a looser limit cool off.
    """
    known = store.safeguards().get("clock_ahead_hours")
    hours = wanted.clock_ahead_hours if known is None else min(known.value, wanted.clock_ahead_hours)
    return timedelta(hours=hours)


def waiting(store: Guards) -> Iterator[Safeguard]:
    """List the looser values that wait."""
    return (one for _, one in sorted(store.safeguards().items()) if one.wanted is not None)


def _settle(store: LimitStore, limits: Limits, known: Safeguard | None, name: str, now: datetime) -> Safeguard:
    wanted: int = getattr(limits, name)
    if known is None or wanted == known.value or (wanted < known.value) != (name in LOOSER_WHEN_LESS):
        return Safeguard(name, wanted)
    if known.wanted != wanted or known.wanted_since is None:
        known = Safeguard(name, known.value, wanted, now)
    since = known.wanted_since or now
    cool_off = store.safeguards().get("cool_off_hours")
    hours = cool_off.value if cool_off is not None else limits.cool_off_hours
    if now - since >= timedelta(hours=hours) or _agreed(store, f"{name}={wanted}", now):
        return Safeguard(name, wanted)
    return known


def _agreed(store: LimitStore, target: str, now: datetime) -> bool:
    try:
        require(store, act="loosen", target=target, now=now)
    except Refused:
        return False
    return True
