"""Events in the form that receivers' libraries read, signed so that they can tell."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook, WebhookVerificationError

from assent.domain.errors import Invalid
from assent.services.events.envelope import body_of, check_secret, headers_of, new_secret
from assent.store.records import Event

EVENT = Event("choice-1", "assent.choice.recorded", "subject-x", json.dumps({"act": "allow", "leaf": 7}),
              datetime(2026, 1, 31, 12, 30, 5, tzinfo=UTC))  # fmt: skip
SECRET = new_secret(bytes(range(32)))


def test_an_event_is_a_cloud_event_of_version_1() -> None:
    body = body_of(EVENT, "log.example/assent")
    message = HTTPMessage({"content-type": "application/cloudevents+json"}, body)
    event = from_structured(message, JSONFormat(), CloudEvent)
    assert event.get_id() == "choice-1"
    assert event.get_source() == "https://log.example/assent"
    assert event.get_specversion() == "1.0"
    assert event.get_subject() == "subject-x"
    assert event.get_time() == EVENT.at
    assert event.get_data() == {"act": "allow", "leaf": 7}


def test_a_receiver_can_check_the_signature_with_the_library_of_the_standard() -> None:
    body, now = body_of(EVENT, "o"), datetime.now(UTC)
    headers = headers_of(EVENT, body, (SECRET,), now)
    assert Webhook(SECRET).verify(body, headers)["id"] == "choice-1"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"allow", b"alloW"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(bytes(32))).verify(body, headers)


def test_the_signature_is_what_the_standard_says_it_is() -> None:
    # computed by hand from the text of Standard Webhooks 1.0: id, timestamp and body joined by dots
    body, now = b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC)
    signed = b"choice-1.1614265330." + body
    expected = base64.b64encode(hmac.digest(bytes(range(32)), signed, hashlib.sha256)).decode()
    assert headers_of(EVENT, body, (SECRET,), now)["webhook-signature"] == f"v1,{expected}"


def test_while_a_secret_is_replaced_both_sign() -> None:
    body, now, other = body_of(EVENT, "o"), datetime.now(UTC), new_secret(bytes(32))
    headers = headers_of(EVENT, body, (SECRET, other), now)
    for secret in (SECRET, other):
        assert Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_%%%", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), "x"])
def test_a_secret_that_receivers_could_not_use_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid) as problem:
        check_secret(text)
    assert len(text) < len("whsec_x") or text not in str(problem.value)


def test_a_secret_may_end_its_line() -> None:
    assert check_secret(SECRET + "\n") == SECRET
