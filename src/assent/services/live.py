"""Taking turns in as they happen: each counts once, and what the policy would erase at once is never written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from assent.connectors.telemetry.said import messages_of, woven
from assent.domain.choices import Place, acts_on, project_target
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import Invalid
from assent.domain.facts import ChoiceAct, Facts, choice_order
from assent.policy.versions import decide_versions, governing
from assent.services.choose.standing import StandingStore, acts_of
from assent.services.connect.take_in import set_plan
from assent.store.port import Conversations, Intake
from assent.store.records import IntakeStatus

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.telemetry.said import Said
    from assent.connectors.telemetry.turns import Turn
    from assent.domain.decision import Decision
    from assent.policy.model import Policy
    from assent.store.records import Account, Choice, StoredConversation

TOGETHER: Final = 50
"""Conversations that are read, and written, at once."""

_READ_AT_ONCE: Final = 1_000
_ACCOUNT: Final = ("region", "age", "signed_in", "role", "acknowledged_at", "moved_to_business_at", "user_duration")
_ENTRY: Final = ("deleted_at", "feedback_at", "flagged_at")
_TOLD: Final = ("veto", "gap", "cap", "none")


class LiveStore(StandingStore, Conversations, Intake, Protocol):
    """What taking turns in asks of a store."""


Status = Literal[IntakeStatus, "not kept", "unreadable"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one turn.

    `new`: it began its conversation here; `grown`: something of it is new; `unchanged`: all of it was there. `why` says
    why it was not kept, or may be used for nothing now; `purposes` are those whose cuts some of it may now enter.
    """

    conversation: str
    turn: str
    status: Status
    why: str = ""
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """What taking turns in works with: the store, the policies ordered by date, and a secret of the home's own."""

    store: LiveStore
    policies: Sequence[Policy]
    key: bytes


@dataclass(frozen=True, slots=True)
class _Person:
    account: Account | None
    acts: tuple[Choice, ...]


def take_turns(desk: LiveDesk, turns: Sequence[Turn], *, now: datetime) -> list[Taken]:
    """Take turns in; one answer each, in their order. The same turn again changes nothing.

    A turn of nobody, of a business plan, or of a conversation that is another person's is not kept, nor is anything
    that the policy would have erased by now. A plan that no policy knows leaves the plan unknown. The same words said
    twice count twice where a turn shows both, and once where each turn shows only itself.
    """
    people = {
        who: _Person(desk.store.account(who), tuple(act for act in acts_of(desk.store, who) if act.at <= now))
        for who in {turn.subject for turn in turns}
        if who is not None
    }
    answers: dict[int, Taken] = {}
    groups: dict[str | None, dict[str, list[int]]] = {}
    for number, turn in enumerate(turns):
        if why := _out_of_scope(turn, people, desk.policies, now):
            answers[number] = Taken(turn.name, turn.id, "not kept", why)
        else:
            groups.setdefault(_plan(turn, desk.policies), {}).setdefault(turn.name, []).append(number)
    for plan, conversations in groups.items():
        batch, names = _Batch(desk, people, plan, now), list(conversations)
        for start in range(0, len(names), TOGETHER):
            some = names[start : start + TOGETHER]
            answers |= batch.take({name: {number: turns[number] for number in conversations[name]} for name in some})
    return [answers[number] for number in range(len(turns))]


def _out_of_scope(turn: Turn, people: Mapping[str, _Person], policies: Sequence[Policy], now: datetime) -> str:
    if turn.subject is None or not turn.subject.strip():
        return "it does not say whose it is: nobody could be asked"
    account = people[turn.subject].account
    plans = {turn.plan, account.plan if account is not None else None}
    moved_at = account.moved_to_business_at if account is not None else None
    moved = moved_at is not None and moved_at <= (turn.ended_at or turn.started_at or now)
    if moved or any(plans & policy.business_plans for policy in policies):
        return "a business plan is out of scope"
    return ""


def _plan(turn: Turn, policies: Sequence[Policy]) -> str | None:
    return turn.plan if any(turn.plan in policy.plans for policy in policies) else None


