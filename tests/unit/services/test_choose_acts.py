"""Whoever takes acts tells of them too, a stretch at a time, while nobody waits for an answer."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from choose_world import Counter
from provider import NEW, OLD, T0, provider

from assent.services.choose.acts import QUIET_S, Acts
from assent.services.choose.choose import Answer, quote
from assent.services.choose.several import Asked
from assent.services.events.tell import tell_choices
from assent.services.ledger.append import append
from assent.store.records import Page

PEOPLE = [f"s{number}" for number in range(7)]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with provider(tmp_path / "home", OLD, NEW) as acme:
        for one in PEOPLE:
            acme.person(one)
        yield Counter(acme)


@pytest.fixture
def acts(counter: Counter) -> Acts:
    """Two stretches of three, and one act more, taken and not told."""
    enter = partial(append, counter.store, counter.log, now=T0)
    acts = Acts(counter.store, counter.desk, enter, counter.acme.versions, stretch=3)
    taken = acts([asked(counter, one) for one in PEOPLE])
    assert [one.after for one in taken] == ["declined"] * len(PEOPLE)
    return acts


def asked(counter: Counter, subject: str) -> Asked:
    served = counter.serve(subject)
    answer = Answer(subject=subject, purpose=served.snapshot.purpose, act="decline", token=served.token, explain=False)
    return Asked(answer, quote(counter.desk, answer), T0)


def told(counter: Counter) -> int:
    return len(counter.store.events(Page(100)).items)


def test_nothing_is_told_before_something_was_taken(counter: Counter) -> None:
    assert Acts(counter.store, counter.desk, list, counter.acme.versions).meanwhile(0.0) is None


def test_whole_stretches_are_told_at_once_and_the_rest_when_it_is_quiet(counter: Counter, acts: Acts) -> None:
    assert [(acts.meanwhile(0.0), told(counter)) for _ in range(3)] == [(0.0, 3), (0.0, 6), (QUIET_S, 6)]
    assert (acts.meanwhile(QUIET_S), told(counter)) == (0.0, 7)
    assert acts.meanwhile(0.0) is None


def test_what_others_told_is_not_looked_for_again(counter: Counter, acts: Acts) -> None:
    tell_choices(counter.store, counter.log.identity)
    assert (acts.meanwhile(0.0), acts.meanwhile(0.0), told(counter)) == (0.0, None, 7)
