"""Flags over HTTP: the queue, a review, an appeal of the product's person, and a decision by somebody else."""

from datetime import timedelta

import pytest
from tests.unit.interfaces.api.server import START, Api

from assent.domain.conversation import Conversation, Part
from assent.store.records import Account, Flag

WHY = {"reason": "looked at it"}


@pytest.fixture
def flagged(api: Api) -> Api:
    store, talked = api.world.store, START - timedelta(days=1)
    store.put_accounts([Account("ann", plan="pro", age=30, region="DE")])
    parts = (Part("1", "t1", "user", "person", "text", "a question", talked),)
    store.intake(
        [Conversation("test:a", "test", parts, "ann", created_at=talked, last_turn_at=talked)],
        plan=None,
        recorded_at=talked,
    )
    store.add_flag(Flag("f1", "test:a", START - timedelta(hours=1), "cybercrime", "d@1", "scored", score=0.9))
    return api


def test_a_flag_is_reviewed_appealed_and_decided(flagged: Api) -> None:
    listed = flagged.call("GET", "/v1/flags", role="safety").json()
    assert [(one["flag"], one["band"]) for one in listed["waiting"]] == [("f1", "flag")]
    body = WHY | {"decision": "uphold"}
    reviewed = flagged.call("POST", "/v1/flags/f1/reviews", role="safety", json=body)
    assert (reviewed.status_code, reviewed.json()["state"]) == (200, "upheld")
    assert flagged.call("POST", "/v1/flags/f1/reviews", role="safety", json=body).json() == reviewed.json()
    made = flagged.call("POST", "/v1/flags/f1/appeals", role="product", json={"subject": "ann", "text": "a story"})
    assert made.status_code == 201
    assert flagged.call("GET", "/v1/flags/f1", role="auditor").json()["answer_by"] == made.json()["answer_by"]
    same = flagged.call("POST", "/v1/flags/f1/decisions", role="safety", json=WHY | {"decision": "reverse"})
    assert same.status_code == 409  # whoever reviewed it does not decide
    other = flagged.call("POST", "/v1/flags/f1/decisions", role="officer", json=WHY | {"decision": "reverse"})
    assert (other.json()["state"], other.json()["reversed_at"] is not None) == ("decided", True)
    said = flagged.call("GET", "/v1/flag-agreement", role="auditor").json()
    assert (said["pairs"], said["kappa"], said["rates"]["overturned_on_appeal"]["count"]) == (0, None, 1)


def test_only_reviewers_see_the_queue_and_nobody_appeals_for_another(flagged: Api) -> None:
    assert flagged.call("GET", "/v1/flags", role="engineer").status_code == 403
    assert flagged.call("GET", "/v1/flags/none", role="auditor").status_code == 404
    assert flagged.call("POST", "/v1/flags/f1/appeals", role="product", json={"subject": "bob"}).status_code == 404
    assert (
        flagged.call("POST", "/v1/flags/f1/decisions", role="safety", json=WHY | {"decision": "uphold"}).status_code
        == 404
    )
    assert flagged.call("POST", "/v1/flags/f1/reviews", role="safety", json={"decision": "maybe"}).status_code == 422
