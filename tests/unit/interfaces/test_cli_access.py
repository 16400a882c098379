"""`assent token` and `assent rights`: who may call, and what agents ask for people."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store.samples import talk
from tests.unit.interfaces.homes import NOW, call

from assent.interfaces.cli.init import make_home
from assent.services.tokens import digest_of
from assent.store.records import RightsAgent, RightsRequest
from assent.wiring import Wiring

KEY = b64encode(bytes(range(32))).decode()
CLAIMS = '{"email": "ana@example.org"}'
REQUEST = RightsRequest(
    id="q1", agent="CR", agent_request=None, exercise="deletion", regime="ccpa", subject=None, claims=CLAIMS,
    status="in_progress", reason="need_user_verification", details=None, callback=None, received_at=NOW,
    expected_by=NOW + timedelta(days=45), changed_at=NOW,
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Wiring:
    return make_home(Wiring(clock=NOW), tmp_path / "home", ("anthropic/2025-10-08",))


def test_a_token_is_printed_once_and_kept_as_a_digest(home: Wiring) -> None:
    made = call(home, "token", "add", "web", "--role", "product")
    token = made.out.strip()
    assert made.status == 0
    assert home.store.token(digest_of(token)).name == "web"
    listed = call(home, "token", "list", "--json").lines()
    assert listed == [{"name": "web", "role": "product", "added_at": "2026-01-01T12:00:00Z", "revoked_at": None}]
    assert token not in str(listed)
    assert token.encode() not in b"".join(path.read_bytes() for path in home.settings.home.glob("assent.db*"))


def test_a_revoked_token_is_listed_as_such_and_its_name_is_never_used_again(home: Wiring) -> None:
    call(home, "token", "add", "web", "--role", "product")
    assert call(home, "token", "revoke", "web").status == 0
    assert "revoked 2026-01-01" in call(home, "token", "list").out
    assert call(home, "token", "add", "web", "--role", "officer").status == 2
    assert call(home, "token", "revoke", "nobody").status == 3


@pytest.mark.parametrize("name", ["", "Web", "a b", "-x", "é", "x" * 65])
def test_a_name_that_would_not_read_well_in_a_record_is_refused(home: Wiring, name: str) -> None:
    assert call(home, "token", "add", "--role", "product", "--", name).status == 1
    assert list(home.store.tokens()) == []


def test_an_agent_is_admitted_by_its_key(home: Wiring) -> None:
    admitted = call(home, "rights", "agents", "add", "CR", "--title", "An agent", "--key", KEY)
    assert admitted.status == 0
    assert "rights_business" in admitted.out
    assert call(home, "rights", "agents", "list", "--json").lines() == [
        {"agent": "CR", "title": "An agent", "key": KEY, "has_token": False}
    ]
    other = b64encode(bytes(32)).decode()
    assert call(home, "rights", "agents", "add", "CR", "--title", "x", "--key", other).status == 2
    assert call(home, "rights", "agents", "add", "CR", "--title", "x", "--key", "short").status == 1
    assert call(home, "rights", "agents", "add", "C R", "--title", "x", "--key", KEY).status == 1
    assert "has no token yet" in call(home, "rights", "agents", "list").out


@pytest.fixture
def asked(home: Wiring) -> Wiring:
    home.store.put_agent(RightsAgent("CR", "An agent", KEY, NOW))
    home.store.add_request(REQUEST)
    home.store.intake([talk("one")], plan="pro", recorded_at=NOW)
    return home


def test_a_request_that_waits_is_listed_with_its_day_and_shown_with_its_claims(asked: Wiring) -> None:
    assert "answer by 2026-02-15" in call(asked, "rights", "list", "--open").out
    assert call(asked, "rights", "list", "--json").lines()[0]["request"] == "q1"
    assert call(asked, "rights", "show", "q1").json()["claims"] == CLAIMS
    assert call(asked, "rights", "show", "q2").status == 3


def test_an_officer_carries_a_deletion_out_for_the_subject_they_found(asked: Wiring) -> None:
    assert call(asked, "rights", "fulfil", "q1", "--subject", "s1").status == 0
    assert asked.store.conversation("test:one").entry.deleted_at == NOW
    assert asked.store.request("q1").status == "in_progress"
    assert call(asked, "rights", "fulfil", "q1", "--subject", "s2").status == 2
    assert call(asked, "rights", "fulfil", "q1", "--details", "erased by hand").status == 0
    assert asked.store.request("q1").status == "fulfilled"
    assert call(asked, "rights", "fulfil", "q1").status == 2


def test_a_denied_request_keeps_no_claims(asked: Wiring) -> None:
    assert call(asked, "rights", "deny", "q1", "--reason", "no_match", "--details", "nobody of this name").status == 0
    shown = call(asked, "rights", "show", "q1").json()
    assert (shown["status"], shown["reason"], shown["claims"]) == ("denied", "no_match", None)
    assert call(asked, "rights", "list", "--open").out == ""
    assert call(asked, "rights", "deny", "q1", "--reason", "other").status == 2
    assert call(asked, "rights", "deny", "q9", "--reason", "other").status == 3
