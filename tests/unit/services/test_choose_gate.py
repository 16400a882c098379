"""Who may allow for whom: people of age for themselves where they sit, a verified guardian for a child, nobody else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from choose_world import HOUR, MINUTE, Counter
from provider import DAY, NEW, T0, day, provider, talk

from assent.domain.digests import digest
from assent.domain.errors import Invalid, NotFound
from assent.policy.versions import decide_versions, governing
from assent.services.choose.desk import Rejected
from assent.services.choose.gate import end_guardian, record_guardian
from assent.services.choose.request import WrittenRequest, choose_on_request
from assent.services.choose.standing import standings
from assent.store.records import Account, Contract, Guardian, Page


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with provider(tmp_path / "home", NEW) as acme:
        acme.person()
        acme.person("kid", age=15)
        acme.store.put_accounts([Account("ghost", plan="pro")])
        acme.keep(talk("a", "s1", day(2)), talk("k", "kid", day(2)))
        yield Counter(acme)


def guard(counter: Counter, child: str = "kid", guardian: str = "mum", at: timedelta = -DAY) -> None:
    made = Guardian(child, guardian, "signed form", "support", T0 + at)
    record_guardian(counter.store, made, now=T0)


def refused(counter: Counter, reason: str, act: str = "allow", subject: str = "s1", **showing: object) -> str:
    """Expect an act to be refused for a reason, with nothing written; returns the remedy."""
    before = counter.written()
    with pytest.raises(Rejected) as caught:
        counter.say(act, subject, **showing)
    assert caught.value.reason == reason
    assert (caught.value.exit_code, caught.value.status) == (2, 403)
    assert counter.written() == before
    return caught.value.fix


# -- nobody there, or somebody else -----------------------------------------------------------------------


def test_a_session_without_a_person_never_grants(counter: Counter) -> None:
    served = counter.serve(interactive=False)
    assert not served.snapshot.may_grant
    assert "CI" in refused(counter, "not from here", interactive=False)
    for act in ("decline", "defer", "withdraw"):
        assert counter.say(act, interactive=False).choice.act == act


@pytest.mark.parametrize("role", ["officer", "engineer", "safety", "auditor", "directory", "admin", ""])
def test_no_role_grants_for_a_person(counter: Counter, role: str) -> None:
    assert not counter.serve(role=role).snapshot.may_grant
    served, before = counter.serve(), counter.written()
    for act in ("allow", "decline"):
        with pytest.raises(Rejected, match="nobody chooses for somebody else") as caught:
            counter.answer(served, act, role=role)
        assert caught.value.reason == "role"
    assert counter.written() == before
    assert refused(counter, "not from here", role=role)


def written(act: str = "withdraw", **more: object) -> WrittenRequest:
    values = {"subject": "s1", "purpose": "training", "role": "officer", "reference": "letter-17"}
    return WrittenRequest(act=act, **{**values, **more})


@pytest.mark.parametrize("act", ["decline", "withdraw"])
def test_a_refusal_asked_for_in_writing_names_who_entered_it_and_why(counter: Counter, act: str) -> None:
    counter.say("allow")
    first = choose_on_request(counter.store, counter.log, written(act), now=day(1))
    again = choose_on_request(counter.store, counter.log, written(act), now=day(2))
    assert first.choice == again.choice == list(counter.store.choices("s1"))[-1]
    assert (first.choice.recorded_by, first.choice.prior) == ("officer, request letter-17", "allowed")
    (training,) = standings(counter.store, counter.acme.versions, "s1", day(3))
    assert (training.source, training.since) == ("request", day(1))
    assert counter.written() == (2, 2)


@pytest.mark.parametrize("act", ["allow", "defer"])
def test_nothing_else_can_be_entered_for_a_person(counter: Counter, act: str) -> None:
    with pytest.raises(Rejected, match=f"`{act}` cannot be entered"):
        choose_on_request(counter.store, counter.log, written(act), now=T0)
    assert counter.written() == (0, 0)


@pytest.mark.parametrize("wrong", [{"reference": ""}, {"role": ""}, {"reference": "Ann said so"}, {"role": "x" * 101}])
def test_a_written_request_is_named_by_a_reference(counter: Counter, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="a role and a reference"):
        choose_on_request(counter.store, counter.log, written(**wrong), now=T0)
    somewhere = written(scope="conversation", target="test:k")
    with pytest.raises(NotFound):
        choose_on_request(counter.store, counter.log, somewhere, now=T0)
    assert counter.written() == (0, 0)


def test_a_contract_of_an_organisation_changes_no_decision(counter: Counter) -> None:
    def decided() -> list[object]:
        facts = counter.store.facts_of("test:a")
        versions = counter.acme.versions
        return [decide_versions(fact, governing(versions, fact, day(9)), day(9)) for fact in facts]

    before = decided(), standings(counter.store, counter.acme.versions, "s1", day(9))
    made = Contract("k1", "acme", ("training",), digest("terms"), "the board", T0, T0)
    counter.store.add_contract(made)
    assert counter.store.contracts(Page(), "acme").items == (made,)
    assert (decided(), standings(counter.store, counter.acme.versions, "s1", day(9))) == before
    assert list(counter.store.choices("acme")) == []


# -- age and guardians ------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["ghost", "nobody is known under this name"])
def test_an_unknown_age_allows_nothing_and_refuses_anything(counter: Counter, subject: str) -> None:
    assert not counter.serve(subject).snapshot.may_grant
    assert "record the age" in refused(counter, "age", subject=subject)
    for act in ("decline", "defer", "withdraw"):
        assert counter.say(act, subject).choice.act == act


@pytest.mark.parametrize(("age", "gate", "may"), [(17, 18, False), (18, 18, True), (15, 16, False), (16, 16, True)])
def test_the_gate_is_where_the_settings_put_it(counter: Counter, age: int, gate: int, *, may: bool) -> None:
    counter.acme.person("teen", age=age)
    there = counter.with_desk(adult_age=gate)
    assert there.serve("teen").snapshot.may_grant is may
    if may:
        assert there.say("allow", "teen").after == "allowed"
    else:
        assert "guardian" in refused(there, "age", subject="teen")


def test_a_child_declines_and_withdraws_alone_and_allows_nothing(counter: Counter) -> None:
    refused(counter, "age", subject="kid")
    guard(counter)
    refused(counter, "age", subject="kid")
    counter.say("allow", "kid", guardian="mum")
    assert counter.say("withdraw", "kid", now=day(1)).after == "withdrawn"


def test_a_verified_guardian_allows_and_withdraws_for_the_child_on_a_snapshot_of_their_own(counter: Counter) -> None:
    guard(counter)
    allowed = counter.say("allow", "kid", guardian="mum")
    assert (allowed.choice.guardian, allowed.choice.subject, allowed.after) == ("mum", "kid", "allowed")
    (training,) = standings(counter.store, counter.acme.versions, "kid", T0)
    assert (training.status, training.source, training.choice) == ("allowed", "guardian", allowed.choice.id)
    assert counter.say("withdraw", "kid", now=day(1), guardian="mum").after == "withdrawn"
    # what was served to the child cannot be answered by the guardian, nor the other way round
    for served_to, answered_by in (("", "mum"), ("mum", "")):
        served = counter.serve("kid", guardian=served_to)
        with pytest.raises(Rejected) as caught:
            counter.answer(served, "decline", "kid", guardian=answered_by)
        assert caught.value.reason == "another person"


def test_nobody_unverified_acts_for_a_child(counter: Counter) -> None:
    refused(counter, "guardian", subject="kid", guardian="mum")
    guard(counter)
    for act in ("allow", "decline", "withdraw"):
        refused(counter, "guardian", act, subject="kid", guardian="uncle")
        refused(counter, "guardian", act, subject="ghost", guardian="mum")
        refused(counter, "guardian", act, subject="s1", guardian="mum")
    served = counter.serve("kid", guardian="mum")
    end_guardian(counter.store, "kid", "mum", now=T0 + MINUTE)
    before = counter.written()
    with pytest.raises(Rejected, match="nobody verified this guardian"):
        counter.answer(served, "allow", "kid", guardian="mum", now=T0 + 2 * MINUTE)
    assert counter.written() == before
    assert counter.answer(served, "allow", "kid", guardian="mum", now=T0).after == "allowed"


def test_a_guardian_may_allow_for_somebody_of_unknown_age_and_not_for_an_adult(counter: Counter) -> None:
    for child in ("ghost", "s1"):
        guard(counter, child)
    assert counter.say("allow", "ghost", guardian="mum").after == "allowed"
    refused(counter, "guardian", subject="s1", guardian="mum")


def test_a_guardian_is_recorded_with_how_by_whom_and_when(counter: Counter) -> None:
    for wrong in (
        Guardian("kid", "kid", "signed form", "support", T0),
        Guardian("kid", "mum", " ", "support", T0),
        Guardian("kid", "mum", "signed form", "", T0),
        Guardian("kid", "mum", "signed form", "support", T0 + HOUR),
        Guardian("kid", "mum", "signed form", "support", T0, T0),
    ):
        with pytest.raises(Invalid):
            record_guardian(counter.store, wrong, now=T0)
    assert counter.store.guardians_of("kid") == []
    with pytest.raises(NotFound):
        end_guardian(counter.store, "kid", "mum", now=T0)
