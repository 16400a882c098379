"""What a funnel counts and when it raises an alarm; it never says which layout is best."""

import random
from collections import Counter
from dataclasses import fields, replace
from xml.etree import ElementTree as ET

import pytest
from tests.unit.services.campaign_world import DAY, DEADLINE, act, campaign, day, live, person, prompt, shelf

from assent.interfaces.charts.funnel import steps_of, svg
from assent.services.campaign.funnel import ARMS, Figures, Funnel, alarms, funnel
from assent.services.campaign.intervals import share
from assent.services.campaign.offer import person_of
from assent.store.sqlite import SqliteStore


def figures(arm: str, allowed: int, declined: int) -> Figures:
    answers = allowed + declined
    return Figures(arm, answers, 0, 0, allowed, declined, 0, share(allowed, answers), None, None)


def raised(*arms: Figures, threshold: int = 10, answers: int = 30) -> list[tuple[str, str]]:
    watched = replace(campaign(), alarm_threshold=threshold, alarm_answers=answers)
    found = alarms(watched, {"layout": list(arms), "client": []})
    return [(alarm.one, alarm.other) for alarm in found]


def test_a_layout_that_leans_raises_the_alarm_and_one_that_does_not_is_quiet() -> None:
    # Newcombe's example: 56 of 70 against 48 of 80 is 0.0524 to 0.3339 apart
    assert raised(figures("a", 56, 14), figures("b", 48, 32)) == [("a", "b")]
    assert raised(figures("a", 50, 30), figures("b", 48, 32)) == []


def test_too_few_answers_say_nothing() -> None:
    assert raised(figures("a", 29, 0), figures("b", 0, 29)) == []
    assert raised(figures("a", 30, 0), figures("b", 0, 30)) == [("a", "b")]
    assert raised(figures("a", 56, 14), figures("b", 48, 32), answers=71) == []


def test_a_difference_below_the_threshold_is_quiet_however_sure_it_is() -> None:
    close = figures("a", 50_900, 49_100), figures("b", 50_000, 50_000)
    assert raised(*close, threshold=1) == []
    assert raised(figures("a", 51_000, 49_000), figures("b", 50_000, 50_000), threshold=1) == [("a", "b")]


def test_a_difference_that_chance_explains_is_quiet_however_wide_it_is() -> None:
    assert raised(figures("a", 18, 12), figures("b", 13, 17)) == []


def test_with_more_arms_each_pair_has_to_be_surer() -> None:
    two = figures("a", 50, 30), figures("b", 36, 44)
    assert raised(*two) == [("a", "b")]
    others = [figures(f"c{n}", 43, 37) for n in range(4)]
    assert raised(*two, *others) == []


def test_all_pairs_are_compared_and_clients_like_layouts() -> None:
    lean = [figures("a", 90, 10), figures("b", 10, 90), figures("c", 88, 12)]
    assert raised(*lean) == [("a", "b"), ("b", "c")]
    watched = replace(campaign(), alarm_answers=30)
    [alarm] = alarms(watched, {"layout": [], "client": lean[:2]})
    assert (alarm.kind, alarm.one, alarm.other) == ("client", "a", "b")
    assert alarm.says == "client `a` and `b` differ by 80.0 percentage points: look at both for what steers"


def test_alarms_are_rare_where_nothing_leans() -> None:
    chance = random.Random(11)
    wrong = 0
    for _ in range(400):
        arms = []
        for name in "abc":
            allowed = sum(chance.random() < 0.5 for _ in range(100))
            arms.append(figures(name, allowed, 100 - allowed))
        wrong += bool(raised(*arms, threshold=1))
    # at most 1 in 20 by chance: 20 of 400, with a standard deviation of 4.4
    assert wrong <= 34


def answered(store: SqliteStore, count: int, *, slow: str) -> None:
    prompts, choices = [], []
    for n in range(count):
        kind, subject = ("allow", "decline")[n % 2], f"s{n}"
        store.put_accounts([person(subject)])
        prompts.append(prompt("shown", day(1), subject))
        choices.append(act(kind, day(1) + (DAY if kind == slow else DAY / 2), subject))
    store.add_prompts(prompts)
    for one in choices:
        store.add_choice(one)


@pytest.mark.parametrize(("slow", "ratio"), [("decline", 0.5), ("allow", 2.0)])
def test_an_answer_that_takes_longer_than_the_other_raises_the_alarm(slow: str, ratio: float) -> None:
    with shelf() as store:
        course = live(store)
        answered(store, 60, slow=slow)
        made = funnel(store, course, "training", day(5))
        assert made.total.time_ratio == pytest.approx(ratio)
        assert [alarm.kind for alarm in made.alarms] == ["time", "time", "time"], "all, the layout, the client"
        assert f"{ratio:.2f} times as long" in made.alarms[0].says


def crowd(store: SqliteStore, size: int) -> None:
    chance = random.Random(7)
    prompts, choices = [], []
    for n in range(size):
        subject = f"s{n:03}"
        facts = {"closed_at": day(20)} if chance.random() < 0.1 else {}
        store.put_accounts([person(subject, **facts)])
        place = {"layout": chance.choice(["stacked", "side-by-side"]), "client": chance.choice(["phone", "desk", ""])}
        prompts += [prompt("shown", day(m * 7), subject, **place) for m in range(chance.randrange(3))]
        kinds = chance.choices(["allow", "decline", "defer"], k=chance.randrange(3))
        choices += [act(kind, day(m * 7 + 1), subject, **place) for m, kind in enumerate(kinds)]
    store.add_prompts(prompts)
    for one in choices:
        store.add_choice(one)


def test_the_books_of_a_funnel_balance_with_the_people_one_by_one() -> None:
    with shelf() as store:
        course = live(store)
        crowd(store, 150)
        now = day(21)
        made = funnel(store, course, "training", now)
        people = [account for account in store.accounts() if account.closed_at is None]
        one_by_one = Counter(person_of(store, course, one.subject, "training", now=now).phase for one in people)
        assert made.states == {**dict.fromkeys(made.states, 0), **one_by_one}
        assert made.in_audience == sum(made.states.values()) == len(people)
        assert sum(made.left.values()) > 0
        for arm in ARMS:
            for name in ("shown", "left_open", "deferred", "allowed", "declined", "changed"):
                assert sum(getattr(one, name) for one in made.by[arm]) == getattr(made.total, name)
        assert made.total.answers == made.total.allowed + made.total.declined


def test_a_funnel_of_nobody_is_empty_and_not_broken() -> None:
    with shelf() as store:
        made = funnel(store, live(store), "training", DEADLINE)
        assert made.in_audience == 0
        assert (made.total.allow_share, made.total.time_ratio, made.alarms) == (None, None, [])


def test_no_figure_is_called_the_best() -> None:
    names = {field.name for kind in (Funnel, Figures) for field in fields(kind)}
    assert not [name for name in names if "best" in name or "win" in name or "conver" in name]


def test_the_picture_says_what_the_figures_say() -> None:
    with shelf() as store:
        course = live(store)
        crowd(store, 60)
        made = funnel(store, course, "training", day(21))
        picture = ET.fromstring(svg(made))
        texts = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
        assert {name.strip() for name, _ in steps_of(made)} <= texts
        assert {f"{people:,}" for _, people in steps_of(made)} <= texts
        described = picture.find("{http://www.w3.org/2000/svg}desc").text
        assert f"shown: {made.total.shown}" in described
