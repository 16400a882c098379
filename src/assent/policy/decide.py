"""The reference evaluator: the meaning of a policy, written to be read.

    use_until(p) = max over live grants g of p:  min( anchor(g) + use_for(g), caps of p )
    erase_by     = max over live grants:         min( use end + erase_after, caps' own dates )
    eligible(p)  = a live grant of p still runs, its choice stands, nothing vetoes it, no hold

A grant is *live* when its condition is true, its anchor is known, no veto removes it and
its choice permits it. If an unknown fact stands in the way the grant is *possible*: it
gives no use, but the bytes are not erased on its account, and the fact is a gap. So what
is not known never lets data be used, and never lets it be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assent.domain.decision import Conflict, Decision
from assent.domain.durations import add
from assent.domain.instants import LATEST
from assent.policy import explain
from assent.policy.conditions import effective_for, happened, holds_for
from assent.policy.model import CLOCKS, HAPPENINGS
from assent.policy.standing import Answer, Permission, permissions

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Cap, Grant, Policy

NEVER = LATEST
"""No end: stands in comparisons for an instant that never comes."""


class Basis(NamedTuple):
    """A grant that is live (`sure`) or possible, with the ends that it gives after its caps."""

    grant: Grant
    sure: bool
    use_until: datetime
    erase_by: datetime


class _Trail:
    """What the rules say while they are applied: gaps, reasons, conflicts."""

    __slots__ = ("capped", "conflicts", "gap", "vetoed")

    def __init__(self) -> None:
        self.gap: set[str] = set()
        self.vetoed: set[str] = set()
        self.capped: dict[str, datetime] = {}
        self.conflicts: list[Conflict] = []


def decide(facts: Facts, policy: Policy, at: datetime) -> Decision:
    """Decide one part at one instant. Pure: the same facts, policy and instant give the same decision.

    Events and choices later than `at` are not known yet and change nothing.
    """
    trail = _Trail()
    bases = [basis for grant in policy.grants if (basis := _basis(grant, facts, policy, at, trail))]
    erase_by = _erase_by(bases, facts, trail)
    held, released_at = _holds(facts, at)
    if released_at is not None:
        erase_by = max(erase_by or released_at, released_at)
    use_until = _use_until(bases, erase_by)
    live = {p for p, end in use_until.items() if at < end}
    ends = {p: None if end >= NEVER else end for p, end in use_until.items()}
    if held:
        ends["legal"] = None
    return Decision(
        part=facts.part,
        at=at,
        eligible=() if held else tuple(p for p in policy.cut_purposes if p in live),
        use_until=ends,
        erase_by=None if held or erase_by is None or erase_by >= NEVER else erase_by,
        held=held,
        gap=tuple(sorted(trail.gap)),
        conflicts=tuple(trail.conflicts),
        reasons=explain.reasons(
            policy,
            bases,
            trail.vetoed,
            trail.capped,
            trail.gap,
            held=held,
            released_at=_if_it_decides(released_at, erase_by),
        ),
        policy=policy.name,
        digest=policy.digest,
        may_use_until=_may_use_until(bases, erase_by),
    )


def _basis(grant: Grant, facts: Facts, policy: Policy, at: datetime, trail: _Trail) -> Basis | None:
    """Apply one grant: its anchor, condition, vetoes and choice, then its caps."""
    happening = HAPPENINGS.get(grant.anchor)
    if happening is not None and happened(facts, happening, at, policy) is None:
        return None
    applies, missing = holds_for(grant.when, facts, policy, at)
    if not applies:
        return None
    allowed = permissions(grant.choices, facts, policy, at) if grant.choices else None
    start, missing_clock = _anchor(grant, facts, policy, at, allowed)
    if start is None and missing_clock is None:
        return None
    if missing_clock is not None:
        missing |= {missing_clock}
    for veto in grant.vetoes:
        applies, unknown = holds_for(veto.when, facts, policy, at)
        if applies and not unknown:
            trail.vetoed.add(veto.id)
            return None
        missing |= unknown
    if allowed is not None:
        if allowed.answer is Answer.UNDECIDED:
            trail.gap |= missing | {"choices"}
        if allowed.answer is not Answer.PERMITTED:
            return None
        if allowed.time_unknown:
            missing |= {policy.part_clock}
    trail.gap |= missing
    use_until, erase_by = _ends(grant, facts, start)
    for cap, event in _events(grant, facts, policy, at, allowed):
        use_until, erase_by = _capped(grant, cap, event, use_until, erase_by, trail)
    return Basis(grant, not missing, use_until, erase_by)


def _anchor(
    grant: Grant, facts: Facts, policy: Policy, at: datetime, allowed: Permission | None
) -> tuple[datetime | None, str | None]:
    """Find the instant a grant runs from; (None, None) if its event did not happen, (None, clock) if unknown."""
    anchor = grant.anchor
    if anchor in CLOCKS:
        start: datetime | None = getattr(facts, CLOCKS[anchor])
        return start, CLOCKS[anchor] if start is None else None
    if anchor in HAPPENINGS:
        return happened(facts, HAPPENINGS[anchor], at, policy), None
    if anchor == "policy effective or acknowledged":
        return effective_for(facts, policy, at), None
    if anchor == "case closed":
        return _holds(facts, at)[1], None
    if anchor == "choice given":
        return (allowed.since if allowed else None), None
    return (allowed.ended_at if allowed else None), None


def _ends(grant: Grant, facts: Facts, start: datetime | None) -> tuple[datetime, datetime]:
    """Add the grant's own durations to its anchor; an unknown anchor or no end gives NEVER."""
    length = grant.use_for.default
    if facts.user_duration is not None:
        length = grant.use_for.picks.get(facts.user_duration, length)
    if start is None or length is None:
        return NEVER, NEVER
    use_until = add(start, length)
    return use_until, add(use_until, grant.erase_after) if grant.erase_after else use_until


