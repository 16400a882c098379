"""The life of a flag: who may look, what two people come to, what the clocks do, who decides an appeal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW, World, chat, world
from tests.unit.services.flag.flag_world import DAY, allow, policy

from assent.domain.errors import Invalid, NotFound, Refused
from assent.policy.versions import decide_versions, governing
from assent.services.centre.asking import Clock, appeals_of
from assent.services.flag.appeal import appeal, decide, life_of
from assent.services.flag.queue import queue
from assent.services.flag.review import Reviewed, Said, raise_flag, review, show
from assent.services.flag.terms import ReviewTerms
from assent.store.records import Candidate, Flag, Page

TERMS = ReviewTerms()
KEY = bytes(32)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.policies = [policy()]
        for subject in ("ann", "bob"):
            allow(made, subject)
        made.person("cleo")  # never said anything about safety
        made.keep(chat("a", "ann"), chat("b", "bob"), chat("c", "cleo"))
        yield made


def waits(kept: World, name: str, conversation: str, band: str = "flag", severity: int = 2, **more: object) -> None:
    values = {"category": "cybercrime", "detector": "d@1", "queued_at": NOW, "score": 0.99}
    found = Candidate(name, f"test:{conversation}", band, severity=severity, **{**values, **more})
    flags = [Flag(name, found.conversation, NOW, found.category, "d@1", "scored", score=0.99)]
    kept.store.nominate([found], flags if band == "flag" else [])


def looked(kept: World, name: str, by: str, decision: str = "uphold", days: int = 1) -> Reviewed:
    said = Said(name, by, decision, "read it")
    return review(kept.store, kept.policies, said, TERMS, now=NOW + days * DAY)


def erase_by(kept: World, conversation: str, days: int) -> object:
    at = NOW + days * DAY
    facts = kept.store.facts_of(f"test:{conversation}")[0]
    return decide_versions(facts, governing(kept.policies, facts, at), at).erase_by


def events(kept: World) -> list[str]:
    return sorted(
        one.type.removeprefix("assent.flag.") for one in kept.store.events(Page(99)).items if "flag" in one.type
    )


def test_one_person_settles_what_is_not_severe_and_the_person_is_told(kept: World) -> None:
    waits(kept, "f", "a")
    assert looked(kept, "f", "rita").settled == "uphold"
    assert (life_of(kept.store, "f").state, events(kept)) == ("upheld", ["upheld"])
    assert looked(kept, "f", "rita", days=9).flag.reviewed_at == NOW + DAY  # again changes nothing
    assert events(kept) == ["upheld"]
    told = json.loads(kept.store.events(Page(1)).items[0].data)
    assert told == {"flag": "f", "conversation": "test:a", "category": "cybercrime", "decision": "uphold"}


def test_two_must_agree_about_what_is_severe_and_a_third_breaks_the_tie(kept: World) -> None:
    waits(kept, "f", "a", severity=3)
    assert looked(kept, "f", "rita").settled is None
    assert life_of(kept.store, "f").state == "reviewed"
    assert looked(kept, "f", "sam", "reverse", 2).settled is None
    assert looked(kept, "f", "tess", "reverse", 3).settled == "reverse"
    assert (life_of(kept.store, "f").state, events(kept)) == ("reversed", ["reversed"])


def test_whoever_flagged_it_may_not_review_it_and_a_reason_is_asked_for(kept: World) -> None:
    kept.store.add_flag(Flag("f", "test:a", NOW, "fraud", "Rita", "seen by hand"))
    with pytest.raises(Refused, match="whoever flagged"):
        looked(kept, "f", "rita ")
    with pytest.raises(Invalid, match="a reason"):
        review(kept.store, kept.policies, Said("f", "sam", "uphold", " "), TERMS, now=NOW)
    with pytest.raises(NotFound):
        looked(kept, "nothing", "sam")


def test_the_clock_is_short_until_somebody_upholds_and_gone_when_somebody_reverses(kept: World) -> None:
    before = erase_by(kept, "c", 1)
    waits(kept, "f", "c")
    assert erase_by(kept, "c", 1) == NOW + 30 * DAY  # provisional: the policy's short term
    looked(kept, "f", "rita")
    assert erase_by(kept, "c", 2).year == NOW.year + 2
    waits(kept, "g", "b")
    unflagged = erase_by(kept, "a", 2)
    looked(kept, "g", "rita", "reverse")
    assert erase_by(kept, "b", 2) == unflagged
    assert before < NOW + 30 * DAY


def test_what_was_not_flagged_is_flagged_by_people_alone_and_told_of_only_then(kept: World) -> None:
    waits(kept, "u", "a", "uncertain", score=0.4)
    waits(kept, "h", "b", "uncertain", score=0.4)
    assert kept.store.flags(Page(9)).items == ()
    assert looked(kept, "h", "rita", "reverse").settled == "reverse"
    assert looked(kept, "u", "rita").flag.by == "d@1"
    assert ([flag.id for flag in kept.store.flags(Page(9)).items], events(kept)) == (["u"], ["upheld"])
    assert life_of(kept.store, "h").state == "settled"


def test_nobody_looks_at_what_safety_may_not_have(kept: World) -> None:
    waits(kept, "u", "c", "uncertain")
    waits(kept, "v", "a", "uncertain")
    kept.choose("ann", "withdraw", NOW + DAY, purpose="safety")
    found = queue(kept.store, kept.policies, TERMS, now=NOW + 2 * DAY, limit=10)
    assert (found.waiting, found.total, found.withheld) == ((), 2, 2)
    with pytest.raises(Refused, match="may not be looked at"):
        looked(kept, "v", "rita", days=2)
    with pytest.raises(Refused, match="may be read for `safety`"):
        show(kept.store, kept.policies, "u", by="rita", reason="review", now=NOW, redact=None)


def test_reviewers_see_redacted_text_until_they_ask_and_both_is_written_down(kept: World) -> None:
    waits(kept, "f", "a")
    ways = {"by": "rita", "now": NOW + DAY}
    _, hidden = show(
        kept.store, kept.policies, "f", reason="first look", redact=lambda texts, _: ["***" for _ in texts], **ways
    )
    _, shown = show(kept.store, kept.policies, "f", reason="names matter here", redact=None, **ways)
    assert {text for _, text in hidden.parts} == {"***"}
    assert shown.parts[0][1] == "question of a"
    assert [one.reason for one in kept.store.accesses(Page(9)).items] == ["names matter here", "first look"]


def test_an_appeal_is_decided_by_somebody_who_took_no_part(kept: World) -> None:
    waits(kept, "f", "a")
    looked(kept, "f", "rita")
    clock = Clock(NOW + 3 * DAY, 30)
    with pytest.raises(NotFound):
        appeal(kept.store, "bob", "f", "not mine", clock, key=KEY)
    asked = appeal(kept.store, "ann", "f", "I wrote a story", clock, key=KEY)
    assert appeal(kept.store, "ann", "f", "again", clock, key=KEY) == asked
    assert (life_of(kept.store, "f").state, events(kept)) == ("appealed", ["appealed", "upheld"])
    for name in ("Rita", "d@1"):
        with pytest.raises(Refused, match="took no part"):
            decide(kept.store, Said("f", name, "reverse", "a story"), now=NOW + 4 * DAY)
    ended = decide(kept.store, Said("f", "sam", "reverse", "a story"), now=NOW + 4 * DAY)
    assert (ended.state, ended.flag.reversed_at) == ("decided", NOW + 4 * DAY)
    assert decide(kept.store, Said("f", "sam", "reverse", "a story"), now=NOW + 5 * DAY) == ended
    request = appeals_of(kept.store, "ann")["f"]
    assert (request.status, request.claims) == ("fulfilled", "")
    assert events(kept) == ["appealed", "decided", "upheld"]
    with pytest.raises(NotFound, match="no appeal"):
        decide(kept.store, Said("f", "tess", "uphold", "late"), now=NOW + 6 * DAY)


def test_a_flag_that_stands_after_an_appeal_keeps_its_clock(kept: World) -> None:
    waits(kept, "f", "a")
    looked(kept, "f", "rita")
    before = erase_by(kept, "a", 5)
    appeal(kept.store, "ann", "f", "", Clock(NOW + 3 * DAY, 30), key=KEY)
    ended = decide(kept.store, Said("f", "sam", "uphold", "no story"), now=NOW + 4 * DAY)
    assert (ended.state, ended.flag.reversed_at, erase_by(kept, "a", 5)) == ("decided", None, before)
    assert appeals_of(kept.store, "ann")["f"].status == "denied"


def test_the_queue_gives_every_kind_its_share(kept: World) -> None:
    made = []
    for number in range(40):
        name = f"n{number:02}"
        kept.keep(chat(name, "ann"))
        band = ("flag", "uncertain", "clear", "flag")[number % 4]
        made.append(
            Candidate(name, f"test:{name}", band, "hate", 2, "d@1", NOW, 0.5 + number / 100, drawn=number % 4 == 2)
        )
    kept.store.nominate(
        made, [Flag(one.id, one.conversation, NOW, "hate", "d@1", "s") for one in made if one.band == "flag"]
    )
    found = queue(kept.store, kept.policies, TERMS, now=NOW + DAY, limit=20)
    kinds = ["drawn" if one.drawn else one.band for one in found.waiting]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"flag": 10, "uncertain": 6, "drawn": 4}
    assert {kind: kinds[:10].count(kind) for kind in set(kinds)} == {"flag": 5, "uncertain": 3, "drawn": 2}
    assert found.waiting[0].score == 0.5  # the least sure flag
    assert found.total == 40
    rest = queue(kept.store, kept.policies, TERMS, now=NOW + DAY, limit=40)
    assert len({one.id for one in rest.waiting}) == 40  # what runs out leaves its place to the others


def test_a_flag_by_hand_waits_as_severe_as_its_category(kept: World) -> None:
    for name, category, severity in (("f", "self_harm", 3), ("g", "fraud of a new kind", 2)):
        flag = Flag(name, "test:a", NOW, category, "rita", "seen by hand")
        raise_flag(kept.store, flag)
        raise_flag(kept.store, flag)
        assert kept.store.candidate(name).severity == severity
    with pytest.raises(NotFound):
        raise_flag(kept.store, Flag("h", "test:gone", NOW, "hate", "rita", "seen"))


def test_shares_that_are_none_are_refused() -> None:
    with pytest.raises(Invalid):
        ReviewTerms(flag=0.9)
