"""Campaigns over HTTP: who may take which step, what is offered to whom, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.interfaces.api.server import START, Api

from assent.domain.digests import digest_bytes
from assent.ledger.note import Verifier
from assent.services.campaign.amend import check_signature
from assent.services.notice.parse import parse_manifest
from assent.store.records import Account, NoticeText
from assent.wiring import Wiring

DAY = timedelta(days=1)
FILE = """\
assent = 1

[campaign]
id = "winter"
title = "Training, asked anew"
notice = "anthropic-training/1"
policy = "anthropic/2025-10-08"
purposes = ["training"]
start = 2026-11-22T09:00:00Z
deadline = 2026-12-22T00:00:00Z
no_answer = "block"
escape = ["export"]
reminders = ["P3D"]

[audience]
plans = ["consumer"]
ages = { from = 18 }

[defers]
max = 2
cool_down = "P2D"

[layouts]
stacked = 1
table = 1

[alarm]
threshold = 10
answers = 30
"""
SEEN = {"subject": "p", "purpose": "training", "at": "2026-11-22T09:00:00Z", "kind": "closed"}
SCREEN = {"surface": "html", "locale": "en"}


@pytest.fixture
def shelf(api: Api) -> Api:
    text = (Wiring.notice_library() / "anthropic" / "2025-10-08.toml").read_text("utf-8")
    made = parse_manifest(text, "notice.toml")
    api.world.store.add_notice(NoticeText(made.digest, made.name, made.version, made.policy, text, START))
    api.world.store.put_accounts([Account("p-17", plan="pro", age=40), Account("p-18", plan="team", age=40)])
    return api


def step(api: Api, name: str, body: Any = None, *, role: str = "officer") -> Any:
    path = f"/v1/campaigns/winter/{name}"
    return api.call("POST", path, role=role) if body is None else api.post(path, body, role=role)


@pytest.fixture
def live(shelf: Api) -> Api:
    assert shelf.post("/v1/campaigns", {"document": FILE}, role="officer").status_code == 201
    for name in ("lint", "schedule", "start"):
        answer = step(shelf, name)
        assert answer.status_code == 200, answer.text
    return shelf


def test_an_officer_takes_a_campaign_through_its_states(shelf: Api) -> None:
    drafted = shelf.post("/v1/campaigns", {"document": FILE}, role="officer").json()
    assert (drafted["id"], drafted["state"], drafted["steps"]) == ("winter", "draft", 0)
    refused = step(shelf, "start")
    assert (refused.status_code, refused.json()["detail"]) == (409, "campaign `winter` is draft and cannot be started")
    linted = step(shelf, "lint").json()
    assert (linted["state"], linted["errors"]) == ("linted", 0)
    assert step(shelf, "schedule").json()["state"] == "scheduled"
    assert step(shelf, "unschedule").json()["state"] == "linted"
    revised = step(shelf, "revise", {"document": FILE.replace("max = 2", "max = 1")})
    assert revised.json()["state"] == "draft"
    for name in ("lint", "schedule", "start"):
        assert step(shelf, name).status_code == 200
    closed = step(shelf, "close", {"reason": "enough"}).json()
    assert closed["state"] == "closed"
    told = shelf.call("GET", "/v1/campaigns/winter", role="auditor").json()
    names = ["drafted", "linted", "scheduled", "unscheduled", "revised", "linted", "scheduled", "started", "closed"]
    assert [one["step"] for one in told["history"]] == names
    assert {one["by"] for one in told["history"]} == {"the-officer"}
    [listed] = shelf.call("GET", "/v1/campaigns", role="auditor").json()["campaigns"]
    assert listed["state"] == "closed"


@pytest.mark.parametrize("role", ["product", "engineer", "safety", "auditor", "directory"])
def test_nobody_but_an_officer_takes_a_step(live: Api, role: str) -> None:
    assert live.post("/v1/campaigns", {"document": FILE}, role=role).status_code == 403
    for name, body in (
        ("lint", None),
        ("start", None),
        ("close", {"reason": "x"}),
        ("amend", {"document": "x", "reason": "x"}),
    ):
        assert step(live, name, body, role=role).status_code == 403
    assert live.call("GET", "/v1/campaigns/winter", role="officer").json()["state"] == "live"


def test_an_offer_says_whether_a_person_may_be_asked_and_logs_nothing(live: Api) -> None:
    offered = step(live, "offers", {"subject": "p-17"}, role="product").json()
    assert (offered["asked"], offered["purpose"], offered["defers_left"]) == (True, "training", 2)
    assert live.world.store.prompts_of("winter", "p-17") == []
    shown = {"subject": "p-17", "purpose": "training", "at": "2026-11-22T09:00:00Z", "kind": "shown"}
    shown |= {"layout": offered["layout"], "client": "phone"}
    assert step(live, "prompts", {"prompts": [shown, shown]}, role="product").json() == {"new": 1}
    again = step(live, "offers", {"subject": "p-17"}, role="product").json()
    assert (again["asked"], again["why"], again["until"]) == (False, "left alone for a while", "2026-11-24T09:00:00Z")


def test_the_question_of_a_campaign_is_served_once_and_counts_as_shown(live: Api) -> None:
    wanted = {"subject": "p-17", "campaign": "winter", "client": "phone", "interactive": True, **SCREEN}
    served = live.post("/v1/questions", wanted).json()
    assert served["asked"], served
    assert served["campaign"]["id"] == "winter"
    assert served["rendering"] == digest_bytes(served["body"].encode())
    [logged] = live.world.store.prompts_of("winter", "p-17")
    assert (logged.kind, logged.rendering) == ("shown", served["rendering"])
    assert live.post("/v1/questions", wanted).json()["why"] == "left alone for a while"


def test_a_business_plan_is_not_asked_and_an_unknown_person_neither(live: Api) -> None:
    for subject, why in (("p-18", "not in the audience"), ("p-99", "no account is known")):
        offered = step(live, "offers", {"subject": subject}, role="product").json()
        assert (offered["asked"], offered["why"]) == (False, why)


def test_after_the_deadline_the_answer_stands_in_the_way_with_both_answers_and_a_way_out(live: Api) -> None:
    live.clock.at = START + 31 * DAY
    offered = step(live, "offers", {"subject": "p-17"}, role="product").json()
    assert (offered["blocked"], offered["escape"]) == (True, ["export"])
    assert offered["defers_left"] == 0


def test_reminders_are_listed_and_once_logged_not_again(live: Api) -> None:
    live.clock.at = START + 28 * DAY
    path = "/v1/campaigns/winter/reminders"
    due = live.call("GET", path).json()
    assert [one["subject"] for one in due["reminders"]] == ["p-17"]
    sent = {"subject": "p-17", "purpose": "training", "at": "2026-12-20T09:00:00Z", "kind": "reminded"}
    assert step(live, "prompts", {"prompts": [sent]}, role="product").json() == {"new": 1}
    assert live.call("GET", path).json()["reminders"] == []


def test_an_amendment_is_signed_and_a_widening_is_refused(live: Api) -> None:
    moved = FILE.replace("2026-12-22", "2027-01-22")
    answer = step(live, "amend", {"document": moved, "reason": "holidays"}).json()
    assert (answer["state"], answer["deadline"]) == ("amended", "2027-01-22T00:00:00Z")
    event = live.world.store.campaign_events("winter")[-1]
    keys: list[Verifier] = [signer.verifier for signer in live.world.log.signers]
    assert check_signature(event, keys) == (live.world.log.origin,)
    wider = step(live, "amend", {"document": moved.replace("from = 18", "from = 13"), "reason": "more people"})
    assert wider.status_code == 409
    assert "it may only take in fewer people" in wider.json()["detail"]
    assert "start a new campaign" in wider.json()["fix"]


def test_a_funnel_is_read_by_staff_and_counts_everybody(live: Api) -> None:
    told = live.call("GET", "/v1/campaigns/winter/funnel", role="auditor").json()
    assert told["in_audience"] == sum(told["states"].values()) == 1
    assert told["total"]["allow_share"] is None
    assert live.call("GET", "/v1/campaigns/winter/funnel", role="product").status_code == 403
    other = live.call("GET", "/v1/campaigns/winter/funnel?purpose=dreams", role="auditor")
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("offers", {}, 422),
        ("offers", {"subject": ""}, 422),
        ("offers", {"subject": "x" * 201}, 422),
        ("offers", {"subject": "p-17", "chance": 0.1}, 422),
        ("prompts", {"prompts": []}, 422),
        ("prompts", {"prompts": [{"subject": "p-17"}]}, 422),
        ("prompts", {"prompts": [SEEN | {"kind": "allow"}]}, 422),
        ("prompts", {"prompts": [SEEN | {"at": "2026-11-22T09:00:00"}]}, 422),
        ("prompts", {"prompts": [SEEN | {"at": "2027-11-22T09:00:00Z"}]}, 409),
        ("prompts", {"prompts": [SEEN, SEEN | {"purpose": "dreams"}]}, 409),
        ("prompts", {"prompts": [SEEN, SEEN | {"at": "2026-11-21T09:00:00Z"}]}, 409),
        ("prompts", {"prompts": [SEEN] * 1_001}, 422),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_nothing_is_written(live: Api, name: str, body: Any, status: int) -> None:
    answer = step(live, name, body, role="product")
    assert answer.status_code == status, answer.text
    assert answer.json()["fix"]
    assert live.world.store.prompts_of("winter", "p") == []


def test_a_bad_file_is_told_line_by_line(shelf: Api) -> None:
    bad = FILE.replace('"training"', '"dreams"').replace("max = 2", "max = 9")
    answer = shelf.post("/v1/campaigns", {"document": bad}, role="officer")
    assert answer.status_code == 422
    told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert list(told) == ["/document line 8", "/document line 20"]
    assert "no grant of `anthropic/2025-10-08` asks for `dreams`" in told["/document line 8"]
    assert shelf.world.store.campaign("winter") is None


def test_what_is_not_there_is_not_found(shelf: Api) -> None:
    for name in ("lint", "schedule", "start"):
        assert step(shelf, name).status_code == 404
    assert step(shelf, "revise", {"document": "x"}).status_code == 404
    assert step(shelf, "amend", {"document": "x", "reason": "x"}).status_code == 404
    assert shelf.call("GET", "/v1/campaigns/winter", role="auditor").status_code == 404
    unknown = FILE.replace("anthropic-training/1", "anthropic-training/9")
    assert shelf.post("/v1/campaigns", {"document": unknown}, role="officer").status_code == 404
