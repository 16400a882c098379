"""One act of one person: quoted, checked and appended with its leaf, or refused with nothing written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from assent.domain.choices import reachable
from assent.domain.digests import digest
from assent.domain.errors import Refused
from assent.domain.facts import Facts
from assent.policy.conditions import effective_for
from assent.services.choose.desk import PERSON, Rejected
from assent.services.choose.effects import EffectsStore, effects_of
from assent.services.choose.gate import check_guardian, check_may_allow
from assent.services.choose.snapshot import SnapshotStore, open_snapshot
from assent.services.choose.standing import acts_at, acts_of, standing_before
from assent.services.ledger.append import append
from assent.store.port import Choices, Ledger
from assent.store.records import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.domain.facts import Act, Scope
    from assent.policy.model import Policy
    from assent.services.choose.desk import Desk
    from assent.services.choose.effects import Effects
    from assent.services.choose.snapshot import Quoted, Snapshot
    from assent.services.ledger.append import Appended
    from assent.services.ledger.log import Log
    from assent.store.records import Account, DeviceLink, Known

Enter = Callable[[Choice], "Appended"]
"""Appends one choice to the ledger and returns it with its proof; the same choice again is the same leaf."""

ASK_AGAIN: Final = "ask for the question again, and quote what comes with it"


class ChooseStore(SnapshotStore, EffectsStore, Ledger, Protocol):
    """What taking an act asks of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from a client: who acted on what, and the token that was served with the question.

    `role` is whom the session speaks for: `PERSON`, or somebody who can never allow for a person.
    `explain` asks for the effects too.
    """

    subject: str
    purpose: str
    act: Act
    token: str
    scope: Scope = "everything"
    target: str | None = None
    guardian: str = ""
    role: str = PERSON
    explain: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """An act that was taken: with its proof, the standing before and after, and what it does (None: not asked for)."""

    choice: Choice
    appended: Appended
    before: str
    after: str
    effects: Effects | None


def choose(
    store: ChooseStore,
    log: Log,
    desk: Desk,
    answer: Answer,
    *,
    policies: Sequence[Policy],
    now: datetime,
    enter: Enter | None = None,
) -> Outcome:
    """Take one act. The same act on the same snapshot again gets the same answer, however late.

    `policies` are ordered by date. `enter` appends the choice to the ledger, with others where many come at once;
    without it the choice is appended by itself. Raises `Rejected` with its reason, and has then written nothing.
    """
    enter = enter or partial(_alone, store, log, now)
    quoted, known = quote(desk, answer), store.known_of(answer.subject)
    begun = begin(store, desk, answer, (quoted, known), policies=policies, now=now)
    try:
        appended = enter(begun.choice)
    except Refused as problem:
        appended = enter(written_first(store, begun, problem))
    return finish(store, begun, appended, policies=policies, now=now)


@dataclass(frozen=True, slots=True)
class Begun:
    """An act that may be taken, ready to be appended: `choose` in steps, for who does something else in between."""

    answer: Answer
    known: Known
    choice: Choice


def quote(desk: Desk, answer: Answer) -> Quoted:
    """Read what an act quotes, and see that it was served to this person; asks no store. Raises `Rejected`."""
    quoted = open_snapshot(answer.token, desk)
    _check_whose(answer, quoted.snapshot, desk)
    return quoted


def begin(
    store: ChooseStore,
    desk: Desk,
    answer: Answer,
    read: tuple[Quoted, Known],
    *,
    policies: Sequence[Policy],
    now: datetime,
) -> Begun:
    """Check an act by what it quotes and what is known of the person, and write nothing. Raises `Rejected`.

    Of the store only the rendering is asked, and for a guardian or a conversation what is known of those.
    """
    quoted, known = read
    name = digest(["choice", quoted.digest])
    made = next((act for act in known.acts if act.id == name), None)
    if made is None:
        seen = cast("ChooseStore", _Seen(store, known))
        _check(seen, desk, answer, quoted.snapshot, policies, now)
        made = _choice(seen, answer, quoted, name, now)
    return Begun(answer, known, made)


def written_first(store: Choices, begun: Begun, problem: Refused) -> Choice:
    """Return the choice that another answer on the same snapshot wrote at the same moment; else raise the problem."""
    first = store.choice(begun.choice.id)
    if first is None or first == begun.choice:
        raise problem
    return first


def finish(
    store: ChooseStore, begun: Begun, appended: Appended, *, policies: Sequence[Policy], now: datetime
) -> Outcome:
    """Say what became of an act. Raises `Rejected` if its snapshot was answered before, with another act."""
    choice = appended.choice
    if choice.act != begun.answer.act:
        raise Rejected("used", "this snapshot was answered already, with another act", ASK_AGAIN)
    effects = effects_of(store, policies, choice, now) if begun.answer.explain else None
    return Outcome(choice, appended, choice.prior, _after(store, begun.known, choice), effects)


class _Seen:
    """The store, with what was read of one person at one instant: nothing of that is asked again."""

    def __init__(self, store: ChooseStore, known: Known) -> None:
        self._store = store
        self._known = known

    def account(self, subject: str) -> Account | None:
        return self._known.account if subject == self._known.subject else self._store.account(subject)

    def device_link(self, device: str) -> DeviceLink | None:
        return self._known.link if device == self._known.subject else self._store.device_link(device)

    def choices(self, subject: str) -> Iterable[Choice]:
        known = self._known
        if subject == known.subject:
            return known.acts
        return known.of_account if known.link and subject == known.link.subject else self._store.choices(subject)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _after(store: ChooseStore, known: Known, choice: Choice) -> str:
    """Say what holds with a choice; a conversation is asked again, for what its project was told."""
    if choice.scope == "conversation":
        acts = acts_at(store, acts_of(store, choice.subject), choice.scope, choice.target)
    else:
        own = known.acts if choice in known.acts else (*known.acts, choice)
        acts = acts_at(store, reachable(own, known.of_account), choice.scope, choice.target)
    return standing_before(acts, choice.purpose)


def _alone(store: Ledger, log: Log, now: datetime, choice: Choice) -> Appended:
    (appended,) = append(store, log, [choice], now=now)
    return appended


def _check(
    store: ChooseStore, desk: Desk, answer: Answer, snapshot: Snapshot, policies: Sequence[Policy], now: datetime
) -> None:
    _check_time(snapshot, desk, now)
    _check_shown(store, answer, snapshot)
    _check_role(answer)
    if answer.guardian:
        check_guardian(store, answer.subject, answer.guardian, adult_age=desk.adult_age, now=now)
    if answer.act == "allow":
        _check_grant(store, desk, answer, snapshot, policies, now)


def superseded(quoted: Policy, policies: Sequence[Policy], purpose: str, facts: Facts, now: datetime) -> Policy | None:
    """Return a newer version that binds the person by now and asks something else for this purpose; None if none does.

    What is asked for is compared as rules and not as words: the grants that need the choice
    with their caps and vetoes, the withdrawal, and which parts a grant or a new grant covers.
    """
    for policy in policies:
        newer = policy.effective > quoted.effective and effective_for(facts, policy, now) <= now
        if newer and _asked(policy, purpose) != _asked(quoted, purpose):
            return policy
    return None


def _asked(policy: Policy, purpose: str) -> tuple[object, ...]:
    grants = [grant for grant in policy.grants if any(rule.purpose == purpose for rule in grant.choices)]
    return grants, policy.withdrawal, policy.taking_back, policy.part_clock, policy.revives


def _check_whose(answer: Answer, snapshot: Snapshot, desk: Desk) -> None:
    guardian = desk.identity.pseudonym(answer.guardian) if answer.guardian else ""
    if (snapshot.subject, snapshot.guardian) != (desk.identity.pseudonym(answer.subject), guardian):
        raise Rejected(
            "another person", "this snapshot was served to somebody else", "serve the question to the person"
        )
    if (snapshot.purpose, snapshot.scope, snapshot.target) != (answer.purpose, answer.scope, answer.target):
        raise Rejected("another question", "this snapshot is of another question", ASK_AGAIN)


def _check_time(snapshot: Snapshot, desk: Desk, now: datetime) -> None:
    if snapshot.issued_at - desk.clock_skew > now:
        fix = "set the clocks of your machines by one source"
        raise Rejected("not yet", "this snapshot was served in the future", fix)
    if snapshot.expires_at + desk.clock_skew <= now:
        raise Rejected("expired", "this snapshot is too old", ASK_AGAIN)


def _check_shown(store: ChooseStore, answer: Answer, snapshot: Snapshot) -> None:
    if store.rendering(snapshot.rendering) is None:
        raise Rejected("unknown rendering", "the text that was shown is not on the shelf of notices", ASK_AGAIN)
    if answer.act not in snapshot.options:
        fix = "use one of " + ", ".join(f"`{option}`" for option in snapshot.options)
        raise Rejected("not offered", f"`{answer.act}` was not among the options shown", fix)


def _check_role(answer: Answer) -> None:
    if answer.role != PERSON:
        fix = "let the person choose; a refusal that the person asked for in writing is recorded as such"
        raise Rejected("role", "nobody chooses for somebody else", fix)


def _check_grant(
    store: ChooseStore, desk: Desk, answer: Answer, snapshot: Snapshot, policies: Sequence[Policy], now: datetime
) -> None:
    check_may_allow(store, answer.subject, answer.guardian, adult_age=desk.adult_age, now=now)
    if not snapshot.may_grant:
        fix = "let the person answer in a session in which they sit: a script, CI or an administrator cannot allow"
        raise Rejected("not from here", "an `allow` cannot be given on this snapshot", fix)
    quoted = next((policy for policy in policies if policy.digest == snapshot.policy), None)
    account = store.account(answer.subject)
    facts = Facts("-", acknowledged_at=None if account is None else account.acknowledged_at)
    if quoted is None or superseded(quoted, policies, snapshot.purpose, facts, now) is not None:
        raise Rejected("stale policy", "the policy has changed since this was shown", ASK_AGAIN)


def _choice(store: ChooseStore, answer: Answer, quoted: Quoted, name: str, now: datetime) -> Choice:
    shown = quoted.snapshot
    acts = acts_at(store, acts_of(store, answer.subject), answer.scope, answer.target)
    return Choice(
        id=name,
        subject=answer.subject,
        purpose=shown.purpose,
        act=answer.act,
        at=now,
        notice=shown.rendering,
        surface=shown.surface,
        recorded_by=shown.surface,
        recorded_at=now,
        scope=shown.scope,
        target=shown.target,
        locale=shown.locale,
        layout=shown.layout,
        options=shown.options,
        policy=shown.policy,
        client=shown.client,
        prior=standing_before(acts, shown.purpose),
        snapshot=quoted.digest,
        campaign=shown.campaign,
        guardian=answer.guardian,
        terms=shown.terms,
    )
