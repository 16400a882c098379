"""What one version of a policy says about one part at one instant (spec/policy.md, sections 14, 15 and 18)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from assent.domain.durations import Duration, add
from assent.domain.instants import LATEST
from assent.policy.document import Choice, ExceptionRule, PickedLength
from assent.policy.parse import parse_document, parse_policy
from assent.services.cut_check.conditions import CLOCKS, EVENTS, binds_from, condition, happened
from assent.services.cut_check.standing import part_clock, permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.domain.facts import Facts
    from assent.policy.document import Document, Grant
    from assent.services.cut_check.standing import Permission

CLASSES: Final = (
    "default",
    "choice",
    "withdrawal",
    "deletion",
    "feedback exception",
    "safety exception",
    "origin or class",
    "mode",
    "age or region",
    "contract",
    "statutory retention",
    "hold",
    "statutory ban",
)
"""From weak to strong (section 11)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One policy version: its digest, and its file as data."""

    digest: str
    document: Document

    @property
    def rules(self) -> tuple[Grant, ...]:
        """Return the grants that can decide, then the exceptions."""
        every = (*self.document.grant, *self.document.exception)
        return tuple(one for one in every if any(self.document.copies[copy].governed for copy in one.copies))


def version(text: str, file: str) -> Version:
    """Read a policy file. Raises `PolicyProblems` for one that breaks the form."""
    return Version(parse_policy(text, file).digest, parse_document(text, file))


def asked_of(grant: Grant) -> tuple[Choice, ...]:
    """Return the choices that a grant needs."""
    if grant.choice is None:
        return ()
    return (grant.choice,) if isinstance(grant.choice, Choice) else tuple(grant.choice)


@dataclass(slots=True)
class Answer:
    """What may be done with a part. `stops` says per purpose, in a word each, what stood in its way."""

    held: bool
    gap: set[str] = field(default_factory=set)
    use_until: dict[str, datetime] = field(default_factory=dict)
    erase_by: datetime | None = None
    eligible: frozenset[str] = frozenset()
    stops: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Basis:
    """A grant that applies, or would if its missing facts turned out so."""

    grant: Grant
    live: bool
    use: datetime
    erase: datetime


def answer(version: Version, facts: Facts, at: datetime, *, only: Grant | None = None) -> Answer:
    """Decide a part under one version; with `only`, as if this grant were the only one."""
    document = version.document
    found = Answer(
        any(hold.start <= at and (hold.released_at is None or hold.released_at > at) for hold in facts.holds)
    )
    bases = []
    for grant in version.rules if only is None else (only,):
        basis = _basis(document, grant, facts, at, found)
        if basis is not None:
            bases.append(basis)
    erase = _erase_by(bases, facts, at)
    for basis in bases:
        if basis.live:
            purpose = basis.grant.purpose
            use = min(basis.use, LATEST if erase is None else erase)
            found.use_until[purpose] = max(use, found.use_until.get(purpose, use))
    cut = {name for name, purpose in document.purposes.items() if purpose.cut}
    if not found.held:
        found.eligible = frozenset(name for name, use in found.use_until.items() if name in cut and use > at)
        found.erase_by = None if erase == LATEST else erase
    else:
        found.use_until["legal"] = LATEST
    return found


def _basis(document: Document, grant: Grant, facts: Facts, at: datetime, found: Answer) -> _Basis | None:
    """Take one grant through the steps of section 14; None if it gives nothing."""
    stops = found.stops.setdefault(grant.purpose, [])
    if grant.anchor in EVENTS and happened(document, facts, grant.anchor, at) is None:
        return None
    applies = condition(document, grant.when, facts, at)
    if applies.holds is False:
        return None
    missing = set(applies.unknown)
    choices = asked_of(grant)
    answered = permission(document, choices, facts, at) if choices else None
    anchor, clock = _anchor(document, grant, facts, at, answered)
    if anchor is None and clock is None and not (answered and answered.state != "permitted"):
        return None
    missing |= {clock} if anchor is None and clock is not None else set()
    if _vetoed(document, grant, facts, at, missing):
        stops.append("vetoed")
        return None
    if answered is not None:
        if answered.state != "permitted":
            stops.append(answered.word)
            if answered.state == "undecided" and (anchor is not None or clock is not None):
                found.gap |= {"choices", *missing}
            return None
        if answered.clockless:
            missing.add(part_clock(document))
    if missing:
        stops.append("gap")
        found.gap |= missing
    use, erase = _ends(grant, facts, anchor)
    use, erase = _capped(document, grant, facts, at, answered, (use, erase), stops)
    if use <= at and not missing:
        stops.append("ended")
    return _Basis(grant, not missing, use, erase)


def _vetoed(document: Document, grant: Grant, facts: Facts, at: datetime, missing: set[str]) -> bool:
    vetoed = False
    for veto in document.veto:
        if grant.purpose in veto.removes and veto.id not in _ignored(grant):
            held = condition(document, veto.when, facts, at)
            vetoed |= held.holds is True
            missing |= held.unknown
    return vetoed


def _ignored(grant: Grant) -> frozenset[str]:
    return frozenset(grant.ignores or ()) if isinstance(grant, ExceptionRule) else frozenset()


def _anchor(
    document: Document, grant: Grant, facts: Facts, at: datetime, answered: Permission | None
) -> tuple[datetime | None, str | None]:
    """Return the anchor's instant, or the name of the clock that is not known (section 10)."""
    name = document.parameters.retention_anchor if grant.anchor == "retention anchor" else grant.anchor
    if name in CLOCKS:
        return getattr(facts, CLOCKS[name]), CLOCKS[name]
    if name in EVENTS:
        return happened(document, facts, name, at), None
    if name == "policy effective or acknowledged":
        return binds_from(document, facts, at), None
    if name == "case closed":
        return _last_release(facts, at), None
    if answered is None:
        return None, None
    return (answered.since if name == "choice given" else answered.ended), None


