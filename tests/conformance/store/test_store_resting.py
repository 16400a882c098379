"""The contract of rest: what a standing choice keeps is not looked at again, and no act that ends it goes unnoticed."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from tests.conformance.store.samples import POLICY_FILE, choice, day, everything, keys_of, policy, talk

from assent.domain.choices import project_target
from assent.domain.conversation import Conversation
from assent.policy.decide import decide
from assent.policy.nominate import nominate
from assent.services.plan import make_plan, nominations
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import Account, Choice, DeviceLink

TEXTS = [(policy(), POLICY_FILE.read_text("utf-8"))]
NOW = day(100)
COLUMNS = Columns(threads=1)


def person(store: Store, *subjects: str) -> None:
    store.put_accounts(Account(subject, plan="pro", age=30, region="DE") for subject in subjects or ("s1",))


def keep(store: Store, *talks: Conversation) -> None:
    store.intake(talks, plan=None, recorded_at=day(1))


def looked_at(store: Store, at: datetime = NOW) -> set[int]:
    """Which parts the index nominates."""
    batches = store.fact_batches(nominations(store, [policy()], at), at=at)
    return {int(part) for batch in batches for part in batch.column("part").to_pylist()}


def plan(store: Store, at: datetime = NOW) -> int:
    """Make a plan, which lays to rest what a choice keeps, and say how many parts it looked at."""
    return make_plan(store, COLUMNS, TEXTS, at=at, batch_rows=50).looked_at


def keys_in(store: Store, *conversations: str) -> set[int]:
    return set(keys_of(store, *conversations).values())


def due(store: Store, at: datetime) -> set[int]:
    """Which parts are due, by the reference over everything that is kept."""
    ids = [entry.id for entry in everything(store)]
    late = {fact.part for name in ids for fact in store.facts_of(name) if decide(fact, policy(), at).due()}
    return {key for part, key in keys_of(store, *ids).items() if part in late}


@pytest.fixture
def asleep(store: Store) -> Store:
    """A store in which everything that `s1` allowed is at rest."""
    person(store)
    store.add_choice(choice("c1"))
    keep(store, *(talk(f"t{n}", at=day(2 + n), project="p" if n == 0 else "") for n in range(3)))
    assert plan(store) == 6
    assert looked_at(store) == set()
    return store


def test_what_a_choice_keeps_is_looked_at_once(asleep: Store) -> None:
    assert plan(asleep) == 0
    five_years = day(2 + 5 * 365)
    assert looked_at(asleep, five_years) == keys_in(asleep, "test:t0")


def test_what_nobody_allowed_is_looked_at_every_time(store: Store) -> None:
    person(store, "s1", "s2")
    store.add_choice(choice("late", at=day(50)))
    store.add_choice(choice("not now", act="defer", at=day(1), subject="s2"))
    keep(store, talk("before"), talk("other", subject="s2"))
    assert [plan(store), plan(store)] == [4, 4]


def by_scope(act: str, scope: str, target: str) -> Callable[[Store], None]:
    return lambda store: store.add_choice(choice("c2", act, day(60), scope=scope, target=target))


ENDING: dict[str, Callable[[Store], None]] = {
    "a withdrawal": lambda store: store.add_choice(choice("c2", "withdraw", day(60))),
    "a refusal": lambda store: store.add_choice(choice("c2", "decline", day(60))),
    "a refusal that is entered late": lambda store: store.add_choice(choice("c2", "decline", day(1.5))),
    "a refusal for a project": by_scope("decline", "project", project_target("p")),
    "a lock on a conversation": by_scope("withdraw", "conversation", "test:t0"),
}


@pytest.mark.parametrize("act", ENDING)
def test_an_act_that_may_end_it_wakes(asleep: Store, act: str) -> None:
    ENDING[act](asleep)
    assert looked_at(asleep) >= keys_in(asleep, "test:t0")
    assert plan(asleep) == 6
    assert keys_in(asleep, "test:t0") <= due(asleep, NOW)


def test_an_allowance_of_less_than_everything_wakes_too(asleep: Store) -> None:
    """From then on what counts differs from place to place, which rest does not know of."""
    by_scope("allow", "conversation", "test:t0")(asleep)
    assert len(looked_at(asleep)) == 6
    assert [plan(asleep), plan(asleep)] == [6, 6]


def test_several_acts_in_one_go_wake_too(asleep: Store) -> None:
    """As a restore brings choices back, and as many are entered at once."""
    asleep.add_choice(choice("other", "withdraw", day(60), subject="somebody"))
    assert looked_at(asleep) == set()
    asleep.add_choice(choice("c2", "withdraw", day(60)))
    asleep.add_choice(choice("c3", "withdraw", day(61)))
    assert len(looked_at(asleep)) == 6


@pytest.mark.parametrize("act", ["allow", "defer"])
def test_an_act_that_ends_nothing_lets_it_rest(asleep: Store, act: str) -> None:
    asleep.add_choice(choice("c2", act, day(60)))
    assert looked_at(asleep) == set()


def test_a_device_that_is_linked_wakes_and_what_the_account_refused_counts(asleep: Store) -> None:
    person(asleep, "account")
    asleep.add_choice(choice("no", "decline", day(61), subject="account"))
    asleep.link_device(DeviceLink("s1", "account", day(60)))
    assert len(looked_at(asleep)) == 6
    assert [plan(asleep), plan(asleep)] == [6, 6]


def test_a_plan_for_an_instant_before_the_allowance_does_not_count_it(store: Store) -> None:
    person(store)
    store.add_choice(choice("c1", at=day(50)))
    keep(store, talk("resumed", at=day(60), created_at=day(1)))
    assert [plan(store), plan(store)] == [2, 0]
    assert looked_at(store, day(49)) == looked_at_afresh(store, day(49))


def looked_at_afresh(store: Store, at: datetime) -> set[int]:
    """What the index nominates where nothing that was permitted counts."""
    without = {found.id: nominate(policy(), found.state) for found in store.retention_classes()}
    return {int(part) for batch in store.fact_batches(without, at=at) for part in batch.column("part").to_pylist()}


def test_what_is_known_of_the_person_later_counts_for_what_is_at_rest(asleep: Store) -> None:
    asleep.put_accounts([Account("s1", plan="pro", age=30, region="DE")])
    assert looked_at(asleep) == set()
    asleep.put_accounts([Account("s1", plan="pro", age=15, region="DE")])
    assert len(looked_at(asleep)) == 6


def test_a_conversation_that_comes_in_again_and_has_grown_rests_on(asleep: Store) -> None:
    grown = talk("t0", [*talk("t0", at=day(2)).parts, replace(talk("x").parts[0], id="c", created_at=day(99))],
                 at=day(2), last_turn_at=day(99), project="p")  # fmt: skip
    [outcome] = asleep.intake([grown], plan=None, recorded_at=day(99))
    assert outcome.status == "grown"
    assert looked_at(asleep) == set()


def test_who_chose_again_rests_again(asleep: Store) -> None:
    asleep.add_choice(choice("c2", "withdraw", day(60)))
    keep(asleep, talk("new", at=day(65)))
    plan(asleep)
    asleep.add_choice(choice("c3", "allow", day(64)))
    plan(asleep)
    assert looked_at(asleep) == keys_in(asleep, "test:t0", "test:t1", "test:t2")


def acts(draw: random.Random, number: int, at: datetime) -> Iterable[Choice]:
    for n in range(draw.randrange(2)):
        scope, target = draw.choice((*[("everything", None)] * 4, ("project", project_target("p")), ("conversation", f"test:t{draw.randrange(12)}")))  # noqa: E501 # fmt: skip
        act = draw.choice(("allow", "allow", "allow", "decline", "withdraw", "defer"))
        when = at if draw.random() < 0.7 else day(draw.uniform(0, 120))
        yield choice(f"{number}-{n}", act, when, subject=f"p{draw.randrange(5)}", scope=scope, target=target)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 6, 7, 8])  # in each of which something rests
def test_whatever_people_do_nothing_that_is_due_is_passed_over(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    person(store, *(f"p{n}" for n in range(4)))
    for n in range(4):
        store.add_choice(choice(f"first-{n}", at=day(-1), subject=f"p{n}"))
    spared = 0
    for step in range(14):
        at = day(8 * step)
        keep(store, *(
            talk(f"t{draw.randrange(12)}", subject=draw.choice(("p0", "p1", "p2", "p3", "p4", None)), at=at,
                 project=draw.choice(("", "p")))
            for _ in range(draw.randrange(3))
        ))  # fmt: skip
        for one in acts(draw, step, at):
            store.add_choice(one)
        if draw.random() < 0.1:
            store.link_device(DeviceLink("p4", "p0", at))
        for moment in (at, day(draw.uniform(0, 130))):
            keys = looked_at(store, moment)
            assert due(store, moment) <= keys
            spared += len(looked_at_afresh(store, moment)) - len(keys)
        if draw.random() < 0.6:
            plan(store, at)
    assert spared > 0