@dataclass(slots=True)
class _Draft:
    """A conversation as it will be: what is there, and what was said besides.

    `times` are those of messages that are there without one. `turn` is the last that changed anything; None: none did.
    """

    stored: StoredConversation | None
    order: list[str] = field(default_factory=list)
    fresh: dict[str, list[Part]] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    subject: str | None = None
    project: str = ""
    private: bool = False
    last_turn_at: datetime | None = None
    turn: Turn | None = None

    @classmethod
    def of(cls, stored: StoredConversation | None) -> _Draft:
        if stored is None:
            return cls(None)
        entry, order = stored.entry, list(dict.fromkeys(part.turn for part in stored.parts))
        private = entry.mode == "private"
        return cls(stored, order, {}, {}, entry.subject, entry.project, private, entry.last_turn_at)

    def learn_times(self, said: Said) -> bool:
        """Give messages whose time was not known theirs; tell whether anything that is there changes."""
        told = {name: parts[0].created_at for name, parts in said.messages.items() if parts[0].created_at is not None}
        timeless = {part.turn for part in (self.stored.parts if self.stored else ()) if part.created_at is None}
        learned = {name: at for name, at in told.items() if name in timeless and name not in self.times}
        self.times |= learned
        for name, parts in self.fresh.items():
            if name in told and parts[0].created_at is None:
                self.fresh[name] = [replace(part, created_at=told[name]) for part in parts]
        return bool(learned)

    def take(self, turn: Turn, kept: Mapping[str, list[Part]], said: Said) -> None:
        self.order = woven(self.order, [name for name in said.messages if name in kept or name in self.order])
        self.fresh |= kept
        self.subject, self.turn = turn.subject, turn
        self.project = self.project or turn.project
        self.private = self.private or turn.mode == "private"
        self.last_turn_at = _latest(self.last_turn_at, said.spoke_at)


class _Batch:
    """Takes in turns that were written on one plan, None where it is not known."""

    def __init__(self, desk: LiveDesk, people: Mapping[str, _Person], plan: str | None, now: datetime) -> None:
        self._desk = desk
        self._people = people
        self._plan = plan
        self._now = now

    def take(self, some: Mapping[str, Mapping[int, Turn]]) -> dict[int, Taken]:
        """Take in the numbered turns of some conversations."""
        store = self._desk.store
        stored = store.conversations_of(list(some))
        drafts = {name: _Draft.of(stored.get(name)) for name in some}
        answers = {
            number: self._add(drafts[name], turn) for name, turns in some.items() for number, turn in turns.items()
        }
        changed = {name: draft for name, draft in drafts.items() if draft.turn is not None}
        if not changed:
            return answers
        self._describe(changed.values())
        texts = self._texts(changed.values())
        whole = [_conversation(name, draft, texts) for name, draft in changed.items()]
        for outcome in store.intake(whole, plan=self._plan, recorded_at=self._now):
            for number in some[outcome.conversation]:
                answers[number] = _settled(answers[number], outcome.status)
        return answers

    def _add(self, draft: _Draft, turn: Turn) -> Taken:
        if draft.subject is not None and draft.subject != turn.subject:
            return Taken(turn.name, turn.id, "not kept", "the conversation is another person's")
        try:
            said = messages_of(turn, self._desk.key)
        except Invalid as problem:
            return Taken(turn.name, turn.id, "unreadable", problem.message)
        changes = draft.learn_times(said) or _latest(draft.last_turn_at, said.spoke_at) != draft.last_turn_at
        known = set(draft.order)
        unknown = {name: parts for name, parts in said.messages.items() if name not in known}
        kept: dict[str, list[Part]] = {}
        decisions: list[Decision] = []
        for name, parts in unknown.items():
            decided = [self._decided(draft, turn, said, part) for part in parts]
            decisions += [one for one in decided if one is not None]
            if lasting := [part for part, one in zip(parts, decided, strict=True) if one is None or not one.due()]:
                kept[name] = lasting
        purposes = tuple(dict.fromkeys(purpose for one in decisions for purpose in one.eligible))
        why = "" if purposes else _why(decisions)
        if unknown and not kept:
            return Taken(turn.name, turn.id, "not kept", why or "the policy keeps nothing of it")
        if kept or (changes and known):
            draft.take(turn, kept, said)
        return Taken(turn.name, turn.id, "grown" if kept else "unchanged", why, purposes)

    def _decided(self, draft: _Draft, turn: Turn, said: Said, part: Part) -> Decision | None:
        """Decide a part before it is written; None where there is no policy. Holds keep: they never take in."""
        policies, person = self._desk.policies, self._people[turn.subject or ""]
        if not policies:
            return None
        project = draft.project or turn.project
        acts = acts_on(person.acts, Place(turn.name, project_target(project) if project else None))
        entry, account = draft.stored.entry if draft.stored else None, person.account
        facts = Facts(
            part="-",
            subject=turn.subject,
            conversation=turn.name,
            plan=self._plan or (account.plan if account is not None else None),
            surface=turn.surface,
            mode="private" if draft.private else turn.mode,
            data=part.data,
            origin=part.origin,
            created_at=part.created_at,
            last_turn_at=_latest(draft.last_turn_at, said.spoke_at),
            recorded_at=self._now,
            account_closed_at=account.closed_at if account is not None else None,
            choices=tuple(sorted((ChoiceAct(act.purpose, act.act, act.at) for act in acts), key=choice_order)),
            **{key: getattr(account, key) for key in _ACCOUNT if account is not None},
            **{key: getattr(entry, key) for key in _ENTRY if entry is not None},
        )
        return decide_versions(facts, governing(policies, facts, self._now), self._now)

    def _describe(self, drafts: Iterable[_Draft]) -> None:
        """Let a plan that was told be the account's, where none is known."""
        for who in {draft.subject for draft in drafts if draft.subject is not None and self._plan is not None}:
            account = self._people[who].account
            if account is None or account.plan is None:
                set_plan(self._desk.store, who, self._plan or "")

    def _texts(self, drafts: Iterable[_Draft]) -> dict[int, str]:
        """Read the content of what is there: the store is told a conversation as a whole."""
        keys = [part.key for draft in drafts if draft.stored is not None for part in draft.stored.parts]
        found: dict[int, str] = {}
        for start in range(0, len(keys), _READ_AT_ONCE):
            found |= self._desk.store.content_of(keys[start : start + _READ_AT_ONCE])
        return found