def _events(
    grant: Grant, facts: Facts, policy: Policy, at: datetime, allowed: Permission | None
) -> list[tuple[Cap, datetime]]:
    """List the caps of a grant whose event has happened, with its instant."""
    events = []
    for cap in grant.caps:
        instant = happened(facts, cap.key, at, policy)
        if instant is not None:
            events.append((cap, instant))
    if allowed is not None and allowed.ended_at is not None and policy.withdrawal.id not in (grant.ignores or ()):
        events.append((policy.withdrawal, allowed.ended_at))
    return events


def _capped(
    grant: Grant, cap: Cap, event: datetime, use_until: datetime, erase_by: datetime, trail: _Trail
) -> tuple[datetime, datetime]:
    """Shorten a grant by one cap.

    Use always ends; a floor of a stronger class keeps its bytes, and that is a conflict.
    """
    use_end = add(event, cap.use_after) if cap.use_after else event
    if use_end < use_until:
        use_until = use_end
        trail.capped.setdefault(cap.id, event)
    if cap.keeps:
        return use_until, erase_by
    erase_end = add(use_end, cap.erase_after) if cap.erase_after else use_end
    if erase_end < erase_by:
        if grant.floor:
            winner = grant.id if grant.rank > cap.rank else cap.id
            trail.conflicts.append(Conflict(floor=grant.id, ceiling=cap.id, winner=winner))
            if winner == grant.id:
                return use_until, erase_by
        erase_by = erase_end
        trail.capped.setdefault(cap.id, event)
    return use_until, erase_by


def _erase_by(bases: list[Basis], facts: Facts, trail: _Trail) -> datetime | None:
    """Combine the ends: the latest ceiling or floor; a floor above the ceiling is a conflict with a named winner.

    Without any basis the part is due since the newest of its clocks.
    """
    if not bases:
        clocks = (facts.created_at, facts.last_turn_at, facts.recorded_at)
        return max((clock for clock in clocks if clock is not None), default=None)
    ceiling = max((b for b in bases if not b.grant.floor), key=_end, default=None)
    floor = max((b for b in bases if b.grant.floor), key=_end, default=None)
    if ceiling is None or floor is None:
        return (ceiling or floor or bases[0]).erase_by
    if floor.erase_by <= ceiling.erase_by:
        return ceiling.erase_by
    winner = floor if floor.grant.rank > ceiling.grant.rank else ceiling
    trail.conflicts.append(Conflict(floor.grant.id, ceiling.grant.id, winner.grant.id))
    return winner.erase_by


def _end(basis: Basis) -> datetime:
    return basis.erase_by


def _use_until(bases: list[Basis], erase_by: datetime | None) -> dict[str, datetime]:
    """Take the latest end of each purpose's live grants, never later than the erasure."""
    ends: dict[str, datetime] = {}
    for grant, sure, own_end, _ in bases:
        if sure:
            end = own_end if erase_by is None or own_end < erase_by else erase_by
            ends[grant.purpose] = max(ends.get(grant.purpose, end), end)
    return ends


def _may_use_until(bases: list[Basis], erase_by: datetime | None) -> datetime | None:
    """Take the latest end of any grant, possible ones too, never later than the erasure."""
    end = max((basis.use_until for basis in bases), default=None)
    return end if end is None or erase_by is None else min(end, erase_by)


def _if_it_decides(released_at: datetime | None, erase_by: datetime | None) -> datetime | None:
    return released_at if released_at == erase_by else None


def _holds(facts: Facts, at: datetime) -> tuple[bool, datetime | None]:
    """Tell whether a hold stands at `at`, and when the last one that did was released."""
    if not facts.holds:
        return False, None
    known = [hold for hold in facts.holds if hold.start <= at]
    held = any(hold.released_at is None or hold.released_at > at for hold in known)
    released = [hold.released_at for hold in known if hold.released_at is not None and hold.released_at <= at]
    return held, max(released, default=None)
