"""The contract of choices, flags and holds: append-only acts, one flag a conversation, holds that cover."""

from dataclasses import replace

import pytest
from tests.conformance.store.samples import ALL, T0, choice, day, hold, talk

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.facts import ChoiceAct, HoldSpan
from assent.store.port import Store
from assent.store.records import Flag, Page


@pytest.fixture
def kept(store: Store) -> Store:
    talks = [talk("one"), talk("two"), talk("other", subject="s2"), talk("nobody", subject=None)]
    store.intake(talks, plan="free", recorded_at=T0)
    return store


def flag(name: str, at: float = 0, conversation: str = "test:one", **more: object) -> Flag:
    values = {"category": "abuse", "by": "detector 3", "reason": "score above threshold", **more}
    return Flag(name, conversation, day(at), **values)


def test_acts_are_read_by_time_and_a_refusal_wins_a_tie(kept: Store) -> None:
    made = [
        choice("c4", "withdraw", day(3)),
        choice("c1", "decline", T0),
        choice("c0", "allow", T0),
        choice("c2", "defer", day(1)),
        choice("x", "allow", T0, subject="s2"),
    ]
    for one in made:
        kept.add_choice(one)
    assert [one.id for one in kept.choices("s1")] == ["c0", "c1", "c2", "c4"]
    assert list(kept.choices("s2")) == [made[-1]]
    assert list(kept.choices("nobody")) == []
    expected = tuple(
        ChoiceAct("training", act, at)
        for act, at in (("allow", T0), ("decline", T0), ("defer", day(1)), ("withdraw", day(3)))
    )
    assert {facts.choices for facts in kept.facts_of("test:one")} == {expected}
    assert {facts.choices for facts in kept.facts_of("test:nobody")} == {()}


def test_a_choice_is_recorded_once_and_never_changes(kept: Store) -> None:
    kept.add_choice(choice("c1", "decline"))
    kept.add_choice(choice("c1", "decline"))
    with pytest.raises(Refused, match="choice `c1` is recorded with another meaning"):
        kept.add_choice(choice("c1", "allow"))
    assert [one.act for one in kept.choices("s1")] == ["decline"]
    assert kept.counts().choices == 1


def test_an_act_that_is_no_act_is_not_stored(kept: Store) -> None:
    with pytest.raises(Exception, match=r"CHECK|check"):
        kept.add_choice(choice("c1", "dismiss"))
    assert kept.counts().choices == 0


def flagged(store: Store, name: str = "test:one") -> tuple[object, ...]:
    (found,) = {(f.flagged_at, f.flag_reversed_at, f.reviewed_at) for f in store.facts_of(name)}
    return found


def test_facts_carry_the_newest_flag_that_stands(kept: Store) -> None:
    kept.add_flag(flag("f1", 1))
    kept.add_flag(flag("f3", 3))
    kept.add_flag(flag("f2", 2))
    assert flagged(kept) == (day(3), None, None)
    kept.reverse_flag("f3", day(4))
    kept.reverse_flag("f3", day(9))
    assert flagged(kept) == (day(2), None, None)
    kept.review_flag("f2", day(6))
    kept.review_flag("f2", day(5))
    assert flagged(kept) == (day(2), None, day(6))
    kept.reverse_flag("f2", day(7))
    kept.reverse_flag("f1", day(5))
    assert flagged(kept) == (day(3), day(4), day(6))
    assert flagged(kept, "test:two") == (None, None, None)


def test_flags_are_listed_newest_first(kept: Store) -> None:
    made = [flag("f1", 1), flag("f2", 2, "test:two"), flag("f3", 3)]
    for one in made:
        kept.add_flag(one)
        kept.add_flag(one)
    first = kept.flags(Page(limit=2))
    assert (first.total, first.items) == (3, (made[2], made[1]))
    last = kept.flags(Page(limit=2, after=first.after))
    assert (last.items, last.after) == ((made[0],), None)
    assert kept.flags(ALL, "test:two").items == (made[1],)
    assert kept.flags(ALL, "test:nothing").total == 0


def test_a_flag_needs_its_conversation_and_keeps_its_meaning(kept: Store) -> None:
    with pytest.raises(NotFound, match="`test:nothing`"):
        kept.add_flag(flag("f1", conversation="test:nothing"))
    kept.add_flag(flag("f1"))
    with pytest.raises(Refused, match="flag `f1`"):
        kept.add_flag(flag("f1", category="other"))
    for act in (kept.reverse_flag, kept.review_flag):
        with pytest.raises(NotFound, match="`nothing`"):
            act("nothing", T0)


def held(store: Store, name: str) -> set[tuple[HoldSpan, ...]]:
    return {facts.holds for facts in store.facts_of(f"test:{name}")}


def test_a_hold_covers_what_its_scope_says(kept: Store) -> None:
    kept.place_hold(hold("h1", "s1", day(1)))
    kept.place_hold(hold("h2", "test:two", day(0)))
    person, conversation = HoldSpan(day(1)), HoldSpan(day(0))
    assert held(kept, "one") == {(person,)}
    assert held(kept, "two") == {(conversation, person)}
    assert held(kept, "other") == held(kept, "nobody") == {()}
    kept.place_hold(hold("h3", None, day(2)))
    assert held(kept, "nobody") == {(HoldSpan(day(2)),)}
    kept.release_hold("h3", at=day(5), by="judge")
    kept.release_hold("h3", at=day(9), by="somebody else")
    assert held(kept, "other") == {(HoldSpan(day(2), day(5)),)}
    found = kept.hold("h3")
    assert found is not None
    assert (found.released_at, found.released_by) == (day(5), "judge")
    assert [one.id for one in kept.holds()] == ["h2", "h1", "h3"]
    assert kept.counts().holds_standing == 2


def test_a_hold_is_placed_once_and_released_after_its_start(kept: Store) -> None:
    made = hold("h1", "s1", day(1))
    kept.place_hold(made)
    with pytest.raises(Refused, match="hold `h1`"):
        kept.place_hold(replace(made, matter="m2"))
    with pytest.raises(Invalid, match="hold `h1`"):
        kept.release_hold("h1", at=day(0), by="judge")
    with pytest.raises(NotFound, match="hold `h9`"):
        kept.release_hold("h9", at=day(0), by="judge")
    kept.release_hold("h1", at=day(2), by="judge")
    kept.place_hold(made)
    assert kept.hold("h1") == replace(made, released_at=day(2), released_by="judge")
    assert kept.hold("h9") is None


def test_a_hold_that_covers_nobody_cannot_be_made() -> None:
    for scope, target in (("person", None), ("conversation", None), ("everyone", "s1")):
        with pytest.raises(Invalid, match="does not fit its target"):
            replace(hold("h1"), scope=scope, target=target)
