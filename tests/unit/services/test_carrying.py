"""Carrying erasures out: so many at once, in the order of their numbers, with a word for each that could not end."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from provider import DAY, Provider, day, part, provider, talk

from assent.domain.errors import AssentError
from assent.ledger.erasure import Copy, Link, parse_erasure
from assent.services.erase.carry_out import CarriedOut, batched, carry_out, link_of

NOW = day(50)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    """Three conversations of which a newer text took the place of an older one, each in an erasure of its own."""
    with provider(tmp_path / "home") as made:
        made.person()
        made.world  # noqa: B018 - the derived stores are known before anything is erased
        for name in "abc":
            made.keep(talk(name))
            made.keep(talk(name, "s1", NOW, part("q", f"corrected {name}", NOW), part("a", at=NOW)))
        yield made


def finished(made: Provider) -> list[int]:
    erasures = [made.store.erasure(number) for number in (1, 2, 3)]
    return [erasure.id for erasure in erasures if erasure is not None and erasure.finished_at is not None]


def harm(made: Provider, monkeypatch: pytest.MonkeyPatch, problem: Exception, *erasures: int) -> None:
    """Let the slots of these erasures not be destroyed."""
    bad = {slot for number in erasures for slot in made.store.slots_of(number)}
    destroy = made.world.contents.destroy

    def picky(slots: Sequence[int]) -> None:
        if bad & set(slots):
            raise problem
        destroy(slots)

    monkeypatch.setattr(made.world.contents, "destroy", picky)


def test_erasures_are_carried_out_oldest_first_and_as_many_as_are_asked_for(acme: Provider) -> None:
    told: list[int] = []
    done = carry_out(acme.store, acme.world, now=NOW, limit=2, on_erasures=told.append)
    assert (done.finished, told, finished(acme)) == (2, [2], [1, 2])
    done = carry_out(acme.store, acme.world, now=NOW, limit=2, on_erasures=told.append)
    assert (done.finished, told, finished(acme)) == (1, [2, 1], [1, 2, 3])
    assert carry_out(acme.store, acme.world, now=NOW, on_erasures=told.append).finished == 0
    assert told == [2, 1]


@pytest.mark.parametrize(("limit", "expected"), [(None, [1, 2, 3]), (3, [1, 2, 3]), (1, [1])])
def test_a_limit_is_how_many_are_looked_at(acme: Provider, limit: int | None, expected: list[int]) -> None:
    assert carry_out(acme.store, acme.world, now=NOW, limit=limit).finished == len(expected)
    assert finished(acme) == expected


def test_one_whose_keys_cannot_go_does_not_hold_up_the_others(acme: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    harm(acme, monkeypatch, OSError(28, os.strerror(28), "/somebody's folder"), 2)
    done = carry_out(acme.store, acme.world, now=NOW)
    assert done.problems == ["erasure 2 still has its keys: no space left on device"]
    assert (done.finished, finished(acme), done.open) == (2, [1, 3], True)
    assert acme.store.erasure(2).keys_destroyed_at is None
    monkeypatch.undo()
    assert carry_out(acme.store, acme.world, now=NOW + DAY).finished == 1
    assert acme.store.erasure(2).keys_destroyed_at == NOW + DAY


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (AssentError("the vault is closed", "open it"), "the vault is closed"),
        (OSError("nothing that the machine has a word for"), "an error of the machine"),
    ],
)
def test_a_problem_is_told_in_its_own_words_or_in_none(
    acme: Provider, monkeypatch: pytest.MonkeyPatch, problem: Exception, said: str
) -> None:
    harm(acme, monkeypatch, problem, 1)
    assert carry_out(acme.store, acme.world, now=NOW).problems == [f"erasure 1 still has its keys: {said}"]


def test_a_key_that_opens_after_it_was_destroyed_keeps_the_erasure_open(
    acme: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme.world.contents, "destroy", lambda _slots: None)
    done = carry_out(acme.store, acme.world, now=NOW)
    assert done.problems == [
        f"erasure {number} still has its keys: 2 keys are there after they were destroyed" for number in (1, 2, 3)
    ]
    assert finished(acme) == []


def test_a_receipt_that_cannot_be_kept_is_told_and_written_later(
    acme: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(acme.store, "finish", full)
    done = carry_out(acme.store, acme.world, now=NOW)
    assert done.problems == [f"erasure {n} has no receipt: no space left on device" for n in (1, 2, 3)]
    assert done.finished == 0
    monkeypatch.undo()
    assert carry_out(acme.store, acme.world, now=NOW + DAY).finished == 3
    record = parse_erasure(acme.store.erasure(1).receipt.encode())
    assert record.keys_destroyed_at == NOW


def test_receipts_that_are_not_signed_are_told(acme: Provider) -> None:
    class Away:
        def __getattr__(self, _name: str) -> object:
            raise OSError(5, os.strerror(5))

    done = carry_out(acme.store, replace(acme.world, log=Away()), now=NOW)
    assert done.problems == ["receipts wait for a checkpoint of the ledger: input/output error"]
    assert done.finished == 3
    assert carry_out(acme.store, replace(acme.world, log=None), now=NOW).problems == []


def test_a_receipt_says_what_the_erasure_was_and_what_each_copy_answered(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(talk("a"), talk("b"))
        made.store.request_deletion("test:b", day(1))
        made.sweep(made.plan(NOW).digest, NOW)
        erasure = made.store.erasure(1)
        record = parse_erasure(erasure.receipt.encode())
        [version] = made.versions
        assert record.link == link_of(erasure)
        assert record.link == Link(1, "swept", NOW, 4, erasure.root, erasure.slots_digest, erasure.previous)
        assert (record.chain, record.policies, record.keys_destroyed_at) == (erasure.chain, (version.digest,), NOW)
        answers = {one.store: one for one in made.store.obligations(1)}
        assert record.copies == tuple(
            Copy(name, "removed", NOW, answers[name].note) for name in ("cuts", "database", "segments")
        )


def test_pieces_of_a_sequence_are_as_long_as_they_may_be() -> None:
    assert list(batched([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(batched([1, 2, 3, 4], 2)) == [[1, 2], [3, 4]]
    assert list(batched([], 2)) == []


def test_what_was_done_is_written_for_people_and_programs() -> None:
    done = CarriedOut(
        finished=2,
        copies={"segments": Counter({"removed": 2}), "cuts": Counter({"not reachable": 1, "removed": 1})},
        waiting=Counter({"index": 1}),
        problems=["the disk is full"],
    )
    assert done.to_record() == {
        "receipts": 2,
        "copies": {"cuts": {"not reachable": 1, "removed": 1}, "segments": {"removed": 2}},
        "waiting": {"index": 1},
        "problems": ["the disk is full"],
    }
    assert list(done.to_record()["copies"]) == ["cuts", "segments"]
    assert done.open


@pytest.mark.parametrize(
    ("done", "is_open"),
    [
        (CarriedOut(), False),
        (CarriedOut(finished=1), False),
        (CarriedOut(waiting=Counter({"index": 1})), True),
        (CarriedOut(problems=["the disk is full"]), True),
    ],
)
def test_what_waits_or_failed_is_open(done: CarriedOut, *, is_open: bool) -> None:
    assert done.open is is_open
