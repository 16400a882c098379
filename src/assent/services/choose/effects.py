"""What an act ends, what it revives, and what it does not reach: the answer to a person who takes something back.

The act is weighed as the evaluators weigh it: every conversation is decided with the act
and without it. So the answer is the same before the act is recorded and afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from assent.domain.choices import REFUSALS, TITLED, Place, acts_on, covers, project_target, reachable
from assent.domain.facts import ChoiceAct
from assent.policy.versions import decide_versions, governing
from assent.services.choose.standing import StandingStore, policy_today
from assent.services.run.reach import reached
from assent.store.port import Conversations, Cuts, Runs
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from assent.domain.facts import Facts
    from assent.policy.model import Policy, TakingBack
    from assent.services.run.reach import Reached
    from assent.store.records import Choice, ConversationEntry, Cut

LOOKED_AT: Final = 500
"""How many conversations are decided for one answer, newest first; how many there are is always said."""

_AT_ONCE: Final = 100


class EffectsStore(StandingStore, Conversations, Cuts, Runs, Protocol):
    """What an answer on effects asks of a store."""


@dataclass(slots=True)
class Effects:
    """What an act does to a person's data.

    `ends` and `begins` are the uses that end or begin for what is said from now on, in the
    policy's own sentences. Of the `conversations` that the act is about, `looked_at` were decided:
    in `stopped` a use ends, in `revived` one begins for what was said before. In `moved` the
    bytes are now due at another time, the first `earliest`, the last `latest` (None: no date).
    `cuts` hold parts of the person and are not reached, nor are `runs` that had started with such
    parts; `taking_back` is what the policy says of data, runs and models when a permission is taken
    back (None: none was).
    """

    ends: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    conversations: int = 0
    looked_at: int = 0
    stopped: int = 0
    revived: int = 0
    moved: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None
    cuts: list[Cut] = field(default_factory=list)
    runs: list[Reached] = field(default_factory=list)
    taking_back: TakingBack | None = None


class _Answer(NamedTuple):
    uses: frozenset[str]
    held: bool
    erase_by: datetime | None


def effects_of(
    store: EffectsStore, policies: Sequence[Policy], choice: Choice, now: datetime, *, look_at: int = LOOKED_AT
) -> Effects:
    """Work out what an act does, whether it is recorded already or only considered. `policies` are ordered by date."""
    effects = Effects()
    owners = [choice.subject, *(link.device for link in store.devices_of(choice.subject))]
    people = {owner: _People(store, owner, choice) for owner in owners}
    _weigh_future(effects, people[choice.subject], policy_today(store, policies, choice.subject, now), choice)
    names = []
    for entries in _conversations(store, owners, choice):
        if choice.scope == "everything" and effects.looked_at == look_at:
            break
        # the person reads this answer
        facts = store.shown_facts_of([entry.id for entry in entries])
        for entry in entries:
            place = _place(entry, facts.get(entry.id, ()))
            if covers(choice, place):
                names.append(entry.id)
            if covers(choice, place) and effects.looked_at < look_at:
                effects.looked_at += 1
                before, after = people[entry.subject or choice.subject].acts(place)
                if before != after:
                    decided = (_decided(facts.get(entry.id, ()), acts, policies, now) for acts in (before, after))
                    _weigh(effects, *decided)
    effects.conversations = len(names) if choice.scope != "everything" else _total(store, owners)
    if choice.act in REFUSALS:
        effects.cuts = _cuts(store, owners, names if choice.scope != "everything" else None)
        everything = choice.scope == "everything"
        effects.runs = reached(store, subjects=owners) if everything else reached(store, conversations=names)
    return effects


def in_words(effects: Effects) -> list[str]:
    """Say it in sentences: what ends and begins, when bytes end, and what is not reached."""
    lines = [f"ends now: {says}" for says in effects.ends] + [f"from now on: {says}" for says in effects.begins]
    if effects.stopped:
        lines.append(f"conversations that are not used any more: {effects.stopped:,}")
    if effects.revived:
        lines.append(f"conversations from before that are used again: {effects.revived:,}")
    if effects.moved:
        when = "no date"
        if effects.earliest is not None and effects.latest is not None:
            first, last = effects.earliest.date(), effects.latest.date()
            when = f"{first}" if first == last else f"between {first} and {last}"
        lines.append(f"conversations that are now erased at another time: {effects.moved:,} ({when})")
    if effects.looked_at < effects.conversations:
        lines.append(f"counted over the newest {effects.looked_at:,} of {effects.conversations:,} conversations")
    if effects.cuts:
        lines.append("not undone: training sets that already hold your conversations")
        lines += [f"  {cut.name} {cut.number}, made {cut.created_at.date()}" for cut in effects.cuts]
    if effects.runs:
        lines.append("not undone: training runs that had started with your conversations")
        lines += [f"  {one.run.id}, started {one.started_at.date()}" for one in effects.runs]
    if effects.taking_back is not None:
        runs = {"continue": "goes on", "stop": "is stopped"}[effects.taking_back.started_runs]
        models = {"unchanged": "stay as they are", "retrained": "are trained again"}[
            effects.taking_back.finished_models
        ]
        lines.append(f"a training run that has already started {runs}; finished models {models}")
    return lines


class _People:
    """The acts that reach one person's conversations, without an act and with it."""

    def __init__(self, store: EffectsStore, owner: str, choice: Choice) -> None:
        def reaching(known: Sequence[Choice], of_account: Sequence[Choice]) -> list[Choice]:
            return list(known) if owner == choice.subject else reachable(known, of_account)

        own, account = list(store.choices(owner)), list(store.choices(choice.subject))
        if owner == choice.subject and (link := store.device_link(owner)) is not None:
            own = reachable(own, store.choices(link.subject))
        without = [one for one in own if one.id != choice.id]
        of_account = [one for one in account if one.id != choice.id]
        self._before = reaching(without, of_account)
        self._after = reaching([*without, choice] if owner == choice.subject else without, [*of_account, choice])

    def acts(self, place: Place) -> tuple[tuple[ChoiceAct, ...], tuple[ChoiceAct, ...]]:
        """Return the acts that count for a place, as facts want them: before and after."""
        return _plain(self._before, place), _plain(self._after, place)


