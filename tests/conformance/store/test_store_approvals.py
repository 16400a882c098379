"""Approvals: two people, once, in time."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.conformance.store.samples import ALL, DAY, day

from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.approve import approve, ask, require
from assent.store.port import Store
from assent.store.records import APPROVAL_ACTS, Approval, Page


def asked(store: Store, name: str = "a1", *, by: str = "ann", target: str = "h1") -> Approval:
    return ask(store, id=name, act="release", target=target, by=by, reason="settled", now=day(0), valid=7 * DAY)


def test_one_asks_another_approves_and_it_can_be_done_once(store: Store) -> None:
    request = asked(store)
    with pytest.raises(Refused, match="takes a second person"):
        require(store, act="release", target="h1", now=day(1))
    given = approve(store, "a1", by="ben", now=day(1))
    assert given == replace(request, approved_by="ben", approved_at=day(1))
    assert require(store, act="release", target="h1", now=day(2)) == replace(given, used_at=day(2))
    with pytest.raises(Refused, match="takes a second person"):
        require(store, act="release", target="h1", now=day(2))
    assert store.approval("a1") == replace(given, used_at=day(2))


@pytest.mark.parametrize("name", ["ann", "  Ann ", "ANN", "\uff21nn"])
def test_whoever_asked_is_no_second_person_however_they_write_themselves(store: Store, name: str) -> None:
    asked(store)
    with pytest.raises(Refused, match="whoever asked"):
        approve(store, "a1", by=name, now=day(1))
    assert store.use_approval("release", "h1", at=day(1)) is None


def test_an_approval_is_for_one_act_on_one_target(store: Store) -> None:
    asked(store)
    approve(store, "a1", by="ben", now=day(1))
    for act in APPROVAL_ACTS[1:]:
        with pytest.raises(Refused):
            require(store, act=act, target="h1", now=day(1))
    with pytest.raises(Refused):
        require(store, act="release", target="h2", now=day(1))
    require(store, act="release", target="h1", now=day(1))


def test_nobody_approves_or_acts_after_the_time_is_over(store: Store) -> None:
    asked(store, "a1")
    asked(store, "a2")
    with pytest.raises(Refused, match="time to approve"):
        approve(store, "a1", by="ben", now=day(7))
    approve(store, "a2", by="ben", now=day(6))
    with pytest.raises(Refused):
        require(store, act="release", target="h1", now=day(7))
    require(store, act="release", target="h1", now=day(6.9))


def test_repeating_changes_nothing_and_another_meaning_is_refused(store: Store) -> None:
    asked(store)
    asked(store)
    with pytest.raises(Refused, match="something else"):
        asked(store, target="h2")
    first = approve(store, "a1", by="ben", now=day(1))
    assert approve(store, "a1", by="Ben", now=day(2)) == first
    with pytest.raises(Refused, match="somebody else"):
        approve(store, "a1", by="carl", now=day(2))
    require(store, act="release", target="h1", now=day(2))
    asked(store)
    used = store.approval("a1")
    assert used is not None
    assert used.used_at == day(2)


def test_a_request_cannot_come_in_approved(store: Store) -> None:
    store.ask_approval(Approval("a1", "release", "h1", "ann", "settled", day(0), day(7), "ben", day(0)))
    assert store.use_approval("release", "h1", at=day(1)) is None


def test_a_request_says_who_and_why(store: Store) -> None:
    with pytest.raises(Invalid, match="needs a reason"):
        ask(store, id="a1", act="clock", target="now", by="ann", reason=" ", now=day(0), valid=DAY)
    with pytest.raises(Invalid, match="somebody who asks"):
        ask(store, id="a1", act="clock", target="now", by=" ", reason="a new machine", now=day(0), valid=DAY)
    asked(store)
    with pytest.raises(Invalid, match="somebody who gives"):
        approve(store, "a1", by="", now=day(1))
    with pytest.raises(NotFound):
        approve(store, "a9", by="ben", now=day(1))
    assert store.approval("a9") is None


def test_requests_are_listed_newest_first(store: Store) -> None:
    for number in range(3):
        name = f"a{number}"
        ask(store, id=name, act="release", target=f"h{number}", by="ann", reason="r", now=day(number), valid=DAY)
    listed = store.approvals(Page(limit=2))
    assert [one.id for one in listed.items] == ["a2", "a1"]
    assert listed.total == 3
    assert [one.id for one in store.approvals(Page(limit=2, after=listed.after)).items] == ["a0"]
    assert [one.id for one in store.approvals(ALL, act="release", target="h1").items] == ["a1"]
    assert store.approvals(ALL, act="clock").items == ()


def test_of_many_who_act_on_one_approval_one_does(open_store: Callable[[], Store]) -> None:
    store = open_store()
    asked(store)
    approve(store, "a1", by="ben", now=day(1))
    others = [open_store() for _ in range(4)]
    got: list[Approval | None] = []
    threads = [
        threading.Thread(target=lambda one=one: got.append(one.use_approval("release", "h1", at=day(2))))
        for one in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found is not None for found in got) == 1
    assert len(got) == len(others)
