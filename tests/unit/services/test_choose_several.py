"""Acts that are taken together come out as each would alone, and one that is refused holds up none of the others."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from choose_world import HOUR, MINUTE, Counter
from ledger_world import holds
from provider import NEW, OLD, T0, provider

from assent.domain.errors import Refused
from assent.services.choose.choose import Answer, Outcome, begin, quote
from assent.services.choose.desk import Rejected
from assent.services.choose.several import Asked, choose_several
from assent.services.choose.snapshot import Served
from assent.services.ledger.append import Appended, append
from assent.store.records import Choice


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with provider(tmp_path / "home", OLD, NEW) as acme:
        for number in range(6):
            acme.person(f"s{number}")
        yield Counter(acme)


class Entering:
    """Appends to the ledger, and remembers how many choices came at a time."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.groups: list[int] = []

    def __call__(self, choices: Sequence[Choice]) -> list[Appended]:
        self.groups.append(len(choices))
        return append(self.counter.store, self.counter.log, choices, now=T0)


def asked(counter: Counter, served: Served, act: str, subject: str, at: object = T0) -> Asked:
    shown = served.snapshot
    answer = Answer(subject=subject, purpose=shown.purpose, act=act, token=served.token, explain=False)
    return Asked(answer, quote(counter.desk, answer), at)


def taken(counter: Counter, *acts: Asked) -> tuple[list[Outcome | Exception], Entering]:
    entering = Entering(counter)
    found = choose_several(counter.store, counter.desk, acts, enter=entering, policies=counter.acme.versions)
    return found, entering


def test_acts_of_many_people_are_appended_together(counter: Counter) -> None:
    people = [f"s{number}" for number in range(6)]
    acts = [asked(counter, counter.serve(one), "allow", one, T0 + n * MINUTE) for n, one in enumerate(people)]
    found, entering = taken(counter, *acts)
    assert entering.groups == [6]
    assert [one.choice.subject for one in found] == people
    assert [one.choice.at for one in found] == [T0 + n * MINUTE for n in range(6)]
    assert {(one.before, one.after, one.effects) for one in found} == {("unasked", "allowed", None)}
    assert {holds(one.appended, counter.log).size for one in found} == {6}


def test_one_that_is_refused_holds_up_none_of_the_others(counter: Counter) -> None:
    late = counter.serve("s1", now=T0 - 3 * HOUR)
    acts = [asked(counter, served, "decline", who) for who, served in (
        ("s0", counter.serve("s0")), ("s1", late), ("s2", counter.serve("s2")))]  # fmt: skip
    (first, second, third), entering = taken(counter, *acts)
    assert entering.groups == [2]
    assert (first.after, third.after) == ("declined", "declined")
    assert isinstance(second, Rejected)
    assert (second.reason, counter.written()) == ("expired", (2, 2))


def test_of_two_acts_of_one_person_the_second_knows_the_first(counter: Counter) -> None:
    acts = [asked(counter, counter.serve(), act, "s1", T0 + n * MINUTE) for n, act in enumerate(("allow", "decline"))]
    other = asked(counter, counter.serve("s2"), "defer", "s2")
    (first, second, third), entering = taken(counter, acts[0], acts[1], other)
    assert entering.groups == [2, 1]
    assert (first.before, second.before, second.after) == ("unasked", "allowed", "declined")
    assert third.choice.subject == "s2"


def test_one_snapshot_twice_is_one_choice(counter: Counter) -> None:
    served = counter.serve()
    acts = [asked(counter, served, act, "s1") for act in ("allow", "allow", "decline")]
    (first, second, third), _ = taken(counter, *acts)
    assert first == second
    assert isinstance(third, Rejected)
    assert (third.reason, counter.written()) == ("used", (1, 1))


def theirs(counter: Counter, one: Asked) -> Choice:
    """The choice that another server makes of the same act, a moment earlier."""
    known = counter.store.known_of(one.answer.subject)
    read = (one.quoted, known)
    return begin(counter.store, counter.desk, one.answer, read, policies=counter.acme.versions, now=T0).choice


class Overtaken(Entering):
    """Appends what another server wrote just before the first group came."""

    def __init__(self, counter: Counter, first: Choice) -> None:
        super().__init__(counter)
        self.first = first

    def __call__(self, choices: Sequence[Choice]) -> list[Appended]:
        if not self.groups:
            append(self.counter.store, self.counter.log, [self.first], now=T0)
        return super().__call__(choices)


def test_what_another_server_wrote_at_the_same_moment_is_the_answer(counter: Counter) -> None:
    one = asked(counter, counter.serve(), "allow", "s1", T0 + MINUTE)
    first = theirs(counter, one)
    entering = Overtaken(counter, first)
    (found,) = choose_several(counter.store, counter.desk, [one], enter=entering, policies=counter.acme.versions)
    assert found.choice == first
    assert counter.written() == (1, 1)


def test_a_group_with_such_a_one_in_it_is_left_to_be_divided(counter: Counter) -> None:
    one, other = (asked(counter, counter.serve(who), "allow", who, T0 + MINUTE) for who in ("s1", "s2"))
    entering = Overtaken(counter, theirs(counter, one))
    with pytest.raises(Refused, match="another meaning"):
        choose_several(counter.store, counter.desk, [one, other], enter=entering, policies=counter.acme.versions)
    assert counter.written() == (1, 1)
    found, _ = taken(counter, one, other)
    assert [outcome.after for outcome in found] == ["allowed", "allowed"]
