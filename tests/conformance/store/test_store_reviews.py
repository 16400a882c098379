"""What people look at and what they decided: queued once, settled in one transaction, gone with the content."""

from dataclasses import replace

import pytest
from tests.conformance.store.samples import ALL, T0, day, sweep_all, talk

from assent.domain.errors import NotFound, Refused
from assent.services.flag.scores import forget_scores
from assent.store.port import Store
from assent.store.records import Candidate, Event, Flag, Page, Review, RightsAgent, RightsRequest, Settlement


def candidate(name: str = "c1", conversation: str = "test:old", **more: object) -> Candidate:
    values = {"band": "flag", "category": "fraud", "severity": 2, "detector": "d@1", "queued_at": day(1), "score": 0.9}
    return Candidate(name, conversation, **{**values, **more})


def flag(name: str = "c1", **more: object) -> Flag:
    return Flag(name, "test:old", day(1), "fraud", "d@1", "scored", score=0.9, **more)


def said(by: str, decision: str = "uphold", at: int = 2, name: str = "c1", **more: object) -> Review:
    return Review(name, by, day(at), decision, "looked at it", category="fraud", **more)


def event(name: str = "e1") -> Event:
    return Event(name, "assent.flag.upheld", "flag/c1", "{}", day(2))


def both(reviews: list[Review]) -> Settlement | None:
    """Two people must agree."""
    for decision in ("uphold", "reverse"):
        if sum(one.decision == decision for one in reviews) > 1:
            return Settlement(decision, reviews[-1].at, event=event())
    return None


def one(reviews: list[Review]) -> Settlement | None:
    return Settlement(reviews[-1].decision, reviews[-1].at)


@pytest.fixture
def old(store: Store) -> Store:
    store.intake([talk("old"), talk("new", at=day(58))], plan="free", recorded_at=T0)
    return store


def test_a_flag_waits_from_the_moment_it_is_set(old: Store) -> None:
    old.add_flag(flag())
    assert old.candidates(ALL).items == (candidate(severity=2, queued_at=day(1)),)
    old.reverse_flag("c1", day(3))
    assert old.candidates(ALL).items == ()
    assert old.candidate("c1").settled_at == day(3)


def test_what_is_nominated_waits_once_and_what_is_gone_never(old: Store) -> None:
    gone = candidate("c3", "test:gone")
    first = [candidate(severity=3), candidate("c2", "test:new", band="uncertain", score=0.4), gone]
    assert old.nominate(first, [flag()]) == 2
    assert old.nominate([replace(first[0], severity=1), *first[1:]], [flag()]) == 0
    assert old.candidate("c1") == first[0]
    assert old.flag("c1") == flag()
    assert old.flag("c2") is None
    assert old.candidate("c3") is None
    assert old.candidates_of(["test:old", "test:none"]) == {"test:old": [first[0]]}
    assert old.nominate([replace(first[1], drawn=True)]) == 0
    assert old.candidate("c2").drawn


def test_the_most_severe_and_the_least_sure_come_first(old: Store) -> None:
    made = [
        candidate("sure", score=0.99),
        candidate("severe", severity=3, score=0.99),
        candidate("unsure", score=0.55),
        candidate("unscored", score=None),
        candidate("drawn", drawn=True, band="clear", severity=1, score=0.01),
    ]
    old.nominate(made)
    assert [found.id for found in old.candidates(ALL).items] == ["severe", "unscored", "unsure", "sure", "drawn"]
    first = old.candidates(Page(2))
    assert (first.total, len(old.candidates(Page(9, first.after)).items)) == (5, 3)
    assert [found.id for found in old.candidates(ALL, drawn=True).items] == ["drawn"]
    assert old.candidates(ALL, band="uncertain").items == ()


