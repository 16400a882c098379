"""The contract of scopes and links: facts of single parts and columns tell one story, and erasure widens nothing."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from tests.conformance.store.samples import (
    T0,
    choice,
    day,
    everything,
    keys_of,
    part,
    policy,
    sweep_all,
    talk,
)

from assent.domain.choices import project_target
from assent.domain.facts import ACTS, ChoiceAct
from assent.policy.compile import compile_policy
from assent.policy.decide import decide
from assent.policy.rows import decision_from_row
from assent.store.answers import answers
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import Account, DeviceLink, Flag

NOW = day(40)
PROJECTS = ("", "harbour", "museum")


def acts(store: Store, name: str) -> list[tuple[str, float]]:
    (found,) = {facts.choices for facts in store.facts_of(f"test:{name}")}
    return [(one.act, (one.at - T0) / timedelta(days=1)) for one in found]


def lock(name: str, at: float, act: str = "decline", **more: object) -> None:
    return choice(f"{act} {name} {at}", act, day(at), scope="conversation", target=f"test:{name}", **more)


def about_project(project: str, at: float, act: str = "decline", **more: object) -> None:
    return choice(f"{act} {project} {at}", act, day(at), scope="project", target=project_target(project), **more)


@pytest.fixture
def kept(store: Store) -> Store:
    store.put_accounts([Account("s1", "pro", "DE", 30), Account("phone", "pro", "DE", 30)])
    talks = [talk("plain"), talk("locked"), talk("boats", project="harbour"), talk("art", project="museum")]
    store.intake([*talks, talk("before", subject="phone")], plan="pro", recorded_at=T0)
    store.add_choice(choice("all", "allow", day(1)))
    return store


def test_a_lock_keeps_one_conversation_out_whatever_is_allowed_more_widely(kept: Store) -> None:
    kept.add_choice(lock("locked", 2))
    kept.add_choice(choice("again", "allow", day(3)))
    assert acts(kept, "locked") == [("allow", 1), ("decline", 2)]
    assert acts(kept, "plain") == acts(kept, "boats") == [("allow", 1), ("allow", 3)]
    kept.add_choice(lock("locked", 4, "allow"))
    assert acts(kept, "locked") == [("allow", 1), ("decline", 2), ("allow", 4)]


def test_a_project_is_refused_or_allowed_alone(kept: Store) -> None:
    kept.add_choice(about_project("harbour", 2, "withdraw"))
    assert [acts(kept, name)[-1][0] for name in ("boats", "art", "plain")] == ["withdraw", "allow", "allow"]
    kept.add_choice(choice("no more", "decline", day(3)))
    kept.add_choice(about_project("museum", 4, "allow"))
    assert [acts(kept, name)[-1][0] for name in ("boats", "art", "plain")] == ["decline", "allow", "decline"]


def test_the_acts_that_count_for_a_conversation_can_be_named(kept: Store) -> None:
    kept.add_choice(lock("locked", 2))
    kept.add_choice(choice("again", "allow", day(3)))
    assert [one.id for one in kept.choices_for("test:locked")] == ["all", "decline locked 2"]
    assert [one.id for one in kept.choices_for("test:plain")] == ["all", "again"]
    assert kept.choices_for("test:nothing") == []
    assert kept.choice("again").at == day(3)
    assert kept.choice("nothing") is None


def test_a_linked_device_is_reached_by_refusals_only(kept: Store) -> None:
    kept.add_choice(choice("on the phone", "allow", day(1), subject="phone"))
    kept.add_choice(choice("earlier", "decline", T0))
    assert acts(kept, "before") == [("allow", 1)]
    kept.link_device(DeviceLink("phone", "s1", day(2)))
    assert acts(kept, "before") == [("decline", 0), ("allow", 1)]
    kept.add_choice(choice("later", "withdraw", day(5)))
    kept.add_choice(choice("and back", "allow", day(6)))
    assert acts(kept, "before") == [("decline", 0), ("allow", 1), ("withdraw", 5)]
    assert acts(kept, "plain")[-1] == ("allow", 6)
    assert [one.id for one in kept.choices_for("test:before")] == ["earlier", "on the phone", "later"]


def test_a_lock_set_on_the_account_reaches_a_conversation_of_its_device(kept: Store) -> None:
    kept.add_choice(choice("on the phone", "allow", day(1), subject="phone"))
    kept.add_choice(lock("before", 3))
    assert acts(kept, "before") == [("allow", 1)]
    kept.link_device(DeviceLink("phone", "s1", day(2)))
    assert acts(kept, "before") == [("allow", 1), ("decline", 3)]


def test_a_project_that_was_refused_stays_refused_when_its_name_is_erased(store: Store) -> None:
    store.put_accounts([Account("s1", "pro", "DE", 30)])
    long_ago = day(-1000)
    made = [part("words", at=long_ago), part("score", at=long_ago, data="score")]
    clocks = {"last_turn_at": long_ago, "created_at": long_ago}
    talks = [talk("boats", made, project="harbour", **clocks), talk("chat", made, **clocks)]
    store.intake(talks, plan="pro", recorded_at=long_ago)
    for one in talks:
        # a score outlives the words it is about
        store.add_flag(Flag(one.id, one.id, long_ago, "abuse", "detector", "above the threshold"))
    for one in (choice("all", "allow", day(-80)), about_project("harbour", -70), about_project("museum", -69, "allow")):
        store.add_choice(one)
    before = store.facts_of("test:boats")[0].choices
    assert [one.act for one in before] == ["allow", "decline"]
    assert [one.act for one in store.facts_of("test:chat")[0].choices] == ["allow"]
    sweep_all(store, NOW)
    (left,) = store.facts_of("test:boats")
    assert (store.conversation("test:boats").entry.project, left.data) == ("", "score")
    assert left.choices == before
    # nothing tells it from one whose project was erased, so it is read the protective way
    assert [one.act for one in store.facts_of("test:chat")[0].choices] == ["allow", "decline"]
    both_ways(store)


def both_ways(store: Store, seed: int = 0) -> Counter[str]:
    """Decide every part from its facts and from columns, and count the answers."""
    columns, seen = Columns(threads=1), Counter()
    for instant in (NOW, day(20)):
        query = compile_policy(policy(), instant)
        with columns.loaded(
            store.fact_batches(at=instant, batch_rows=7), store.act_batches(), store.hold_batches(), instant
        ):
            rows = {row["part"]: row for row in columns.table(f"SELECT * FROM ({query.sql})").to_pylist()}
        for entry in everything(store):
            keys = keys_of(store, entry.id)
            for facts in store.facts_of(entry.id):
                decision = decide(facts, policy(), instant)
                row = {**rows.pop(str(keys[facts.part])), "part": facts.part}
                found = decision_from_row(query, row, instant)
                assert (found.eligible, found.erase_by, found.gap) == (
                    decision.eligible,
                    decision.erase_by,
                    decision.gap,
                ), (seed, facts)
                seen["eligible" if "training" in decision.eligible else "not"] += 1
        assert rows == {}
    return seen


@pytest.mark.parametrize("seed", range(8))
def test_facts_and_columns_decide_alike_whatever_people_chose_where(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    people = [f"p{n}" for n in range(9)]
    store.put_accounts(Account(name, "pro", "DE", 30) for name in people)
    talks = []
    for n in range(45):
        data = draw.choice(("text", "text", "text", "feedback"))
        made = [part("x", at=day(draw.uniform(0, 35)), data=data), part("y", at=day(draw.uniform(0, 35)), data=data)]
        values = {"subject": draw.choice((None, *people)), "project": draw.choice(PROJECTS)}
        talks.append(talk(f"c{n}", made, last_turn_at=day(draw.uniform(0, 35)), **values))
    store.intake(talks, plan="pro", recorded_at=T0)
    names, told = draw.sample(people, 9), {}
    for device, account in (names[:2], names[2:4], (names[4], names[3])):
        store.link_device(DeviceLink(device, account, day(5)))
    for n in range(80):
        about = draw.choice(("everything", "everything", "project", "conversation"))
        target = {
            "everything": None,
            "project": project_target(draw.choice(("harbour", "museum", "elsewhere"))),
            "conversation": draw.choice(talks).id,
        }[about]
        act = draw.choice((*ACTS, "allow", "allow", "allow"))
        when = day(draw.choice((draw.uniform(0, 39), draw.randrange(39))))
        one = choice(f"n{n}", act, when, subject=draw.choice(people[:7]), scope=about, target=target)
        told.setdefault(one.subject, []).append(one)
        store.add_choice(one)
    seen = both_ways(store, seed)
    assert seen["eligible"] > 5 < seen["not"]
    names = [entry.id for entry in everything(store)]
    assert store.facts_of_several([*names, "test:nothing"]) == {name: store.facts_of(name) for name in names}
    for entry in everything(store):
        named = [ChoiceAct(one.purpose, one.act, one.at) for one in store.choices_for(entry.id)]
        assert {facts.choices for facts in store.facts_of(entry.id)} == {tuple(named)}


def test_people_are_counted_once_however_many_projects_they_decided_about(kept: Store) -> None:
    for one in (lock("locked", 2), about_project("harbour", 2), about_project("museum", 3, "decline")):
        kept.add_choice(one)
    with answers(kept, Columns(threads=1), [policy()], day(10)) as found:
        (tally,) = [tally for tally in found.standing() if tally.label == "kept with an end"]
        assert (tally.conversations, tally.people) == (5, 2)


def test_what_names_a_project_is_not_its_name(kept: Store) -> None:
    kept.add_choice(about_project("harbour", 2))
    (made,) = [one for one in kept.choices("s1") if one.scope == "project"]
    assert made.target == project_target("harbour")
    assert "harbour" not in made.target
