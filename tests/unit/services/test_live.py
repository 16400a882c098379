"""Turns as they happen, and what a sweep, a person and a second request do to them in between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from provider import DAY, T0, Provider, day, provider

from assent.connectors.telemetry.turns import Turn
from assent.services.live import LiveDesk, Taken, take_turns

FIRST = Turn(
    format="app",
    conversation="c",
    id="1",
    subject="s1",
    plan="pro",
    started_at=T0,
    ended_at=T0,
    input=({"role": "user", "content": "marker one"},),
    output=({"role": "assistant", "content": "marker two"},),
)
SECOND = replace(
    FIRST,
    id="2",
    started_at=day(40),
    ended_at=day(40),
    input=(*FIRST.input, *FIRST.output, {"role": "user", "content": "marker three"}),
    output=({"role": "assistant", "content": "marker four"},),
)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        made.person()
        yield made


def take(acme: Provider, *turns: Turn, at: int = 0, key: bytes = b"home") -> list[Taken]:
    return take_turns(LiveDesk(acme.store, acme.versions, key), turns, now=day(at))


def texts(acme: Provider) -> list[str]:
    stored = acme.store.conversation("app:c")
    found = acme.store.content_of([part.key for part in stored.parts]) if stored is not None else {}
    return [found[part.key] for part in stored.parts] if stored is not None else []


def test_what_was_erased_is_known_again_and_stays_away(acme: Provider) -> None:
    take(acme, FIRST)
    acme.sweep(acme.plan(day(80)).digest, day(80))
    assert texts(acme) == []
    (told,) = take(acme, replace(SECOND, started_at=day(81), ended_at=day(81)), at=81)
    assert (told.status, told.purposes) == ("erased before", ())
    assert texts(acme) == []


def test_the_names_of_messages_say_nothing_without_the_key_of_the_home(acme: Provider) -> None:
    take(acme, FIRST)
    stored = acme.store.conversation("app:c")
    assert stored is not None
    take(acme, replace(FIRST, conversation="d"), key=b"another home")
    other = acme.store.conversation("app:d")
    assert other is not None
    assert not {part.id for part in stored.parts} & {part.id for part in other.parts}


def test_a_conversation_that_its_person_deleted_is_kept_no_longer_for_what_comes_after(acme: Provider) -> None:
    take(acme, FIRST)
    acme.store.request_deletion("app:c", day(1))
    take(acme, replace(SECOND, started_at=day(2), ended_at=day(2)), at=2)
    found = acme.decided(day(2))
    assert {decision.erase_by for decision in found.values()} == {day(31)}


def test_who_declined_is_kept_as_the_policy_says_and_trains_nothing(acme: Provider) -> None:
    acme.choose("allow", day(-3))
    assert "training" in take(acme, FIRST)[0].purposes
    acme.choose("decline", day(1))
    (told,) = take(acme, replace(SECOND, started_at=day(2), ended_at=day(2)), at=2)
    assert (told.status, "training" in told.purposes) == ("grown", False)
    assert told.why


def test_a_hold_takes_nothing_in_and_what_is_in_stays(acme: Provider) -> None:
    acme.hold("h", "s1", day(-1))
    (told,) = take(acme, replace(FIRST, started_at=day(-400), ended_at=day(-400)))
    assert told.status == "not kept"


def test_without_a_policy_everything_is_kept_and_nothing_is_eligible(acme: Provider) -> None:
    (told,) = take_turns(LiveDesk(acme.store, (), b"home"), [FIRST], now=T0)
    assert (told.status, told.purposes) == ("new", ())


def test_a_person_who_moved_to_a_business_plan_is_out_of_scope_from_then_on(acme: Provider) -> None:
    acme.person(moved_to_business_at=day(20))
    before, after = take(acme, FIRST, SECOND, at=40)
    assert after.status == "not kept"
    assert before.status == "not kept" or texts(acme) == ["marker one", "marker two"]


def test_a_turn_of_nobody_is_not_kept_and_the_others_are(acme: Provider) -> None:
    nobody = [replace(FIRST, subject=None), replace(FIRST, subject=" ")]
    assert [one.status for one in take(acme, *nobody, FIRST)] == ["not kept", "not kept", "new"]


def test_many_conversations_at_once_are_all_kept(acme: Provider) -> None:
    turns = [replace(FIRST, conversation=f"c{number}", id=str(number)) for number in range(120)]
    assert {one.status for one in take(acme, *turns)} == {"new"}
    assert {one.status for one in take(acme, *turns, at=1)} == {"unchanged"}
    assert acme.store.counts().conversations == 120


def test_time_moves_on_with_the_same_words(acme: Provider) -> None:
    take(acme, FIRST)
    take(acme, replace(FIRST, id="3", started_at=T0 + DAY, ended_at=T0 + DAY), at=1)
    stored = acme.store.conversation("app:c")
    assert stored is not None
    assert (len(stored.parts), stored.entry.last_turn_at) == (2, T0 + DAY)
