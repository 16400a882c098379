"""What the console does: two people and never one, holds, reviews, campaigns, a policy tried, evidence."""

import io
import re
from datetime import timedelta
from urllib.parse import unquote

from tests.unit.interfaces.web.console.conftest import SUBJECT, TALK, Console
from tests.unit.interfaces.web.console.test_console_pages import opened

from assent.services.evidence.check import check_evidence
from assent.services.figures.outlook import kept_outlook
from assent.services.flag.queue import queue
from assent.services.flag.terms import ReviewTerms
from assent.store.records import Candidate, Page


def text_of(answer) -> str:  # noqa: ANN001 - the answer of the test client
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def due_plan(console: Console) -> str:
    """Let the conversation be deleted a month ago, and have an engineer make a plan; returns its address."""
    store, clock = console.place.world.store, console.place.clock
    store.release_hold(console.hold, at=clock.at, by="a, b")
    store.reverse_flag(console.flag, clock.at)
    store.request_deletion(TALK, clock.at)
    clock.pass_by(days=29)
    engineer = console.place.staff("engineer", "eve")
    engineer.post("/console/plans")
    assert console.place.world.background.wait("making a plan", 20)
    return f"/console/plans/{store.plans(Page(1)).items[0].digest[7:19]}"


def test_a_plan_goes_by_two_people_and_by_no_one_alone(console: Console) -> None:
    plan, store = due_plan(console), console.place.world.store
    eve, ann = console.place.staff("engineer", "eve"), console.place.staff("officer", "ann")
    assert "Parts due 3" in text_of(eve.get(plan))
    eve.post(f"{plan}/carry-out")
    console.place.world.background.wait(f"carrying out {plan[-12:]}", 20)
    assert "takes a second person" in text_of(eve.get(plan))
    assert store.counts().parts == 3
    assert eve.post(f"{plan}/ask", {"reason": "looked through"}).status_code == 303
    assert eve.post(f"{plan}/approve").status_code == 409
    assert console.place.staff("officer", " EVE ").post(f"{plan}/approve").status_code == 409
    assert ann.post(f"{plan}/approve").status_code == 303
    eve.post(f"{plan}/carry-out")
    assert console.place.world.background.wait(f"carrying out {plan[-12:]}", 20)
    assert (store.counts().parts, store.counts().tombstones) == (0, 3)
    assert "What was carried out" in text_of(eve.get(plan))
    assert "Tombstones" in text_of(ann.get(f"/console/sweeps/{store.sweeps(Page(1)).items[0].id}"))


def test_a_plan_that_nothing_approved_names_the_reason_it_was_asked_for(console: Console) -> None:
    plan = due_plan(console)
    eve = console.place.staff("engineer", "eve")
    assert eve.post(f"{plan}/ask", {"reason": " "}).status_code == 422
    assert eve.post(f"{plan}/approve").status_code == 409


def test_a_hold_is_placed_and_released_by_two(console: Console) -> None:
    store = console.place.world.store
    ann, ben = console.place.staff("officer", "ann"), console.place.staff("officer", "ben")
    said = {
        "matter": "2026-CV-1",
        "reason": "order",
        "region": "DE, FR",
        "flagged": "yes",
        "created_from": "2026-01-01",
    }
    placed = ann.post("/console/holds/new/query", said)
    hold = placed.headers["location"].partition("?")[0]
    found = store.hold(hold.rpartition("/")[2])
    assert found is not None
    assert found.target == '{"created_from":"2026-01-01T00:00:00Z","flagged":true,"region":["DE","FR"]}'
    assert store.coverage(found.id).conversations == 1
    assert ann.post(f"{hold}/ask", {"reason": "settled"}).status_code == 303
    assert ann.post(f"{hold}/release").status_code == 409
    assert ben.post(f"{hold}/release").status_code == 303
    released = store.hold(found.id)
    assert released is not None
    assert released.released_by == "ann, ben"


def test_a_hold_without_a_target_or_a_matter_is_refused(console: Console) -> None:
    ann = console.place.staff("officer", "ann")
    assert ann.post("/console/holds/new/person", {"matter": "M", "reason": "r"}).status_code == 422
    assert ann.post("/console/holds/new/everyone", {"matter": "", "reason": "r"}).status_code == 422


def test_a_release_is_approved_on_the_list_by_an_officer_only(console: Console) -> None:
    ann, ben = console.place.staff("officer", "ann"), console.place.staff("officer", "ben")
    ann.post(f"/console/holds/{console.hold}/ask", {"reason": "settled"})
    request = console.place.world.store.approvals(Page(1)).items[0].id
    assert console.place.staff("engineer", "eve").post(f"/console/approvals/{request}").status_code == 409
    assert ben.post(f"/console/approvals/{request}").status_code == 303
    found = console.place.world.store.hold(console.hold)
    assert found is not None
    assert found.released_at is not None


