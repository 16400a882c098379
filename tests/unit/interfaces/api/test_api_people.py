"""Notices, devices, contracts and signals over HTTP."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from tests.unit.interfaces.api.asking import NOTICE, Shop, talk
from tests.unit.interfaces.api.server import START, Api

from assent.interfaces.api.app import create_app

TERMS = "sha256:" + "ab" * 32
CONTRACT = {
    "organisation": "acme",
    "purposes": ["training"],
    "terms": TERMS,
    "signed_by": "counsel",
    "starts_at": "2026-11-01T00:00:00Z",
}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def with_settings(shop: Shop, **changes: object) -> None:
    world = shop.api.world
    shop.api.app = create_app(replace(world, settings=replace(world.settings, **changes)))


def test_a_notice_is_kept_once_and_read_back_as_written(shop: Shop) -> None:
    again = shop.api.post("/v1/notices", {"manifest": NOTICE + "# a comment\n"}, role="officer")
    assert (again.status_code, again.json()["digest"]) == (201, shop.notice)
    assert all(one["level"] != "error" for one in again.json()["findings"])
    listed = shop.api.call("GET", "/v1/notices", role="auditor").json()
    assert [one["digest"] for one in listed["notices"]] == [shop.notice]
    assert shop.api.call("GET", f"/v1/notices/{shop.notice}").json()["manifest"] == NOTICE
    assert shop.api.call("GET", "/v1/notices/sha256:" + "0" * 64).status_code == 404
    assert shop.api.call("GET", "/v1/notices?after=x").status_code == 422


def test_a_notice_that_must_not_be_shown_is_refused_with_every_finding(shop: Shop) -> None:
    def add(manifest: str) -> object:
        return shop.api.post("/v1/notices", {"manifest": manifest}, role="officer")

    preset = NOTICE.replace('act = "allow"', 'act = "allow"\npreset = true\nsteps = 2', 1)
    told = shop.refused(lambda: add(preset), 422)
    assert {"N-R01", "N-R03"} <= {one["detail"].split()[1].rstrip(":") for one in told["errors"]}
    assert all(one["pointer"].startswith("/manifest line ") for one in told["errors"])
    broken = shop.refused(lambda: add(NOTICE.replace("assent = 1", "asent = 1")), 422)
    assert len(broken["errors"]) == 2
    shop.refused(lambda: add(NOTICE.replace("anthropic/2025-10-08", "another/1")), 404)
    shop.refused(lambda: shop.api.post("/v1/notices", {"manifest": NOTICE}), 403)


@pytest.mark.parametrize("blank", ["", " ", "\u00a0 \u3000"])
def test_nobody_is_named_by_a_blank(shop: Shop, blank: str) -> None:
    def written(subject: str) -> object:
        body = {"subject": subject, "purpose": "training", "act": "decline", "reference": "letter-1"}
        return shop.api.post("/v1/written-requests", body, role="officer")

    def linked(device: str, subject: str) -> object:
        return shop.api.post("/v1/device-links", {"device": device, "subject": subject})

    (told,) = shop.refused(lambda: written(blank), 422)["errors"]
    assert told["pointer"] == "/subject"
    assert "not blank" in told["detail"] or not blank
    shop.refused(lambda: linked(blank, "p-1"), 422)
    shop.refused(lambda: linked("d-1", blank), 422)
    if blank:
        assert shop.api.call("GET", f"/v1/people/{quote(blank)}/standings").status_code == 422
    assert shop.api.call("GET", f"/v1/guardians?subject={quote(blank)}", role="officer").status_code == 422
    assert shop.api.world.store.counts().choices == 0
    assert written(" p 1 ").status_code == 201, "what is not blank is taken as it is"


def test_the_help_beside_the_switch_is_made_from_policy_and_notice(shop: Shop) -> None:
    told = shop.api.call("GET", "/v1/settings-help?purpose=training&locale=de", role=None).json()
    assert told["policy"]["digest"] == shop.api.world.policies[-1][0].digest
    assert told["notice"]["digest"] == shop.notice
    assert "five years" in str(told["help"]) or "5 Jahre" in str(told["help"])
    assert shop.api.call("GET", "/v1/settings-help?purpose=marketing", role=None).status_code == 404
    assert shop.api.call("GET", "/v1/settings-help?purpose=training&locale=ja", role=None).status_code == 422


def test_a_device_takes_its_refusals_along_and_no_permission(shop: Shop) -> None:
    shop.person("device")
    shop.say("decline", "device")
    link = {"device": "device", "subject": "s1"}
    made = shop.api.post("/v1/device-links", link)
    assert (made.status_code, len(made.json()["carried"])) == (201, 1)
    assert shop.api.post("/v1/device-links", link).status_code == 201
    [standing] = shop.api.call("GET", "/v1/people/s1/standings").json()["standings"]
    assert (standing["status"], standing["source"]) == ("declined", "device link")
    shop.refused(lambda: shop.api.post("/v1/device-links", {**link, "subject": "p2"}), 409)


def test_a_contract_is_a_thing_of_its_own_and_no_person_is_asked_less_for_it(shop: Shop) -> None:
    made = shop.api.post("/v1/contracts", CONTRACT, role="officer", idempotency_key="k1")
    assert made.status_code == 201
    again = shop.api.post("/v1/contracts", CONTRACT, role="officer", idempotency_key="k1")
    assert again.json() == made.json()
    place = f"/v1/contracts/{made.json()['id']}/end"
    assert shop.api.post(place, {"at": "2026-10-01T00:00:00Z"}, role="officer").status_code == 422
    assert shop.api.post(place, {}, role="officer").json()["ends_at"] == "2026-11-22T09:00:00Z"
    [known] = shop.api.call("GET", "/v1/contracts?organisation=acme", role="auditor").json()["contracts"]
    assert (known["ends_at"], known["purposes"]) == ("2026-11-22T09:00:00Z", ["training"])
    assert shop.api.call("GET", "/v1/contracts?organisation=other", role="auditor").json()["total"] == 0
    assert shop.api.post("/v1/contracts/none/end", {}, role="officer").status_code == 404
    shop.refused(lambda: shop.api.post("/v1/contracts", CONTRACT), 403)
    shop.refused(
        lambda: shop.api.post("/v1/contracts", {**CONTRACT, "ends_at": CONTRACT["starts_at"]}, role="officer"), 422
    )
    [standing] = shop.api.call("GET", "/v1/people/s1/standings").json()["standings"]
    assert standing["status"] == "unasked"


def test_a_privacy_signal_is_recorded_and_declines_only_where_the_settings_say_so(shop: Shop) -> None:
    seen = {"subject": "s1", "surface": "web", "sec_gpc": ["1"]}
    assert shop.api.post("/v1/signals", seen).json() == {"present": True, "effects": {"training": "recorded"}}
    assert shop.api.post("/v1/signals", {**seen, "sec_gpc": ["true", "0"]}).json()["present"] is False
    assert shop.store.staged() == 0
    with_settings(shop, gpc="decline", gpc_since="2026-11-01")
    shop.person("p2")
    assert shop.api.post("/v1/signals", {**seen, "subject": "p2"}).json()["effects"] == {"training": "declined"}
    [standing] = shop.api.call("GET", "/v1/people/p2/standings").json()["standings"]
    assert (standing["status"], standing["source"]) == ("declined", "signal")


def test_the_well_known_file_says_what_the_settings_say(shop: Shop) -> None:
    place = "/.well-known/gpc.json"
    assert shop.api.call("GET", place, role=None).status_code == 404
    for rule, honoured in (("record", False), ("decline", True)):
        with_settings(shop, gpc=rule, gpc_since="2026-11-01")
        told = shop.api.call("GET", place, role=None)
        assert told.json() == {"gpc": honoured, "lastUpdate": "2026-11-01"}
        assert told.headers["content-type"] == "application/json"


def test_a_shared_conversation_says_what_its_owner_chose_for_it(shop: Shop) -> None:
    at = START - timedelta(days=1)
    shop.store.intake([talk("a", "s1", at), talk("b", "s1", at)], plan="pro", recorded_at=START)

    def usage(name: str) -> tuple[str, str]:
        told = shop.api.call("GET", f"/v1/conversations/test:{name}/content-usage").json()
        return told["content_usage"], told["standing"]

    assert usage("a") == ("train-ai=n", "unasked")
    shop.say("allow")
    shop.say("decline", scope="conversation", target="test:b")
    assert (usage("a"), usage("b")) == (("train-ai=y", "allowed"), ("train-ai=n", "declined"))
    assert shop.api.call("GET", "/v1/conversations/none/content-usage").status_code == 404


CAMPAIGN = """\
assent = 1

