"""Conversations, plans and sweeps for the contract tests, small and alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from assent.domain.conversation import Conversation, Part
from assent.domain.decision import NO_LEAD, Decision
from assent.domain.digests import digest
from assent.domain.facts import Facts
from assent.policy.decide import decide
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.erase.redecide import redecide
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import (
    Choice,
    ConversationEntry,
    ConversationFilter,
    Hold,
    Intent,
    Page,
    Plan,
    PlanItem,
    PolicyText,
    Redecide,
    part_name,
)

POLICY_FILE = Path(__file__).parents[3] / "policies" / "anthropic" / "2025-10-08.toml"
T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = Page(limit=1000)
SALT = bytes(range(32))
_SESSIONS = threading.local()


def day(number: float) -> datetime:
    return T0 + number * DAY


@cache
def policy() -> Policy:
    return parse_policy(POLICY_FILE.read_text("utf-8"), POLICY_FILE.name)


def part(key: str, text: str = "", at: datetime | None = T0, **more: object) -> Part:
    """A part that the person typed; `text` defaults to a marker that can be found in files."""
    values = {"speaker": "user", "origin": "person", "data": "text", "turn": key, **more}
    return Part(id=key, text=text or f"marker of {key}", created_at=at, **values)


def talk(name: str, parts: Iterable[Part] = (), *, at: datetime = T0, **more: object) -> Conversation:
    """A conversation of subject `s1`, unless said otherwise, with two parts and its last turn at `at`."""
    made = tuple(parts) or (part("a", f"marker-{name}-a", at), part("b", f"marker-{name}-b", at, speaker="assistant"))
    values = {"source": "test", "subject": "s1", "title": f"title of {name}", "created_at": at, "last_turn_at": at}
    return Conversation(id=f"test:{name}", parts=made, **{**values, **more})


def choice(name: str, act: str = "allow", at: datetime = T0, **more: object) -> Choice:
    values = {"subject": "s1", "purpose": "training", "notice": digest("notice"), "surface": "web"}
    values |= {"recorded_by": "web", "recorded_at": at}
    return Choice(id=name, act=act, at=at, **{**values, **more})


def hold(name: str, target: str | None = "s1", start: datetime = T0, **more: object) -> Hold:
    scope = "everyone" if target is None else "conversation" if target.startswith("test:") else "person"
    values = {"matter": "m1", "author": "counsel", "reason": "dispute", "review_at": start + 90 * DAY}
    return Hold(id=name, scope=scope, target=target, start=start, **{**values, **more})


def redecide_at(at: datetime) -> Callable[[Facts], Decision]:
    def decided(facts: Facts) -> Decision:
        return decide(facts, policy(), at)

    return decided


def by_sets(at: datetime) -> Redecide:
    """The set evaluator, checked by the reference, as sweeps ask it; each thread has a session of its own."""
    if not hasattr(_SESSIONS, "columns"):
        _SESSIONS.columns = Columns(threads=1)
    return redecide(_SESSIONS.columns, [policy()], at, NO_LEAD)


def erase(store: Store, sweep: int, keys: Sequence[int], at: datetime, *, decide: Redecide | None = None) -> Intent:
    return store.intend(sweep, decide or by_sets(at), keys, at=at, salt=SALT)


def everything(store: Store) -> Iterable[ConversationEntry]:
    page = Page(limit=100)
    while True:
        listing = store.conversations(ConversationFilter(), page)
        yield from listing.items
        if listing.after is None:
            return
        page = Page(limit=100, after=listing.after)


def keys_of(store: Store, *conversations: str) -> dict[str, int]:
    """The keys of all parts of these conversations, by the names that facts use."""
    found = {}
    for name in conversations:
        stored = store.conversation(name)
        if stored is not None:
            found |= {part_name(name, one.id): one.key for one in stored.parts}
    return found


def plan_for(store: Store, at: datetime, keys: Sequence[int] | None = None, label: str = "plan") -> Plan:
    """Save a plan of everything that is due at `at`, or of the parts that are named."""
    text = POLICY_FILE.read_text("utf-8")
    store.add_policy(PolicyText(policy().digest, policy().name, text, T0))
    decided_at = redecide_at(at)
    items = []
    for entry in everything(store):
        decided = {facts.part: decided_at(facts) for facts in store.facts_of(entry.id)}
        for name, key in keys_of(store, entry.id).items():
            decision = decided[name]
            if key in keys if keys is not None else decision.due():
                items.append(PlanItem(key, decision.erase_by or at, "base", digest(name)))
    items.sort(key=lambda item: item.part)
    made = Plan(
        digest([label, at.isoformat(), [i.part for i in items]]), (policy().digest,), at, {"due": len(items)}, at
    )
    store.save_plan(made, items)
    return made


def sweep_all(store: Store, at: datetime, *, batch: int = 3) -> int:
    """Plan and sweep everything that is due; returns the number of the sweep."""
    plan = plan_for(store, at, label=f"sweep at {at}")
    run = store.begin_sweep(plan.digest, at)
    while items := store.plan_items(plan.digest, run.after, batch):
        erase(store, run.id, [item.part for item in items], at)
        run = store.sweep(run.id)
    store.finish_sweep(run.id, at)
    return run.id