def test_home_counts_what_needs_somebody(console: Console) -> None:
    engineer = console.place.staff("engineer", "eve")
    engineer.post("/console/forecast")
    assert console.place.world.background.wait("outlook", 20)
    page = text_of(console.place.staff("auditor").get("/console"))
    assert re.search(r"Overdue 0 ● as it must be", page)
    assert re.search(r"Flags to review 1 ▲ look at it", page)
    assert re.search(r"Requests near their clock 1", page)


def test_the_outlook_is_kept_with_its_instant(console: Console) -> None:
    engineer, clock = console.place.staff("engineer", "eve"), console.place.clock
    engineer.post("/console/forecast")
    assert console.place.world.background.wait("outlook", 20)
    outlook = kept_outlook(console.place.world.store)
    assert outlook is not None
    assert outlook.at == clock.at
    held = outlook.forecast.held
    assert (
        held
        + outlook.forecast.later
        + outlook.forecast.endless
        + sum(sum(bucket.parts.values()) for bucket in outlook.forecast.buckets)
        == 3
    )
    clock.pass_by(minutes=30)
    assert "Worked out 30 minutes ago" in text_of(engineer.get("/console/forecast"))
    picture = engineer.get("/console/forecast.svg")
    assert picture.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<script" not in picture.text


def test_a_person_is_shown_with_holds_and_the_look_is_kept(console: Console) -> None:
    officer, store = console.place.staff("officer", "ann"), console.place.world.store
    page = text_of(opened(officer, f"/console/people/{SUBJECT}"))
    assert "gag: do not tell" in page
    (look,) = store.looks(Page(10)).items
    assert (look.by, look.about, look.reason) == ("ann", SUBJECT, "a test")


def test_flagged_text_is_redacted_until_it_is_asked_for_as_written(console: Console) -> None:
    safety, store = console.place.staff("safety", "sam"), console.place.world.store
    # what is held may go into no cut, and safety is one of the purposes of cuts in this policy
    store.release_hold(console.hold, at=console.place.clock.at, by="a, b")
    redacted = opened(safety, f"/console/flags/{console.flag}/redacted").text
    assert "mia0@uni.edu" not in redacted
    assert "mail me at" in redacted
    assert "mia0@uni.edu" in opened(safety, f"/console/flags/{console.flag}/text").text
    assert [(one.reader, one.purpose, one.reason) for one in store.accesses(Page(5)).items] == [
        ("sam", "safety", "a test"),
        ("sam", "safety", "a test"),
    ]
    why = {"reason": "a recipe"}
    assert safety.post(f"/console/flags/{console.flag}/reverse").status_code == 422
    assert safety.post(f"/console/flags/{console.flag}/reverse", why).status_code == 303
    assert safety.post(f"/console/flags/{console.flag}/uphold", why).status_code == 409
    flag = store.flag(console.flag)
    assert flag is not None
    assert flag.reversed_at is not None


def test_flags_are_listed_in_the_order_of_the_queue_and_what_is_no_flag_yet_can_be_decided(console: Console) -> None:
    safety, store, now = console.place.staff("safety", "sam"), console.place.world.store, console.place.clock.at
    assert "1 may not be read now" in text_of(safety.get("/console/flags"))
    store.release_hold(console.hold, at=now, by="a, b")
    waiting = [("flag", 0.99, False), ("flag", 0.6, False), ("uncertain", 0.45, False), ("clear", 0.1, True)]
    store.nominate(
        [
            Candidate(f"c{number}", TALK, band, "spam", 2, "d@1", now, score, drawn=drawn)
            for number, (band, score, drawn) in enumerate(waiting)
        ]
    )
    found = queue(store, [one for one, _ in console.place.world.policies], ReviewTerms(), now=now, limit=50)
    page = safety.get("/console/flags").text
    listed = [unquote(one) for one in re.findall(r'href="/console/flags/([^"?]+)"', page)]
    assert listed == [one.id for one in found.waiting]
    # kinds take turns, and of a kind what is least sure comes first: never the surest
    assert listed == ["c1", "c2", "c3", console.flag, "c0"]
    assert "random sample" in text_of(safety.get("/console/flags/c3"))
    assert "mail me at" in opened(safety, "/console/flags/c2/redacted").text
    assert safety.post("/console/flags/c2/uphold", {"reason": "a recipe"}).status_code == 303
    assert store.flag("c2").reviewed_at == now
    assert safety.post("/console/flags/c3/reverse", {"reason": "a song"}).status_code == 303
    assert "found harmless" in text_of(safety.get("/console/flags/c3"))
    assert store.flag("c3") is None