def _plain(acts: Sequence[Choice], place: Place) -> tuple[ChoiceAct, ...]:
    return tuple(ChoiceAct(one.purpose, one.act, one.at) for one in acts_on(acts, place))


def _weigh_future(effects: Effects, people: _People, today: Policy, choice: Choice) -> None:
    project = choice.target if choice.scope == "project" else None
    conversation = choice.target if choice.scope == "conversation" else None
    before, after = people.acts(Place(conversation, project))
    for grant in today.grants:
        for rule in grant.choices:
            if rule.purpose == choice.purpose:
                was, is_now = (_permits(acts, choice.purpose, by_default=rule.by_default) for acts in (before, after))
                if was and not is_now:
                    effects.ends += (grant.says,)
                    effects.taking_back = today.taking_back
                elif is_now and not was:
                    effects.begins += (grant.says,)


def _permits(acts: Sequence[ChoiceAct], purpose: str, *, by_default: bool) -> bool:
    decided = [one.act for one in acts if one.purpose == purpose and one.act != "defer"]
    return decided[-1] == "allow" if decided else by_default


def _conversations(
    store: Conversations, owners: Sequence[str], choice: Choice
) -> Iterator[Sequence[ConversationEntry]]:
    """Read what an act may be about, some at a time, newest first; one conversation if it names one."""
    if choice.scope == "conversation":
        stored = store.conversation(choice.target or "")
        yield (stored.entry,) if stored is not None and stored.entry.subject in owners else ()
        return
    for owner in owners:
        page: Page | None = Page(_AT_ONCE)
        while page is not None:
            listing = store.conversations(ConversationFilter(subject=owner), page)
            yield listing.items
            page = Page(_AT_ONCE, listing.after) if listing.after else None


def _total(store: Conversations, owners: Sequence[str]) -> int:
    return sum(store.conversations(ConversationFilter(subject=owner), Page(1)).total for owner in owners)


def _place(entry: ConversationEntry, facts: Sequence[Facts]) -> Place:
    project = project_target(entry.project) if entry.project else None
    return Place(entry.id, project, not entry.project and all(fact.data not in TITLED for fact in facts))


def _decided(facts: Sequence[Facts], acts: tuple[ChoiceAct, ...], policies: Sequence[Policy], now: datetime) -> _Answer:
    decisions = []
    for fact in facts:
        known = replace(fact, choices=acts)
        decisions.append(decide_versions(known, governing(policies, known, now), now))
    ends = [decision.erase_by for decision in decisions]
    known_ends = [end for end in ends if end is not None]
    return _Answer(
        uses=frozenset(purpose for decision in decisions for purpose in decision.eligible),
        held=any(decision.held for decision in decisions),
        erase_by=max(known_ends, default=None) if len(known_ends) == len(ends) else None,
    )


def _weigh(effects: Effects, before: _Answer, after: _Answer) -> None:
    effects.stopped += bool(before.uses - after.uses)
    effects.revived += bool(after.uses - before.uses)
    if after.erase_by != before.erase_by:
        effects.moved += 1
        if after.erase_by is not None:
            effects.earliest = min(effects.earliest or after.erase_by, after.erase_by)
            effects.latest = max(effects.latest or after.erase_by, after.erase_by)


def _cuts(store: Cuts, owners: Sequence[str], conversations: Sequence[str] | None) -> list[Cut]:
    """Find the cuts that hold parts of these people, or only of these conversations."""
    found: dict[tuple[str, int], Cut] = {}
    if conversations is None:
        lists = [store.cuts_with_person(owner) for owner in owners]
    else:
        lists = [store.cuts_with(conversation) for conversation in conversations]
    for cuts in lists:
        found.update({(cut.name, cut.number): cut for cut in cuts})
    return sorted(found.values(), key=lambda cut: (cut.created_at, cut.name, cut.number))
