"""The people, talks and calendar of the demo: nothing of what it is meant to show is missing."""

import random
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from assent.domain.errors import Invalid
from assent.domain.facts import ACTS, facts_from_record
from assent.services.demo import thinking
from assent.services.demo.calendar import HOLD_FROM, OPENS, SPOKEN
from assent.services.demo.lantern import Lantern, account_records, event_records, generate, until
from assent.services.demo.people import ANSWERS, APPS, CONSUMER, FEWEST_PEOPLE, LANGUAGES, PLANS
from assent.services.demo.talk import ANNOUNCED, BEGIN, DEADLINE, END
from assent.services.demo.turns import KINDS

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def lantern() -> Lantern:
    return generate(random.Random(1))


def test_two_hundred_people_hold_about_two_thousand_talks(lantern: Lantern) -> None:
    assert len(lantern.people) == len({person.id for person in lantern.people}) == 200
    assert 1_500 <= len(lantern.talks) <= 2_500
    assert {talk.subject for talk in lantern.talks} == {person.id for person in lantern.people}


def test_the_same_seed_draws_the_same_lantern(lantern: Lantern) -> None:
    assert generate(random.Random(1)) == lantern
    assert generate(random.Random(2)) != lantern


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("people", [FEWEST_PEOPLE, 200])
def test_everything_worth_showing_is_there(seed: int, people: int) -> None:
    lantern = generate(random.Random(seed), people)
    assert {person.plan for person in lantern.people} == set(PLANS)
    assert {person.answer for person in lantern.people} == set(ANSWERS)
    assert {person.language for person in lantern.people} == set(LANGUAGES)
    assert {talk.app for talk in lantern.talks} == set(APPS)
    assert {kind for talk in lantern.talks for kind in talk.kinds} == set(KINDS)
    assert all(getattr(lantern.calendar, field.name) for field in fields(lantern.calendar))


def test_too_few_people_are_refused() -> None:
    with pytest.raises(Invalid, match="`59` people are too few"):
        generate(random.Random(1), 59)


def test_some_ages_are_below_18_and_some_unknown(lantern: Lantern) -> None:
    minors = [person for person in lantern.people if person.age is not None and person.age < 18]
    assert 2 <= len(minors) <= 6
    assert {person.plan for person in minors} == {"free"}
    unknown = [person for person in lantern.people if person.age is None]
    assert 3 <= len(unknown) <= 8
    assert not any(person.asked for person in (*minors, *unknown))


def test_ids_are_unique_within_lantern(lantern: Lantern) -> None:
    turns = [turn.id for talk in lantern.talks for turn in talk.turns]
    assert len(set(turns)) == len(turns)
    assert len({talk.conversation for talk in lantern.talks}) == len(lantern.talks)


def test_turns_follow_each_other_in_time_and_lead_back_to_the_first(lantern: Lantern) -> None:
    for talk in lantern.talks:
        main = talk.main
        assert main[0].at >= BEGIN
        assert main[-1].at < END
        assert all(earlier.at < later.at for earlier, later in pairwise(main))
        known = {""}
        for turn in main:
            assert turn.parent in known
            known.add(turn.id)
        assert main[-1].by == "model"


def test_an_edit_leaves_a_branch_behind(lantern: Lantern) -> None:
    for talk in lantern.talks:
        assert bool(talk.abandoned) == ("abandoned edit" in talk.kinds)


def test_resumed_talks_begin_before_the_campaign_and_go_on_after_it(lantern: Lantern) -> None:
    resumed = [talk for talk in lantern.talks if "resumed" in talk.kinds]
    assert len(resumed) > 100
    for talk in resumed:
        assert talk.turns[0].at < ANNOUNCED
    assert sum(talk.turns[-1].at > DEADLINE for talk in resumed) > len(resumed) * 0.9


# way of answering, acts in order
PATTERNS = {
    "allow early": ["allow"],
    "allow late": ["allow"],
    "decline": ["decline"],
    "defer then allow": ["defer", "allow"],
    "defer and never answer": ["defer"],
    "never answer": [],
    "allow then withdraw": ["allow", "withdraw"],
    "allow, withdraw, allow again": ["allow", "withdraw", "allow"],
    "not asked": [],
}