def test_a_campaign_goes_from_draft_to_closed_and_only_with_a_yes(console: Console) -> None:
    officer, sure = console.place.staff("officer", "ann"), {"sure": "yes"}
    here = f"/console/campaigns/{console.campaign}"
    assert officer.post(f"{here}/lint").status_code == 422
    assert officer.post(f"{here}/start", sure).status_code == 409
    for step in ("lint", "schedule", "unschedule", "schedule", "start"):
        assert officer.post(f"{here}/{step}", sure).status_code == 303, step
    store = console.place.world.store
    document = store.campaign(console.campaign).document.replace('["P7D"]', '["P7D", "P1D"]')
    console.place.clock.pass_by(minutes=5)
    amended = officer.post(f"{here}/amend", {**sure, "reason": "one more", "document": document})
    assert amended.status_code == 303, text_of(amended)
    assert officer.post(f"{here}/close", sure).status_code == 422
    assert officer.post(f"{here}/close", {**sure, "reason": "done"}).status_code == 303
    assert [event.by for event in store.campaign_events(console.campaign)] == ["ann"] * 7
    assert "closed" in text_of(officer.get(here))


def test_the_preview_runs_and_sends_nothing(console: Console) -> None:
    officer = console.place.staff("officer", "ann")
    page = officer.get(f"/console/campaigns/{console.campaign}/notice")
    assert page.headers["content-security-policy"].endswith("frame-src 'self'")
    for surface in ("html", "fragment", "terminal", "json", "markdown"):
        shown = officer.get(f"/console/campaigns/{console.campaign}/preview?surface={surface}&locale=en&layout=stacked")
        assert shown.status_code == 200
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["content-type"].startswith(
            "text/html" if surface in ("html", "fragment") else "text/plain"
        )


def test_a_policy_is_tried_without_coming_into_force(console: Console) -> None:
    engineer, world = console.place.staff("engineer", "eve"), console.place.world
    text = world.policies[-1][1].replace('version = "2025-10-08"', 'version = "2099-01-01"', 1)
    assert engineer.post("/console/policy/try", {"text": "no policy"}).status_code == 422
    sent = engineer.post("/console/policy/try", {"text": text})
    assert sent.status_code == 303, text_of(sent)
    page = sent.headers["location"].partition("?")[0]
    assert world.background.wait(f"policy {page[-12:]}", 30)
    told = text_of(engineer.get(page))
    assert "It is not in force" in told
    assert [policy.digest for policy, _ in world.policies] == [p.digest for p in console.wiring.policies]
    assert world.store.policy(page[-12:]) is None


def test_evidence_is_taken_with_a_reason_and_verifies_offline(console: Console) -> None:
    auditor, world = console.place.staff("auditor", "kim"), console.place.world
    answer = opened(auditor, "/console/evidence/evidence.zip")
    assert answer.headers["content-type"] == "application/zip"
    found = check_evidence(io.BytesIO(answer.content), [world.log.signers[0].verifier])
    assert (found.faults, found.missing) == ([], [])
    assert SUBJECT.encode() not in answer.content
    assert b"mia0@uni.edu" not in answer.content
    (look,) = world.store.looks(Page(10)).items
    assert (look.by, look.role) == ("kim", "auditor")


def test_a_request_is_denied_with_a_reason_of_the_protocol(console: Console) -> None:
    officer = console.place.staff("officer", "ann")
    here = f"/console/requests/{console.request}"
    assert "3 days left" in text_of(opened(officer, here))
    assert officer.post(f"{here}/deny", {"reason": "because"}).status_code == 422
    assert officer.post(f"{here}/deny", {"reason": "no_match"}).status_code == 303
    found = console.place.world.store.request(console.request)
    assert found is not None
    assert found.status == "denied"


def test_an_overdue_part_is_an_incident_on_the_first_page(console: Console) -> None:
    store, clock = console.place.world.store, console.place.clock
    store.release_hold(console.hold, at=clock.at, by="a, b")
    store.reverse_flag(console.flag, clock.at)
    store.request_deletion(TALK, clock.at)
    clock.pass_by(days=60)
    engineer = console.place.staff("engineer", "eve")
    engineer.post("/console/forecast")
    assert console.place.world.background.wait("outlook", 20)
    outlook = kept_outlook(store)
    assert outlook is not None
    assert outlook.overdue.parts == 3
    assert outlook.overdue.first[0].erase_by < clock.at - timedelta(days=20)
    assert "an incident" in text_of(engineer.get("/console"))
    assert TALK in engineer.get("/console/erasing").text
