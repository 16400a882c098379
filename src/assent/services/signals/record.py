"""Keep what a person's software says, and append the refusal that it means where the operator's rule says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.digests import digest
from assent.domain.instants import format_instant
from assent.services.choose.standing import SIGNAL, StandingStore, acts_of, standing_before
from assent.services.ledger.append import append
from assent.services.signals.rule import PRESENT, effect_of
from assent.store.port import Ledger, Signals
from assent.store.records import Choice, Page, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assent.services.ledger.log import Log
    from assent.services.signals.rule import Effect, Sighting, SignalRule

GPC: Final = "gpc"

_REMEMBERED: Final = 50
"""How many earlier sightings are read: only the newest decides."""


class SignalStore(StandingStore, Signals, Ledger, Protocol):
    """What recording a signal asks of a store."""


def record_sighting(
    store: SignalStore,
    log: Log,
    sighting: Sighting,
    *,
    subject: str,
    surface: str,
    purposes: Iterable[str],
    rule: SignalRule,
    now: datetime,
) -> dict[str, Effect]:
    """Weigh a sighting of Global Privacy Control for each purpose that people are asked for; returns what it came to.

    A refusal is appended before the sighting is kept: if the process dies in between, the
    next request sees the signal as new, and the same refusal is not appended twice.
    """
    before = [one for one in reversed(store.signals(subject, Page(_REMEMBERED)).items) if one.kind == GPC]
    acts = acts_of(store, subject)
    found = {}
    for purpose in sorted(set(purposes)):
        said = [act for act in acts if act.purpose == purpose]
        found[purpose] = effect_of(sighting, rule=rule, before=before, acts=said)
    refused = [purpose for purpose, effect in found.items() if effect.refuses]
    if refused:
        since = format_instant(before[-1].at) if before else ""
        append(
            store, log, [_refusal(store, subject, purpose, surface, since, acts, now) for purpose in refused], now=now
        )
    if any(effect.new for effect in found.values()):
        outcome = ", ".join(f"{purpose}: {effect.outcome}" for purpose, effect in found.items())
        value = PRESENT if sighting.present else "0"
        store.add_signal(Signal(subject, GPC, value, outcome, surface, now))
    return found


def _refusal(
    store: SignalStore, subject: str, purpose: str, surface: str, since: str, acts: list[Choice], now: datetime
) -> Choice:
    name = digest([SIGNAL, GPC, subject, purpose, since])
    return store.choice(name) or Choice(
        id=name,
        subject=subject,
        purpose=purpose,
        act="decline",
        at=now,
        notice="",
        surface=surface,
        recorded_by=f"{SIGNAL} {GPC}",
        recorded_at=now,
        prior=standing_before(acts, purpose),
    )
