"""Standing, for a person to look at: what their acts come to per purpose and scope, since when, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from assent.domain.choices import REFUSALS, Place, acts_on, reachable
from assent.domain.facts import Facts
from assent.policy.versions import in_force
from assent.services.notice import purposes_asked
from assent.store.port import Accounts, Acting, Choices

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assent.domain.facts import Scope
    from assent.policy.model import Policy
    from assent.store.records import Choice

Status = Literal["unasked", "asked", "deferred", "allowed", "declined", "withdrawn", "lapsed"]
Source = Literal["person", "guardian", "device link", "signal", "request", "restore", "default", "none"]

DEVICE_LINK: Final = "device link"
SIGNAL: Final = "signal"
REQUEST: Final = ", request "
RESTORE: Final = "restore"
"""What `recorded_by` of a choice is, begins with, or holds where somebody else brought it in."""

_STATUS: Final[dict[str, Status]] = {"allow": "allowed", "decline": "declined", "withdraw": "withdrawn"}


class StandingStore(Choices, Acting, Accounts, Protocol):
    """What a view of standings asks of a store."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one purpose and scope. `choice` is the id of the act that decides, `since` its instant.

    `source` is whose word it is: `default` where a policy uses data unless somebody declines,
    `none` where nobody said anything and nothing is used. `lapsed`: not answered by the deadline.
    """

    purpose: str
    scope: Scope
    target: str | None
    status: Status
    source: Source
    since: datetime | None = None
    choice: str | None = None


def standings(
    store: StandingStore, policies: Sequence[Policy], subject: str, now: datetime, *, asked: Collection[str] = ()
) -> list[Standing]:
    """List a person's standings: every purpose that is asked for, about everything, then what was decided apart.

    `asked` are the purposes that a campaign has shown to the person. `policies` are ordered by date.
    """
    acts = [act for act in acts_of(store, subject) if act.at <= now]
    purposes = dict.fromkeys([*purposes_asked(policies), *(act.purpose for act in acts)])
    apart = {(act.purpose, act.scope, act.target) for act in acts if act.scope != "everything" and act.act != "defer"}
    wanted: list[tuple[str, Scope, str | None]] = [(purpose, "everything", None) for purpose in purposes]
    wanted += sorted(apart, key=lambda one: (one[0], one[1] == "conversation", one[2] or ""))
    today = policy_today(store, policies, subject, now)
    found = []
    for purpose, scope, target in wanted:
        known = [act for act in acts_at(store, acts, scope, target) if act.at <= now]
        found.append(_standing(known, purpose, scope, target, today, now, asked=purpose in asked))
    return found


def standing_before(acts: Sequence[Choice], purpose: str) -> Status:
    """Say what acts that count for one place come to for a purpose, from the acts alone."""
    said = [act for act in acts if act.purpose == purpose]
    decided = [act for act in said if act.act != "defer"]
    return _STATUS[decided[-1].act] if decided else "deferred" if said else "unasked"


def acts_of(store: StandingStore, subject: str) -> list[Choice]:
    """Read the acts that reach a person's conversations: their own and, on a linked device, the account's refusals."""
    link = store.device_link(subject)
    return reachable(store.choices(subject), () if link is None else store.choices(link.subject))


def acts_at(store: StandingStore, acts: Sequence[Choice], scope: Scope, target: str | None) -> list[Choice]:
    """Pick from a person's acts those that count for a scope. A conversation also obeys what its project was told."""
    if scope == "conversation" and target is not None:
        return store.choices_for(target) or acts_on(acts, Place(target))
    return acts_on(acts, Place(None, target))


def source_of(choice: Choice) -> Source:
    """Say on whose word a choice rests."""
    if choice.recorded_by == DEVICE_LINK:
        return "device link"
    if choice.recorded_by.startswith(SIGNAL):
        return "signal"
    if REQUEST in choice.recorded_by:
        return "request"
    if choice.recorded_by.startswith(RESTORE):
        return "restore"
    return "guardian" if choice.guardian else "person"


def policy_today(store: Accounts, policies: Sequence[Policy], subject: str, now: datetime) -> Policy:
    """Return the version that is in force for a person. `policies` are ordered by date."""
    account = store.account(subject)
    facts = Facts("-", acknowledged_at=None if account is None else account.acknowledged_at)
    return in_force(policies, facts, now, now)


def _standing(
    acts: Sequence[Choice],
    purpose: str,
    scope: Scope,
    target: str | None,
    today: Policy,
    now: datetime,
    *,
    asked: bool,
) -> Standing:
    said = [act for act in acts if act.purpose == purpose]
    decided = [act for act in said if act.act != "defer"]
    if decided:
        last = decided[-1]
        return Standing(purpose, scope, target, _STATUS[last.act], source_of(last), _since(decided), last.id)
    rules = [rule for grant in today.grants for rule in grant.choices if rule.purpose == purpose]
    source: Source = "default" if any(rule.by_default for rule in rules) else "none"
    silent = today.silence_refuses_from is not None and today.silence_refuses_from <= now
    if silent and rules and source == "none":
        return Standing(purpose, scope, target, "lapsed", "none", today.silence_refuses_from)
    if said:
        return Standing(purpose, scope, target, "deferred", source, said[-1].at)
    return Standing(purpose, scope, target, "asked" if asked else "unasked", source)


def _since(decided: Sequence[Choice]) -> datetime:
    """Return the start of the unbroken run of acts of one kind that reaches the last."""
    refuses = decided[-1].act in REFUSALS
    since = decided[-1].at
    for act in reversed(decided):
        if (act.act in REFUSALS) is not refuses:
            break
        since = act.at
    return since
