"""A campaign goes from draft to closed by the table, and a live one changes only what keeps receipts true."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.campaign_world import (
    BLOCKING,
    DAY,
    DEADLINE,
    OFFICER,
    SIGN_UP,
    SIGNER,
    START,
    campaign,
    clean,
    day,
    live,
    notice,
    notice_text,
    policies,
    policy_document,
    shelf,
    text,
)

from assent.domain.errors import Invalid, NotFound, Refused
from assent.ledger.note import new_signer
from assent.services.campaign import acts
from assent.services.campaign.acts import Written
from assent.services.campaign.amend import check_signature, text_to_sign
from assent.services.campaign.machine import TABLE, Course, Linted, Step, advance, drafted
from assent.services.campaign.show import facts_said, linted_as, manifest_of, misfits
from assent.services.notice.parse import parse_manifest
from assent.store.records import CampaignEventKind, Page

GOOD = Linted("notice", "policy", "facts", 0)
LATER = campaign({"2026-04-01T00:00:00Z": "2026-05-01T00:00:00Z"})


def course(*kinds: CampaignEventKind, at: datetime = START) -> Course:
    made = drafted(campaign(), "notice", "policy", START - 10 * DAY)
    for kind in kinds:
        made = advance(made, Step(kind, at, OFFICER, LATER, "notice", "policy", GOOD))
    return made


def step(kind: CampaignEventKind, at: datetime = START, **more: object) -> Step:
    return Step(
        **{"campaign": LATER, "notice": "notice", "policy": "policy", "linted": GOOD, **more},
        kind=kind,
        at=at,
        by=OFFICER,
    )


# -- the order of steps, against a grammar ----------------------------------------------------------

LETTERS: dict[CampaignEventKind, str] = {
    "revised": "r", "linted": "l", "scheduled": "s", "unscheduled": "u", "started": "g", "amended": "a", "closed": "x"
}  # fmt: skip
BEFORE = "(r|l(l|su)*(r|sr))*"
GRAMMAR = re.compile(f"{BEFORE}(l(l|su)*(s(ga*)?)?)?x?")
"""The same rules as one sentence, written without the table."""
AFTER = {"r": "draft", "l": "linted", "s": "scheduled", "u": "linted", "g": "live", "a": "amended", "x": "closed"}


@given(st.lists(st.sampled_from(sorted(LETTERS)), max_size=9))
def test_steps_are_taken_and_refused_as_the_grammar_says(kinds: list[CampaignEventKind]) -> None:
    made, said = drafted(campaign(), "notice", "policy", START - DAY), ""
    far = iter(range(2, 99))
    for kind in kinds:
        # each amendment changes something: the deadline moves on
        changed = replace(LATER, deadline=LATER.deadline + next(far) * DAY)
        definition = changed if kind == "amended" else made.campaign
        wanted = GRAMMAR.fullmatch(said + LETTERS[kind]) is not None
        try:
            made, taken = advance(made, step(kind, campaign=definition)), True
        except Refused as refused:
            taken = not refused.fix  # a refusal always says what to do
        assert taken is wanted, f"`{said}` then {kind}"
        said += LETTERS[kind] * taken
        assert made.state == (AFTER[said[-1]] if said else "draft")
        assert made.steps == len(said)


def test_the_table_names_every_step() -> None:
    assert set(TABLE) == set(LETTERS)


@pytest.mark.parametrize(
    ("before", "kind", "message"),
    [
        ((), "scheduled", "campaign `spring` is draft and cannot be scheduled"),
        ((), "started", "is draft and cannot be started"),
        (("linted",), "started", "is linted and cannot be started"),
        (("linted", "scheduled"), "linted", "is scheduled and cannot be linted"),
        (("linted", "scheduled", "started"), "revised", "is live and cannot be revised"),
        (("linted", "scheduled", "started"), "started", "is live and cannot be started"),
        (("linted",), "amended", "is linted and cannot be amended"),
        (("linted", "closed"), "closed", "is closed and cannot be closed"),
        (("linted", "scheduled", "started", "closed"), "amended", "is closed and cannot be amended"),
    ],
)
def test_an_illegal_step_is_refused_with_the_reason(
    before: tuple[CampaignEventKind, ...], kind: CampaignEventKind, message: str
) -> None:
    with pytest.raises(Refused, match=re.escape(message)) as told:
        advance(course(*before), step(kind))
    assert told.value.fix


def test_a_notice_with_errors_is_not_linted() -> None:
    with pytest.raises(Refused, match="the lint of the notice found 2 errors"):
        advance(course(), step("linted", linted=replace(GOOD, errors=2)))
    assert advance(course(), step("linted", linted=replace(GOOD, warnings=5))).state == "linted"


@pytest.mark.parametrize("other", [{"notice": "another"}, {"policy": "another"}])
def test_only_the_notice_and_policy_of_the_campaign_count_as_linted(other: dict[str, str]) -> None:
    with pytest.raises(Refused, match="another notice or policy was linted"):
        advance(course(), step("linted", linted=replace(GOOD, **other)))


def test_it_does_not_start_early_nor_after_its_deadline_nor_with_errors() -> None:
    ready = course("linted", "scheduled", at=START - DAY)
    with pytest.raises(Refused, match="`spring` starts at 2026-03-01T09:00:00Z"):
        advance(ready, step("started", START - timedelta(microseconds=1)))
    with pytest.raises(Refused, match="the deadline has passed already"):
        advance(ready, step("started", DEADLINE))
    with pytest.raises(Refused, match="found 1 error"):
        advance(ready, step("started", linted=replace(GOOD, errors=1)))
    assert advance(ready, step("started")).started_at == START


def test_what_was_revised_has_to_be_linted_again() -> None:
    made = advance(course("linted", "scheduled"), step("revised", notice="new", campaign=campaign()))
    assert (made.state, made.notice, made.notices, made.linted) == ("draft", "new", ("new",), None)
    with pytest.raises(Refused, match="cannot rename `spring`"):
        advance(course(), step("revised", campaign=campaign({'id = "spring"': 'id = "summer"'})))


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(Refused, match="after this one"):
        advance(course("linted"), step("scheduled", START - DAY))


def test_a_live_campaign_closes_by_itself_at_its_deadline() -> None:
    made = course("linted", "scheduled", "started")
    assert made.live_at(DEADLINE - DAY)
    assert made.state_at(DEADLINE) == "closed"
    assert made.closing_at(DEADLINE + DAY) == DEADLINE
    with pytest.raises(Refused, match="is closed and cannot be amended"):
        advance(made, step("amended", DEADLINE))
    assert course("linted", "scheduled").state_at(DEADLINE) == "scheduled", "what never started does not close"


# -- amendments -------------------------------------------------------------------------------------

NO_REMINDERS = {'reminders = ["P10D", "P2D"]\n': ""}
ALLOWED = {
    "later": {"2026-04-01T00:00:00Z": "2026-04-20T00:00:00Z"},
    "earlier, with a week to go": NO_REMINDERS | {"2026-04-01T00:00:00Z": "2026-03-08T09:00:00Z"},
    "reminders": {'["P10D", "P2D"]': '["P1D"]'},
    "weights": {"stacked = 1": "stacked = 9"},
    "a layout no longer": {"stacked = 1": "stacked = 0"},
    "left alone for longer": {'"P7D"': '"P10D"'},
    "more grace": {"reminders": 'grace = "P1D"\nreminders'},
    "fewer people": {
        '["consumer"]': '["free"]',
        "{ from = 18 }": "{ from = 21 }",
        "[defers]": "signed_in = true\n[defers]",
    },
    "the alarm": {"threshold = 10": "threshold = 5"},
    "the title": {"Training in Acme chat": "Training"},
}
REFUSED = {
    "a moment less": (NO_REMINDERS | {"2026-04-01T00:00:00Z": "2026-03-08T08:59:59Z"}, "at least 7 days"),
    "fewer defers": ({"max = 2": "max = 1"}, "people were promised more"),
    "another layout": ({"stacked = 1": "table = 1"}, "only weights may change"),
    "no grace and silence": (BLOCKING, "`no_answer` cannot be amended"),
    "sign-ups": (SIGN_UP, "cannot be amended"),
    "younger people": ({"{ from = 18 }": "{ from = 16 }"}, "it may only take in fewer people"),
    "another start": ({"2026-03-01T09:00:00Z": "2026-03-02T09:00:00Z"}, "`start` cannot be amended"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_an_amendment_that_keeps_receipts_true_is_taken(name: str) -> None:
    made = advance(course("linted", "scheduled", "started"), step("amended", campaign=campaign(ALLOWED[name])))
    assert made.state == "amended"
    assert made.campaign == campaign(ALLOWED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_an_amendment_that_widens_or_shortens_what_people_were_told_is_refused(name: str) -> None:
    changes, message = REFUSED[name]
    with pytest.raises(Refused, match=message) as told:
        advance(course("linted", "scheduled", "started"), step("amended", campaign=campaign(changes)))
    assert "start a new campaign" in told.value.fix


def test_a_deadline_is_not_moved_into_the_past() -> None:
    sooner = campaign({"2026-04-01T00:00:00Z": "2026-03-15T00:00:00Z"})
    with pytest.raises(Refused, match="the new deadline has passed already"):
        advance(course("linted", "scheduled", "started"), step("amended", day(20), campaign=sooner))
    goes_on = replace(course("linted", "scheduled", "started"), campaign=campaign(SIGN_UP))
    later = campaign(SIGN_UP | {"2026-04-01T00:00:00Z": "2026-05-15T00:00:00Z"})
    with pytest.raises(Refused, match="who stayed silent is not asked again"):
        advance(goes_on, step("amended", DEADLINE, campaign=later))


def test_the_plans_purposes_and_policy_of_a_live_campaign_stay() -> None:
    free = course("linted", "scheduled", "started")
    fewer = advance(free, step("amended", campaign=campaign({'["consumer"]': '["free"]'})))
    with pytest.raises(Refused, match="it may only take in fewer people"):
        advance(fewer, step("amended", campaign=campaign()))
    more = replace(campaign(), purposes=("training", "feedback"))
    with pytest.raises(Refused, match="`purposes` cannot be amended: receipts would change their meaning"):
        advance(free, step("amended", campaign=more))
    with pytest.raises(Refused, match="cannot change the policy"):
        advance(free, step("amended", policy="another"))
    with pytest.raises(Refused, match="changes nothing"):
        advance(free, step("amended", campaign=campaign()))


def test_more_defers_and_more_time_for_new_people_may_be_given() -> None:
    def amended(old: dict[str, str], new: dict[str, str]) -> Course:
        began = replace(course("linted", "scheduled", "started"), campaign=campaign(old))
        return advance(began, step("amended", campaign=campaign(new)))

    assert amended({"max = 2": "max = 1"}, {}).campaign.max_defers == 2
    longer = SIGN_UP | {"P14D": "P20D"}
    assert amended(SIGN_UP, {"[alarm]": longer["[alarm]"].replace("P14D", "P20D")}).state == "amended"
    with pytest.raises(Refused, match="new people may only get more time"):
        amended(SIGN_UP, {"[alarm]": SIGN_UP["[alarm]"].replace("P14D", "P3D")})


def test_other_words_for_the_same_facts_may_be_shown_and_other_facts_may_not() -> None:
    running = course("linted", "scheduled", "started")
    new = replace(GOOD, notice="corrected")
    made = advance(running, step("amended", notice="corrected", linted=new, campaign=campaign()))
    assert made.notices == ("notice", "corrected"), "answers to the first words go on to count"
    with pytest.raises(Refused, match="the amended notice says something else"):
        advance(running, step("amended", notice="corrected", linted=replace(new, facts="others")))
    with pytest.raises(Refused, match="found 1 error"):
        advance(running, step("amended", notice="corrected", linted=replace(new, errors=1)))
    with pytest.raises(Refused, match="another notice"):
        advance(running, step("amended", notice="corrected"))


# -- with a store -----------------------------------------------------------------------------------


def test_a_campaign_is_read_back_as_it_was_left() -> None:
    with shelf() as store:
        made = live(store)
        assert made == acts.course_of(store, "spring")
        assert [what for _, what, _ in acts.history(store, "spring")] == ["drafted", "linted", "scheduled", "started"]
        ended = acts.close(store, "spring", "a bug in the page", by=OFFICER, now=day(3))
        assert ended.state_at(day(3)) == "closed"
        assert acts.course_of(store, "spring") == ended


def test_a_draft_needs_its_notice_and_policy_and_somebody_who_makes_it() -> None:
    with shelf() as store:
        written = Written(text({'"acme-training/1"': '"acme-training/7"'}), "spring.toml")
        with pytest.raises(NotFound, match="no notice `acme-training/7`") as told:
            acts.draft(store, written, policies(), by=OFFICER, now=START)
        assert "acme-training/1" in told.value.fix
        with pytest.raises(NotFound, match="no policy `acme/9` here"):
            acts.draft(store, Written(text({'"acme/2"': '"acme/9"'}), "f"), policies(), by=OFFICER, now=START)
        with pytest.raises(Invalid, match="not named in one line"):
            acts.draft(store, Written(text(), "f"), policies(), by="two\nlines", now=START)
        assert store.campaign("spring") is None
        with pytest.raises(NotFound, match="no campaign `spring`"):
            acts.course_of(store, "spring")


def test_a_schedule_can_be_undone_and_a_draft_revised() -> None:
    with shelf() as store:
        made = acts.draft(store, Written(text(), "f"), policies(), by=OFFICER, now=START - 9 * DAY)
        acts.lint(store, "spring", clean(store, made), by=OFFICER, now=START - 8 * DAY)
        acts.schedule(store, "spring", by=OFFICER, now=START - 7 * DAY)
        assert acts.unschedule(store, "spring", by=OFFICER, now=START - 6 * DAY).state == "linted"
        fewer = Written(text({"max = 2": "max = 0"}), "f")
        made = acts.revise(store, "spring", fewer, policies(), by=OFFICER, now=START - 5 * DAY)
        assert (made.state, made.campaign.max_defers) == ("draft", 0)
        assert acts.course_of(store, "spring") == made


def test_other_systems_hear_of_every_step_and_not_of_who_took_it() -> None:
    with shelf() as store:
        made = acts.draft(store, Written(text(), "f"), policies(), by=OFFICER, now=START - 9 * DAY)
        acts.lint(store, "spring", clean(store, made), by=OFFICER, now=START - 8 * DAY)
        acts.schedule(store, "spring", by=OFFICER, now=START - 7 * DAY)
        told = store.events(Page(10)).items
        assert [event.type for event in told] == ["assent.campaign.scheduled", "assent.campaign.linted"]
        assert json.loads(told[0].data)["state"] == "scheduled"
        assert all(event.about == "spring" and OFFICER not in event.data for event in told)


def test_an_amendment_is_signed_and_a_changed_one_is_found_out() -> None:
    with shelf() as store:
        live(store)
        moved = Written(text({"2026-04-01T00:00:00Z": "2026-04-20T00:00:00Z"}), "f")
        made = acts.amend(store, "spring", moved, SIGNER, linted=None, reason="holidays", by=OFFICER, now=day(2))
        assert made.campaign.deadline == DEADLINE + 19 * DAY
        event = store.campaign_events("spring")[-1]
        assert '"before":"2026-04-01T00:00:00Z"' in event.change
        assert check_signature(event, [SIGNER.verifier]) == ("acme.example/log",)
        for forged in (
            replace(event, change=event.change.replace("04-20", "04-21")),
            replace(event, number=9),
            replace(event, campaign="other"),
            replace(event, by="somebody"),
            replace(event, at=day(3)),
            replace(event, signature=""),
        ):
            with pytest.raises(Invalid, match="is not signed by a known key"):
                check_signature(forged, [SIGNER.verifier])
        with pytest.raises(Invalid, match="is not signed by a known key"):
            check_signature(event, [new_signer("acme.example/log", bytes(32)).verifier])
        assert text_to_sign(event).startswith("assent/amendment/v1\nspring\n4\n2026-03-03T09:00:00Z\n")


def test_a_refused_amendment_leaves_nothing_behind() -> None:
    with shelf() as store:
        before = live(store)
        younger = Written(text({"{ from = 18 }": "{ from = 16 }"}), "f")
        with pytest.raises(Refused):
            acts.amend(store, "spring", younger, SIGNER, linted=None, reason="x", by=OFFICER, now=day(2))
        assert acts.course_of(store, "spring") == before


def test_a_corrected_spelling_is_the_same_notice_and_a_changed_fact_is_another() -> None:
    original = notice_text()
    said = facts_said(parse_manifest(original, "n"))
    corrected = original.replace("Allow", "Allow it")
    assert corrected != original
    assert facts_said(parse_manifest(corrected, "n")) == said
    further = original.replace('purposes = ["training"]', 'purposes = ["training"]\nrights = ["access"]')
    assert facts_said(parse_manifest(further, "n")) != said
    with shelf() as store:
        running = live(store)
        fixed = notice(document=corrected, added_at=day(1))
        store.add_notice(fixed)
        linted = linted_as(manifest_of(store, fixed.digest), running.policy, [])
        same_file = Written(text(), "f")
        assert acts.amended_notice(store, running, same_file) == fixed
        made = acts.amend(store, "spring", same_file, SIGNER, linted=linted, reason="spelling", by=OFFICER, now=day(1))
        assert made.notices == (running.notice, fixed.digest)


def test_what_does_not_fit_the_notice_is_found_before_anybody_is_asked() -> None:
    manifest = parse_manifest(notice_text(), "n")
    assert misfits(campaign(), manifest, policy_document()) == []
    odd = replace(
        campaign(), purposes=("feedback",), layouts=(("spiral", 1),), policy="acme/9", deadline=DEADLINE + DAY
    )
    found = misfits(odd, manifest, policy_document())
    assert [finding.severity for finding in found] == ["error", "error", "error", "warning"]
    assert "names another deadline" in found[-1].message