def test_two_who_agree_settle_it_with_flag_and_event_at_once(old: Store) -> None:
    old.nominate([candidate(severity=3)], [flag()])
    assert old.record_review(said("ann"), both) is None
    with pytest.raises(Refused, match="decided otherwise"):
        old.record_review(said("ANN ", "reverse"), both)
    assert old.record_review(said(" Ann"), both) is None  # once more changes nothing
    assert old.record_review(said("ben", "reverse", 3), both) is None
    settled = old.record_review(said("cleo", at=4), both)
    assert settled is not None
    assert (settled.decision, settled.at) == ("uphold", day(4))
    assert old.flag("c1").reviewed_at == day(4)
    assert old.candidates(ALL).items == ()
    assert [found.id for found in old.events(ALL).items] == ["e1"]
    assert [found.reviewer for found in old.reviews_of("c1")] == ["ann", "ben", "cleo"]
    with pytest.raises(Refused, match="decided already"):
        old.record_review(said("dan", at=5), both)
    with pytest.raises(NotFound):
        old.record_review(said("ann", name="nothing"), both)


def test_what_was_no_flag_becomes_one_only_if_it_is_upheld(old: Store) -> None:
    old.nominate([candidate(band="uncertain"), candidate("c2", band="clear", drawn=True)])
    made = Flag("c1", "test:old", day(2), "fraud", "d@1", "upheld", score=0.9)
    old.record_review(said("ann"), lambda reviews: Settlement("uphold", reviews[-1].at, made))
    old.record_review(said("ann", "reverse", name="c2"), one)
    assert old.flag("c1") == replace(made, reviewed_at=day(2))
    assert old.flag("c2") is None
    assert old.conversation("test:old").entry.flagged_at == day(2)


def test_reversing_ends_the_clock_of_the_flag(old: Store) -> None:
    old.nominate([candidate()], [flag()])
    old.record_review(said("ann", "reverse"), one)
    assert old.flag("c1").reversed_at == day(2)
    assert old.facts_of("test:old")[0].flag_reversed_at == day(2)


def test_an_appeal_changes_flag_request_and_event_together_or_nothing(old: Store) -> None:
    old.put_agent(RightsAgent("person", "people", "key", T0))
    asked = RightsRequest(
        "r1", "person", "c1", "appeal", None, "s1", '{"text":"no"}', "open", None, None, None, day(3), day(33), day(3)
    )
    old.add_request(asked)
    old.nominate([candidate()], [flag()])
    ended = replace(asked, status="fulfilled", claims="", changed_at=day(5))
    decided = said("dora", "reverse", 5, stage="appeal")
    assert not old.decide_appeal(decided, ended, was="in_progress", events=[event()])
    assert (old.reviews_of("c1"), old.flag("c1").reversed_at) == ([], None)
    assert old.decide_appeal(decided, ended, was="open", events=[event()])
    assert old.flag("c1").reversed_at == day(5)
    assert old.request("r1") == ended
    assert old.reviews_of("c1") == [decided]
    assert old.events(ALL).total == 1


def test_a_candidate_goes_with_its_content_and_a_decision_when_its_finding_ends(old: Store) -> None:
    old.nominate([candidate(), candidate("c2", band="clear", drawn=True)], [flag()])
    old.record_review(said("ann", "reverse"), one)
    old.record_review(said("ann", "reverse", name="c2"), one)
    sweep_all(old, day(1000))
    assert old.candidate("c1") is None
    assert old.counts().conversations == 0
    assert len(list(old.reviews())) == 2
    assert len(list(old.reviews(day(3)))) == 0
    assert forget_scores(old, now=day(1001), days=2_555) == 1  # reversed: it ends with its content
    assert len(list(old.reviews())) == 2  # what was decided is of the last seven years
    forget_scores(old, now=day(5000), days=2_555)
    assert list(old.reviews()) == []


def test_what_was_decided_never_changes(old: Store) -> None:
    old.nominate([candidate()])
    old.record_review(said("ann"), one)
    with pytest.raises(Exception, match="what was decided was decided"), old._database.writing() as connection:
        connection.exec_driver_sql("UPDATE flag_review SET decision = 'reverse'")