@pytest.mark.parametrize("seed", SEEDS)
def test_people_answer_as_they_were_drawn(seed: int) -> None:
    lantern = generate(random.Random(seed))
    shown = lantern.calendar.first_shown
    for person in lantern.people:
        acts = [act for act in lantern.calendar.acts if act.subject == person.id]
        order = [act.did for at, act in enumerate(acts) if act.did != "defer" or at == 0 or acts[at - 1].did != "defer"]
        assert order == PATTERNS[person.answer]
        assert (person.id in shown) == person.asked == (person.answer != "not asked")
        assert not person.asked or person.plan in CONSUMER
        if person.answer in ("allow late", "defer then allow"):
            assert datetime(2025, 10, 1, tzinfo=UTC) <= acts[-1].at < DEADLINE
    assert all(OPENS <= at < DEADLINE for at in shown.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_shown_the_question_more_often_than_the_campaign_allows(seed: int) -> None:
    calendar = generate(random.Random(seed)).calendar
    for subject in calendar.first_shown:
        asked = [one for one in calendar.showings if one.subject == subject and one.place == "campaign"]
        assert len(asked) <= 4
        assert all(later.shown_at - earlier.at > timedelta(days=1) for earlier, later in pairwise(asked))
        assert all(one.at < DEADLINE for one in asked)
    assert {one.did for one in calendar.showings} == {*ACTS, "closed", "timed out"}
    assert {one.locale for one in calendar.showings} == set(SPOKEN)
    assert all(one.client.startswith("simulated ") for one in calendar.showings)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_calendar_fits_the_talks(seed: int) -> None:
    lantern = generate(random.Random(seed))
    calendar = lantern.calendar
    talks = {talk.conversation: talk for talk in lantern.talks}
    happened = [(event.conversation, event.subject, event.at) for event in calendar.deletions]
    happened += [(event.conversation, event.subject, event.at) for event in calendar.flags]
    happened += [(event.conversation, event.subject, event.at) for event in calendar.feedback]
    for conversation, subject, at in happened:
        assert talks[conversation].subject == subject
        assert talks[conversation].turns[0].at < at < END
    for deletion in calendar.deletions:
        assert talks[deletion.conversation].turns[-1].at < deletion.at
    for closure in calendar.closures:
        assert max(talk.turns[-1].at for talk in lantern.talks if talk.subject == closure.subject) < closure.at < END
    assert len(calendar.flags) == 6
    (reversed_flag,) = [flag for flag in calendar.flags if flag.reversed_at]
    assert "flagged" not in talks[reversed_flag.conversation].kinds
    assert reversed_flag.reversed_at is not None
    assert reversed_flag.at < reversed_flag.reversed_at < END
    assert not any(talks[flag.conversation].private for flag in calendar.flags)


def test_the_held_person_deletes_something_while_the_hold_stands(lantern: Lantern) -> None:
    (hold,) = lantern.calendar.holds
    assert hold.at == HOLD_FROM == datetime(2025, 10, 20, 9, tzinfo=UTC)
    assert any(event.subject == hold.subject and event.at > hold.at for event in lantern.calendar.deletions)


def test_accounts_are_facts(lantern: Lantern) -> None:
    records = account_records(lantern)
    facts = [facts_from_record({"part": "any", **record}) for record in records]
    assert len({fact.subject for fact in facts}) == 200
    assert sum(fact.account_closed_at is not None for fact in facts) == 3
    assert [fact.plan for fact in facts if fact.moved_to_business_at] == ["pro"]


def test_events_are_in_order_and_of_known_kinds(lantern: Lantern) -> None:
    records = event_records(lantern)
    counts = Counter(record["event"] for record in records)
    assert set(counts) == {"question", "deletion", "closure", "move", "flag", "flag reversed", "hold", "feedback"}
    assert (counts["flag"], counts["flag reversed"], counts["hold"], counts["move"]) == (6, 1, 1, 1)
    assert [record["at"] for record in records] == sorted(str(record["at"]) for record in records)


def test_until_shows_nothing_of_the_future(lantern: Lantern) -> None:
    at = datetime(2025, 9, 15, tzinfo=UTC)
    then = until(lantern, at)
    assert 0 < len(then.talks) < len(lantern.talks)
    assert all(turn.at <= at for talk in then.talks for turn in talk.turns)
    assert all(event.at <= at for field in fields(then.calendar) for event in getattr(then.calendar, field.name))
    assert then.calendar.acts
    assert until(lantern, END) == lantern


def test_an_appeal_is_unknown_before_it_is_decided(lantern: Lantern) -> None:
    (flag,) = [flag for flag in lantern.calendar.flags if flag.reversed_at]
    assert flag.reversed_at is not None
    before = until(lantern, flag.reversed_at - timedelta(seconds=1)).calendar.flags
    assert not any(known.reversed_at for known in before)
    assert any(known.conversation == flag.conversation for known in before)


def test_remainder_puzzles_are_right() -> None:
    for seed in range(200):
        _title, question, _steps, answer = thinking._remainders(random.Random(seed))
        numbers = [int(word) for word in question.rstrip("?").split() if word.isdigit()]
        first, p, second, q = numbers
        assert int(answer) == next(n for n in range(1, p * q) if n % p == first and n % q == second)


def test_jugs_end_with_the_wanted_litres() -> None:
    for seed in range(100):
        _title, question, steps, _answer = thinking._jugs(random.Random(seed))
        wanted = question.split("measure ")[1].split()[0]
        *before, last = [step.split(": ")[1].removesuffix(" litres.").split(" and ") for step in steps]
        assert wanted in last
        assert not any(wanted in litres for litres in before)
