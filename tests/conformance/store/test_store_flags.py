"""Findings: tied to content while it is here, on a clock of their own when it is gone; and the log of who read what."""

import pytest
from tests.conformance.store.samples import ALL, DAY, T0, day, sweep_all, talk

from assent.domain.errors import Invalid, NotFound
from assent.services.flag.scores import forget_scores, scores_overdue
from assent.store.port import Store
from assent.store.records import Access, Account, Flag, Hold, Page

GONE = day(60)


def flag(name: str, conversation: str = "test:old", **more: object) -> Flag:
    return Flag(name, conversation, day(1), "fraud", "detector", "pattern 7", score=0.75, **more)


@pytest.fixture
def old(store: Store) -> Store:
    """Content that is due at GONE, flagged and the flag reversed or not as the test says."""
    store.put_accounts([Account("s1", "free", organisation="clinic")])
    store.intake([talk("old"), talk("new", at=day(58))], plan=None, recorded_at=T0)
    return store


def erase_all(store: Store) -> None:
    """Let the flagged content go too: its flags are reversed, or its two years are over."""
    sweep_all(store, day(1000))
    assert store.conversation("test:old") is None


def test_a_finding_outlives_its_content_with_score_and_reasons(old: Store) -> None:
    old.add_flag(flag("f1"))
    erase_all(old)
    assert old.flags(ALL).items == (flag("f1"),)
    assert old.flags(ALL, "test:old").items == old.flags(ALL, subject="s1").items == (flag("f1"),)
    assert old.flags(ALL, subject="s2").items == ()
    assert (old.counts().flags, old.counts().conversations) == (0, 0)


def test_the_clock_of_scores_is_not_the_clock_of_content(old: Store) -> None:
    old.add_flag(flag("f1"))
    assert forget_scores(old, now=day(5000), days=30) == 0  # its content is here: it stays
    erase_all(old)
    assert forget_scores(old, now=day(31), days=30) == 0  # 30 days after day 1 is not over yet
    assert scores_overdue(old, now=day(31) + DAY, days=30) == 1
    assert forget_scores(old, now=day(31) + DAY, days=30) == 1
    assert old.flags(ALL).items == ()
    assert scores_overdue(old, now=day(5000), days=30) == 0


def test_what_was_overturned_ends_with_its_content(old: Store) -> None:
    old.add_flag(flag("f1"))
    old.reverse_flag("f1", day(2))
    assert forget_scores(old, now=day(3), days=2_555) == 0
    erase_all(old)
    assert forget_scores(old, now=day(1001), days=2_555) == 1


def test_an_appeal_reaches_a_finding_whose_content_is_gone(old: Store) -> None:
    old.add_flag(flag("f1"))
    erase_all(old)
    old.review_flag("f1", day(1001))
    old.reverse_flag("f1", day(1002))
    assert old.flags(ALL).items == (flag("f1", reversed_at=day(1002), reviewed_at=day(1001)),)
    assert forget_scores(old, now=day(1002), days=2_555) == 1
    with pytest.raises(NotFound, match="flag `f1`"):
        old.reverse_flag("f1", day(1003))


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("everyone", None),
        ("person", "s1"),
        ("conversation", "test:old"),
        ("organisation", "clinic"),
        ("query", '{"source":["test"]}'),
    ],
)
def test_a_hold_keeps_findings_too(old: Store, scope: str, target: str | None) -> None:
    old.add_flag(flag("f1"))
    erase_all(old)
    old.place_hold(Hold("h", "m", scope, target, day(1001), "counsel", "dispute", day(1100)))
    assert forget_scores(old, now=day(5000), days=30) == 0
    old.release_hold("h", at=day(1002), by="judge")
    assert forget_scores(old, now=day(5000), days=30) == 1


def test_who_left_a_held_organisation_keeps_their_findings(old: Store) -> None:
    old.add_flag(flag("f1"))
    old.place_hold(Hold("h", "m", "organisation", "clinic", day(2), "counsel", "dispute", day(100)))
    old.put_accounts([Account("s1", "free")])
    old.release_hold("h", at=day(3), by="judge")
    old.place_hold(Hold("h2", "m", "organisation", "clinic", day(4), "counsel", "dispute", day(100)))
    old.put_accounts([Account("s1", "free", organisation="clinic")])
    old.put_accounts([Account("s1", "free")])
    assert forget_scores(old, now=day(5000), days=30) == 0


def test_a_score_is_a_share(old: Store) -> None:
    for score in (-0.1, 1.5, float("nan")):
        with pytest.raises(Invalid, match="from 0 to 1"):
            Flag("f", "test:old", day(1), "fraud", "detector", "r", score=score)
    old.add_flag(Flag("f0", "test:old", day(1), "fraud", "a person", "r"))
    assert old.flags(ALL).items[0].score is None


def test_the_log_of_access_only_grows(old: Store) -> None:
    reads = [Access("test:old", "legal", "counsel", f"reason {n}", 2, day(n)) for n in range(3)]
    for one in reads:
        old.log_access(one)
    old.log_access(Access("test:new", "safety", "team", "appeal", 1, day(3)))
    listed = old.accesses(Page(limit=2), "test:old")
    assert (listed.items, listed.total) == ((reads[2], reads[1]), 3)
    assert old.accesses(Page(limit=2, after=listed.after), "test:old").items == (reads[0],)
    assert old.accesses(ALL).total == 4
    for statement in ("DELETE FROM access", "UPDATE access SET reason = ''"):
        with pytest.raises(Exception, match="what was read was read"), old._database.writing() as connection:
            connection.exec_driver_sql(statement)