def _conversation(name: str, draft: _Draft, texts: Mapping[int, str]) -> Conversation:
    assert draft.turn is not None  # noqa: S101 - only what changed is written
    parts: dict[str, list[Part]] = {name: list(some) for name, some in draft.fresh.items()}
    for one in draft.stored.parts if draft.stored is not None else ():
        if one.key in texts:  # what was erased meanwhile is not there any more
            time = one.created_at or draft.times.get(one.turn)
            whole = (one.id, one.turn, one.speaker, one.origin, one.data, texts[one.key], time, one.name, one.marks)
            parts.setdefault(one.turn, []).append(Part(*whole))
    entry = draft.stored.entry if draft.stored is not None else None
    return Conversation(
        id=name,
        source=draft.turn.format,
        parts=tuple(part for turn in draft.order for part in parts.get(turn, ())),
        subject=draft.subject,
        title=entry.title if entry is not None else "",
        surface=entry.surface if entry is not None else draft.turn.surface,
        mode="private" if draft.private else "normal",
        created_at=(entry.created_at if entry is not None else None) or draft.turn.started_at,
        last_turn_at=draft.last_turn_at,
        project=draft.project,
    )


def _settled(told: Taken, status: IntakeStatus) -> Taken:
    """Say what the store made of a conversation, for each turn of it that would have changed something."""
    if told.status != "grown" or status == "grown":
        return told
    return replace(told, status=status, purposes=told.purposes if status != "erased before" else ())


def _why(decisions: Iterable[Decision]) -> str:
    """Say what stands in the way, or else under which rule it is kept, in the sentences of the policy."""
    reasons = [one for decision in decisions for one in decision.reasons]
    told = [one for one in reasons if one.kind in _TOLD] or reasons
    return "; ".join(dict.fromkeys(one.text for one in told))


def _latest(*instants: datetime | None) -> datetime | None:
    return max((one for one in instants if one is not None), default=None)