[campaign]
id = "spring"
title = "Training"
notice = "anthropic-training/1"
policy = "anthropic/2025-10-08"
purposes = ["training"]
start = 2026-11-22T09:00:00Z
deadline = 2027-04-01T00:00:00Z
no_answer = "block"
escape = ["export"]

[audience]
plans = ["consumer"]
ages = { from = 18 }

[defers]
max = 1
cool_down = "P7D"

[layouts]
stacked = 1

[alarm]
threshold = 10
answers = 30
"""


def test_a_campaign_says_who_is_asked_and_what_was_shown_is_logged(shop: Shop) -> None:
    made = shop.api.post("/v1/campaigns", {"document": CAMPAIGN}, role="officer")
    assert made.status_code == 201, made.text
    for step in ("lint", "schedule", "start"):
        taken = shop.api.call("POST", f"/v1/campaigns/spring/{step}", role="officer")
        assert taken.status_code == 200, taken.text
    wanted = {"campaign": "spring", "purpose": ""}
    asked = shop.question(**wanted)
    assert (asked["asked"], asked["campaign"]["id"], asked["shown"]["layout"]) == (True, "spring", "stacked")
    [prompt] = shop.store.prompts_of("spring", "s1")
    assert (prompt.kind, prompt.rendering, prompt.client) == ("shown", asked["rendering"], "desktop")
    made = shop.answer("decline", asked["token"])
    assert made.status_code == 201
    [act] = shop.api.call("GET", "/v1/people/s1/choices").json()["choices"]
    assert (act["campaign"], act["rendering"]) == ("spring", asked["rendering"])
    again = shop.question(**wanted)
    assert (again["asked"], again["why"], again["token"]) == (False, "answered", None)
    shop.person("org", plan="enterprise")
    assert shop.question("org", **wanted)["why"] == "not in the audience"
    assert shop.question("nobody", **wanted)["why"] == "no account is known"
    assert shop.asked(campaign="spring", purpose="feedback").status_code in (200, 409)
    assert shop.asked(campaign="none").status_code == 404
    assert shop.asked(**wanted, layout="table").status_code == 422