def _last_release(facts: Facts, at: datetime) -> datetime | None:
    released = [hold.released_at for hold in facts.holds if hold.released_at is not None and hold.released_at <= at]
    return max(released, default=None)


def _ends(grant: Grant, facts: Facts, anchor: datetime | None) -> tuple[datetime, datetime]:
    """Return the grant's own end of use and erasure; the latest instant there is stands for no end."""
    length = grant.use_for
    if isinstance(length, PickedLength):
        picks = {str(pick): pick for pick in length.person_may_pick}
        length = picks.get(facts.user_duration or "", length.default)
    if anchor is None or not isinstance(length, Duration):
        return LATEST, LATEST
    use = add(anchor, length)
    return use, add(use, grant.erase_after) if isinstance(grant.erase_after, Duration) else use


def _capped(
    document: Document,
    grant: Grant,
    facts: Facts,
    at: datetime,
    answered: Permission | None,
    ends: tuple[datetime, datetime],
    stops: list[str],
) -> tuple[datetime, datetime]:
    """Shorten use and erasure by what happened: events, and a permission that was taken back (section 7, 8, 15)."""
    use, erase = ends
    events: list[tuple[datetime, Duration | str, Duration | str, str, str]] = []
    for cap in document.cap:
        when = happened(document, facts, cap.event, at)
        if grant.purpose in cap.purposes and cap.id not in _ignored(grant) and when is not None:
            word = "deleted" if cap.event == "deletion request" else "ended"
            events.append((when, cap.use_after, cap.erase_after, cap.rule_class, word))
    if answered is not None and answered.ended is not None and "withdrawn" not in _ignored(grant):
        after = document.parameters.retention_on_withdrawal
        events.append((answered.ended, "at once", after, "withdrawal", "withdrawn"))
    for when, use_after, erase_after, rank, word in events:
        last = add(when, use_after) if isinstance(use_after, Duration) else when
        if last <= at:
            stops.append(word)
        use = min(use, last)
        if erase_after == "keep":
            continue
        gone = add(last, erase_after) if isinstance(erase_after, Duration) else last
        keeps = grant.bound == "at least" and CLASSES.index(grant.rule_class) > CLASSES.index(rank)
        erase = erase if gone < erase and keeps else min(erase, gone)
    return use, erase


def _erase_by(bases: Sequence[_Basis], facts: Facts, at: datetime) -> datetime | None:
    """Return when the bytes must be gone, None if nothing says so (sections 14 and 15)."""
    if bases:
        last = max(bases, key=lambda basis: basis.erase)
        floors = [basis for basis in bases if basis.grant.bound == "at least"]
        others = [basis for basis in bases if basis.grant.bound != "at least"]
        if floors and others:
            floor, ceiling = (max(of, key=lambda basis: basis.erase) for of in (floors, others))
            ranks = [CLASSES.index(basis.grant.rule_class) for basis in (floor, ceiling)]
            if floor.erase > ceiling.erase and ranks[0] <= ranks[1]:
                last = ceiling
        erase: datetime | None = last.erase
    else:
        clocks = [getattr(facts, name) for name in CLOCKS.values()]
        erase = max((clock for clock in clocks if clock is not None), default=None)
    released = _last_release(facts, at)
    return erase if erase is None or released is None else max(erase, released)


def governing(versions: Sequence[Version], facts: Facts, at: datetime) -> tuple[Version, ...]:
    """Return the versions that govern a part, oldest first: in force at the part's time, and at `at` (section 18)."""
    ordered = sorted(versions, key=lambda one: one.document.policy.effective)

    def in_force(time: datetime) -> Version:
        binding = [one for one in ordered if binds_from(one.document, facts, at) <= time]
        return binding[-1] if binding else ordered[0]

    now = in_force(at)
    made: datetime | None = getattr(facts, part_clock(now.document))
    then = in_force(at if made is None or made > at else made)
    return (now,) if then is now else tuple(sorted((then, now), key=ordered.index))
