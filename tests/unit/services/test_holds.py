"""Placing, releasing and reading under a hold: what is acknowledged is committed and journalled; two people release."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store.samples import DAY, T0, day, policy, talk
from tests.stores import new_store

from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.access import read_for
from assent.services.approve import approve, ask
from assent.services.erase.journal import Entry, Journal, hold_of
from assent.services.hold.place import place
from assent.services.hold.release import approve_release, ask_release
from assent.store.records import Account, Coverage, Hold, Page
from assent.store.sqlite import SqliteStore

WEEK = timedelta(days=7)
HOLD = Hold("h1", "m1", "person", "s1", day(1), "counsel", "dispute", day(90))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(new_store(tmp_path / "store.db")) as made:
        made.put_accounts([Account("s1", "free")])
        made.intake([talk("one", at=T0)], plan=None, recorded_at=T0)
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


class Broken:
    """A journal whose disk is full."""

    def append(self, entries: Iterable[Entry]) -> None:
        del entries
        raise OSError(28, "no space left on device")


def written(journal: Journal) -> list[tuple[str, Hold]]:
    return [(entry.kind, hold_of(entry)) for entry in journal.read()]


def test_a_hold_is_committed_and_journalled_when_it_is_acknowledged(store: SqliteStore, journal: Journal) -> None:
    assert place(store, journal, HOLD) == Coverage(1, 1)
    assert store.hold("h1") == HOLD
    assert written(journal) == [("hold placed", HOLD)]


def test_a_hold_that_could_not_be_journalled_is_not_acknowledged_and_can_be_placed_again(
    store: SqliteStore, journal: Journal
) -> None:
    with pytest.raises(OSError, match="no space"):
        place(store, Broken(), HOLD)
    assert store.hold("h1") == HOLD  # it stands all the same: too much is kept, never too little
    place(store, journal, HOLD)
    assert written(journal) == [("hold placed", HOLD)]


@pytest.mark.parametrize(
    ("change", "message", "fix"),
    [
        ({"author": " "}, "a hold needs an author", "without it nobody can review the hold"),
        ({"reason": ""}, "a hold needs a reason", "without it nobody can review the hold"),
        ({"matter": "\t"}, "a hold needs a matter", "without it nobody can review the hold"),
        ({"review_at": day(1)}, "a hold is to be reviewed after it starts", "give a later instant"),
        ({"review_at": day(0)}, "a hold is to be reviewed after it starts", "give a later instant"),
    ],
)
def test_a_hold_that_nobody_could_review_is_refused(
    store: SqliteStore, journal: Journal, change: dict[str, object], message: str, fix: str
) -> None:
    with pytest.raises(Invalid) as refused:
        place(store, journal, replace(HOLD, **change))
    assert (refused.value.message, refused.value.fix) == (message, fix)
    assert store.hold("h1") is None
    assert written(journal) == []


def test_a_hold_may_be_reviewed_the_instant_after_it_starts(store: SqliteStore, journal: Journal) -> None:
    soon = replace(HOLD, review_at=day(1) + timedelta(microseconds=1))
    place(store, journal, soon)
    assert store.hold("h1") == soon


def test_entries_of_a_hold_are_written_at_its_start_and_at_its_release(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    ask_release(store, request="a1", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    approve_release(store, journal, "a1", by="ben", now=day(3))
    assert [entry.at for entry in journal.read()] == [day(1), day(3)]


def test_a_request_for_a_release_says_who_asks_why_and_until_when(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    asked = ask_release(store, request="a1", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    assert (asked.id, asked.act, asked.target, asked.asked_by, asked.reason) == (
        "a1",
        "release",
        "h1",
        "ann",
        "settled",
    )
    assert (asked.asked_at, asked.valid_until) == (day(2), day(2) + WEEK)
    approve_release(store, journal, "a1", by="ben", now=day(3))
    used = store.approval("a1")
    assert used is not None
    assert (used.approved_by, used.used_at) == ("ben", day(3))


def test_what_cannot_be_released_says_where_to_look(store: SqliteStore, journal: Journal) -> None:
    with pytest.raises(NotFound, match="there is no hold `h1`") as missing:
        ask_release(store, request="a1", hold="h1", by="ann", reason="r", now=day(2), valid=WEEK)
    assert missing.value.fix == "look at `assent hold list` for the ids"
    place(store, journal, HOLD)
    ask(store, id="a1", act="exceed", target="h1", by="ann", reason="r", now=day(2), valid=WEEK)
    with pytest.raises(Refused, match="request `a1` is about something else than a hold") as other:
        approve_release(store, journal, "a1", by="ben", now=day(3))
    assert other.value.fix == "look at `assent approve list`"
    ask_release(store, request="a2", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    approve_release(store, journal, "a2", by="ben", now=day(3))
    with pytest.raises(Refused, match="request `a2` was carried out already") as again:
        approve_release(store, journal, "a2", by="ben", now=day(3))
    assert again.value.fix == "nothing is left to do here"
    with pytest.raises(Refused, match="hold `h1` is released already") as released:
        ask_release(store, request="a3", hold="h1", by="ann", reason="r", now=day(4), valid=WEEK)
    assert released.value.fix == "look at `assent hold list`"


def test_two_people_release_and_the_journal_says_so(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    ask_release(store, request="a1", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    with pytest.raises(Refused, match="whoever asked"):
        approve_release(store, journal, "a1", by="ann", now=day(3))
    assert store.hold("h1") == HOLD
    released = approve_release(store, journal, "a1", by="ben", now=day(3))
    assert (released.released_at, released.released_by) == (day(3), "ann, ben")
    assert [kind for kind, _ in written(journal)] == ["hold placed", "hold released"]
    with pytest.raises(Refused, match="carried out already"):
        approve_release(store, journal, "a1", by="ben", now=day(4))
    with pytest.raises(Refused, match="released already"):
        ask_release(store, request="a2", hold="h1", by="ann", reason="settled", now=day(4), valid=WEEK)


def test_a_release_that_was_interrupted_is_finished_by_saying_it_again(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    ask_release(store, request="a1", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    with pytest.raises(OSError, match="no space"):
        approve_release(store, Broken(), "a1", by="ben", now=day(3))
    assert approve_release(store, journal, "a1", by="ben", now=day(4)).released_at == day(3)
    assert written(journal)[-1][0] == "hold released"


def test_a_request_about_something_else_releases_nothing(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    ask(store, id="a1", act="exceed", target="h1", by="ann", reason="r", now=day(2), valid=WEEK)
    with pytest.raises(Refused, match="something else than a hold"):
        approve_release(store, journal, "a1", by="ben", now=day(3))
    assert store.hold("h1") == HOLD
    with pytest.raises(NotFound, match="hold `h9`"):
        ask_release(store, request="a2", hold="h9", by="ann", reason="r", now=day(2), valid=WEEK)


def test_an_approval_for_a_release_cannot_be_used_for_another_hold(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    place(store, journal, replace(HOLD, id="h2"))
    ask_release(store, request="a1", hold="h1", by="ann", reason="settled", now=day(2), valid=WEEK)
    approve(store, "a1", by="ben", now=day(2))
    approve_release(store, journal, "a1", by="ben", now=day(3))
    assert store.hold("h2") == replace(HOLD, id="h2")


def test_reading_asks_the_policy_and_is_recorded_first(store: SqliteStore, journal: Journal) -> None:
    policies = [policy()]
    who = {"by": "counsel", "reason": "disclosure"}
    inside = read_for(store, policies, "test:one", purpose="service", now=day(5), **who)
    assert [text for _, text in inside.parts] == ["marker-one-a", "marker-one-b"]
    place(store, journal, HOLD)
    for purpose in ("service", "training", "safety"):
        with pytest.raises(Refused, match=f"read for `{purpose}`") as refused:
            read_for(store, policies, "test:one", purpose=purpose, now=day(60), **who)
        assert "legal" in refused.value.fix
    assert len(read_for(store, policies, "test:one", purpose="legal", now=day(60), **who).parts) == 2
    log = store.accesses(Page()).items
    assert [(one.purpose, one.reader, one.parts, one.at) for one in log] == [
        ("legal", "counsel", 2, day(60)),
        ("service", "counsel", 2, day(5)),
    ]
    with pytest.raises(Invalid, match="reader and a reason"):
        read_for(store, policies, "test:one", purpose="legal", by="counsel", reason=" ", now=day(60))
    assert store.accesses(Page()).total == 2


def test_after_the_release_nobody_reads_what_is_due(store: SqliteStore, journal: Journal) -> None:
    place(store, journal, HOLD)
    store.release_hold("h1", at=day(60), by="judge")
    for purpose in ("service", "legal"):
        with pytest.raises(Refused, match="may be read") as refused:
            read_for(store, [policy()], "test:one", purpose=purpose, by="c", reason="r", now=day(60) + DAY)
        assert "no purpose" in refused.value.fix
