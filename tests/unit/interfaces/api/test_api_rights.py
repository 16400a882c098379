"""The Data Rights Protocol 1.0 as an agent meets it: real keys, real signatures, every refusal of the fixed order."""

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conformance.store.samples import talk
from tests.unit.interfaces.api.server import START, Api

from assent.interfaces.api.app import create_app
from assent.services.events.sending import Answer
from assent.services.rights.agents import add_agent
from assent.services.rights.callback import PAUSES, call_back
from assent.services.rights.exercise import Desk
from assent.store.records import Account, DirectoryEntry, Page

BUSINESS = "PROVIDER"
ANA = {"email": "Ana@Example.org", "email_verified": True, "name": "Ana"}


def key(n: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def signed(message: Any, by: Ed25519PrivateKey) -> bytes:
    said = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b64encode(by.sign(said) + said)


@dataclass
class Agent:
    """An agent with its key, its token, and the server that it asks."""

    api: Api
    name: str
    key: Ed25519PrivateKey
    token: str = ""

    def message(self, **more: Any) -> dict[str, Any]:
        now = self.api.clock.at
        said = {"agent-id": self.name, "business-id": BUSINESS, "issued-at": text(now),
                "expires-at": text(now + timedelta(minutes=10)), "drp.version": "1.0"}  # fmt: skip
        return {name: value for name, value in (said | more).items() if value is not None}

    def send(self, method: str, path: str, body: bytes | None = None, token: str | None = None) -> httpx.Response:
        headers = {"content-type": "text/plain"} if body is not None else {}
        return self.api.call(method, path, role=self.token if token is None else token, content=body, headers=headers)

    def set_up(self, **more: Any) -> httpx.Response:
        answer = self.send("POST", f"/v1/agent/{self.name}", signed(self.message(**more), self.key))
        if answer.status_code == 200:
            self.token = answer.json()["token"]
        return answer

    def ask(self, exercise: str = "deletion", /, **more: Any) -> httpx.Response:
        return self.send("POST", "/v1/data-rights-request", self.wish(exercise, **more))

    def wish(self, exercise: str, /, **more: Any) -> bytes:
        return signed(self.message(exercise=exercise, **{"regime": "ccpa", **ANA, **more}), self.key)

    def status(self, request: str) -> httpx.Response:
        return self.send("GET", f"/v1/data-rights-request/{request}")

    def revoke(self, request: str) -> httpx.Response:
        return self.send("DELETE", f"/v1/data-rights-request/{request}", signed({"reason": "no"}, self.key))


def served(api: Api, **settings: Any) -> Api:
    world = replace(api.world, settings=replace(api.world.settings, rights_business=BUSINESS, **settings))
    return replace(api, world=world, app=create_app(world))


def admitted(api: Api, name: str, n: int) -> Agent:
    found = Agent(api, name, key(n))
    public = b64encode(found.key.public_key().public_bytes_raw()).decode()
    add_agent(api.world.store, name, title="An agent", verifier=public, now=START)
    assert found.set_up().status_code == 200
    return found


def people(api: Api) -> None:
    store = api.world.store
    store.put_accounts([Account("s1", "pro"), Account("s2", "pro")])
    store.intake([talk("one"), talk("two"), talk("other", subject="s2")], plan="pro", recorded_at=START)
    for n, (subject, handles) in enumerate([("s1", ("email:ana@example.org", "phone:+12015550123")), ("s2", ())]):
        store.put_entry(DirectoryEntry(f"e{n}", f"name{n}", subject, "{}", START, START, handles))


@pytest.fixture
def agent(api: Api) -> Agent:
    api = served(api, rights_training_opt_out=True)
    people(api)
    return admitted(api, "CR", 1)


def deleted(api: Api, subject: str) -> int:
    page = api.world.store.conversations(_of(subject), Page())
    return sum(entry.deleted_at is not None for entry in page.items)


def _of(subject: str) -> Any:
    from assent.store.records import ConversationFilter

    return ConversationFilter(subject=subject)


# -- key set-up --------------------------------------------------------------------------------------------------------


def test_an_agent_draws_a_token_with_its_key_and_learns_that_it_is_good(agent: Agent) -> None:
    assert agent.send("GET", "/v1/agent/CR").json() == {}
    assert agent.send("GET", "/v1/agent/OTHER").status_code == 403
    assert agent.send("GET", "/v1/agent/CR", token="drp_nothing").status_code == 401


def test_a_second_token_ends_the_first(agent: Agent) -> None:
    first = agent.token
    agent.api.clock.pass_by(seconds=1)
    assert agent.set_up().status_code == 200
    assert agent.token != first
    assert agent.send("GET", "/v1/agent/CR", token=first).status_code == 401


def test_a_set_up_that_is_overheard_draws_no_token(agent: Agent) -> None:
    agent.api.clock.pass_by(seconds=5)
    body = signed(agent.message(), agent.key)
    assert agent.send("POST", "/v1/agent/CR", body).status_code == 200
    again = agent.send("POST", "/v1/agent/CR", body)
    assert (again.status_code, again.content) == (403, b"")


def test_a_set_up_that_is_not_believed_is_refused_without_a_word(agent: Agent) -> None:
    agent.api.clock.pass_by(seconds=1)
    stranger = Agent(agent.api, "CR", key(2))
    unknown = Agent(agent.api, "NOBODY", key(1))
    for answer in (
        stranger.set_up(),
        unknown.set_up(),
        agent.set_up(**{"agent-id": "OTHER"}),
        agent.set_up(**{"business-id": "OTHER"}),
        agent.set_up(**{"drp.version": "0.9"}),
        agent.set_up(**{"expires-at": text(START)}),
    ):
        assert (answer.status_code, answer.content) == (403, b"")


def test_without_a_business_name_no_agent_is_believed(api: Api) -> None:
    found = Agent(api, "CR", key(1))
    public = b64encode(found.key.public_key().public_bytes_raw()).decode()
    add_agent(api.world.store, "CR", title="An agent", verifier=public, now=START)
    assert found.set_up(**{"business-id": ""}).status_code == 403


# -- the fixed order ---------------------------------------------------------------------------------------------------


def later(agent: Agent, **time: float) -> str:
    return text(agent.api.clock.at + timedelta(**time))


def test_the_checks_are_made_in_the_order_of_the_protocol(agent: Agent) -> None:
    """Each message below passes all checks before the one that refuses it, and fails every check after it."""
    stale = {"issued-at": later(agent, hours=1), "expires-at": later(agent, hours=-1)}
    wrong = {"business-id": "OTHER", **stale}
    foreign = {"agent-id": "OTHER", **wrong}
    steps = [
        ("base64", b"not base64!"),
        ("base64", b"\xff\xfe"),
        ("too short", b64encode(b"x" * 64)),
        ("signature", signed(agent.message(**foreign), key(2))),
        ("another agent", signed(agent.message(**foreign), agent.key)),
        ("cannot be read", signed(b"{", agent.key)),
        ("cannot be read", signed(b'{"agent-id": "CR", "agent-id": "CR"}', agent.key)),
        ("no object", signed(b"[]", agent.key)),
        ("another business", signed(agent.message(**wrong), agent.key)),
        ("issued in the future", signed(agent.message(**stale), agent.key)),
        ("expired", signed(agent.message(**{"expires-at": later(agent, seconds=0)}), agent.key)),
    ]
    for said, body in steps:
        answer = agent.send("POST", "/v1/data-rights-request", body)
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/json"
        assert said in answer.json()["message"]
        assert answer.json()["code"] == "403"
    assert agent.api.world.store.requests(Page()).total == 0


@pytest.mark.parametrize("name", ["agent-id", "business-id", "issued-at", "expires-at"])
@pytest.mark.parametrize("value", [None, 7, "", "yesterday", ["CR"], "2026-11-22T09:00:00"])
def test_what_a_message_must_say_it_must_say_well(agent: Agent, name: str, value: Any) -> None:
    assert agent.ask(**{name: value}).status_code == 403
    assert agent.api.world.store.requests(Page()).total == 0


def test_a_clock_that_runs_ahead_by_a_second_is_refused_and_one_in_step_is_not(agent: Agent) -> None:
    assert agent.ask(**{"issued-at": later(agent, seconds=1)}).status_code == 403
    assert agent.ask(**{"issued-at": later(agent, seconds=0)}).status_code == 200


def test_a_message_sent_twice_asks_once_and_an_expired_one_not_at_all(agent: Agent) -> None:
    body = agent.wish("access")
    first, again = (agent.send("POST", "/v1/data-rights-request", body) for _ in range(2))
    assert first.json() == again.json()
    assert agent.api.world.store.requests(Page()).total == 1
    agent.api.clock.pass_by(minutes=10)
    assert agent.send("POST", "/v1/data-rights-request", body).status_code == 403


def test_one_agent_cannot_use_the_message_or_read_the_request_of_another(agent: Agent) -> None:
    other = admitted(agent.api, "AB", 3)
    assert other.send("POST", "/v1/data-rights-request", agent.wish("deletion")).status_code == 403
    mine = agent.ask("access").json()["request_id"]
    for path in (f"/v1/data-rights-request/{mine}", f"/v1/data-rights-request/{mine}/results"):
        assert other.send("GET", path).status_code == 403
    assert other.revoke(mine).status_code == 403
    unknown = other.status("5e2c8f40-0000-4000-8000-000000000000")
    assert unknown.json()["message"] == other.status(mine).json()["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exercise": "erase-everything"},
        {"exercise": 7},
        {"exercise": None},
        {"drp.version": "0.9"},
        {"drp.version": None},
        {"regime": "gdpr"},
        {"relationships": "customer"},
        {"relationships": [1]},
        {"status_callback": "http://example.org"},
        {"status_callback": "https://user@example.org/"},
        {"status_callback": "x" * 3_000},
        {"agent-request-id": 7},
    ],
)
def test_what_is_believed_and_not_supported_is_refused_in_the_form_of_the_protocol(agent: Agent, wrong: Any) -> None:
    body = signed({**agent.message(exercise="deletion", **ANA), **wrong}, agent.key)
    answer = agent.send("POST", "/v1/data-rights-request", body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "fatal"}
    assert agent.api.world.store.requests(Page()).total == 0
    assert deleted(agent.api, "s1") == 0


def test_a_body_of_another_kind_and_an_address_that_is_not_there_have_the_protocols_form(agent: Agent) -> None:
    headers = {"content-type": "application/json"}
    answer = agent.api.call("POST", "/v1/data-rights-request", role=agent.token, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "415")
    assert agent.send("PUT", "/v1/data-rights-request").json()["code"] == "405"


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_a_deletion_is_recorded_for_everything_of_the_person_and_of_nobody_else(agent: Agent) -> None:
    told = agent.ask("deletion", **{"agent-request-id": "mine", "status_callback": "https://a.example/cb"}).json()
    assert told["status"] == "in_progress"
    assert told["agent_request_id"] == "mine"
    assert told["received_at"] == text(START)
    assert told["expected_by"] == text(START + timedelta(days=45))
    assert (deleted(agent.api, "s1"), deleted(agent.api, "s2")) == (2, 0)
    request = agent.api.world.store.request(told["request_id"])
    assert (request.subject, request.callback) == ("s1", "https://a.example/cb")


def test_a_deletion_of_which_nothing_is_left_is_fulfilled_and_its_claims_are_erased(agent: Agent) -> None:
    agent.api.world.store.put_entry(DirectoryEntry("e9", "gone", "s9", "{}", START, START, ("email:gone@example.org",)))
    told = agent.ask("deletion", email="gone@example.org").json()
    assert told["status"] == "fulfilled"
    assert agent.api.world.store.request(told["request_id"]).claims == ""


def test_access_brings_a_summary_for_its_agent_as_long_as_it_is_kept(agent: Agent) -> None:
    told = agent.ask("access").json()
    assert told["status"] == "fulfilled"
    results = agent.send("GET", told["results_url"].removeprefix("http://assent.test")).json()
    assert results["conversations"] == 2
    assert results["account"]["plan"] == "pro"
    assert len(results["each_conversation"]) == 2
    agent.api.clock.pass_by(days=61)
    assert "results_url" not in agent.status(told["request_id"]).json()
    assert agent.send("GET", f"/v1/data-rights-request/{told['request_id']}/results").status_code == 404


def test_categories_alone_name_no_conversation(agent: Agent) -> None:
    told = agent.ask("access:categories").json()
    results = agent.send("GET", f"/v1/data-rights-request/{told['request_id']}/results").json()
    assert results["categories"]
    assert "each_conversation" not in results


def test_an_opt_out_of_training_is_a_refusal_in_the_ledger(agent: Agent) -> None:
    told = agent.ask("training:opt-out", regime=None).json()
    assert told["status"] == "fulfilled"
    (choice,) = agent.api.world.store.choices("s1")
    assert (choice.act, choice.purpose, choice.recorded_by) == ("decline", "training", "rights agent")


def test_nothing_that_an_agent_sends_makes_a_grant(agent: Agent) -> None:
    for exercise in ("training:opt-in", "training:allow", "allow"):
        assert agent.ask(exercise).status_code == 400
    assert agent.ask("sale:opt-in").json()["status"] == "in_progress"
    assert list(agent.api.world.store.choices("s1")) == []


def test_an_opt_out_of_training_is_not_taken_unless_the_settings_say_so(api: Api) -> None:
    api = served(api)
    people(api)
    assert admitted(api, "CR", 1).ask("training:opt-out").status_code == 400


# -- who it is about ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "nobody@example.org"}, "no_match"),
        ({"email": None}, "no_match"),
        ({"email": 7}, "no_match"),
        ({"email_verified": False}, "insuf_verification"),
        ({"email_verified": "true"}, "insuf_verification"),
        ({"email": "x" * 400}, "no_match"),
        ({"email": "NAME1", "phone_number": "+1 201 555-0123", "phone_number_verified": True}, "insuf_verification"),
    ],
)
def test_whoever_is_not_surely_one_account_is_denied_and_nothing_is_done(
    agent: Agent, claims: Any, reason: str
) -> None:
    told = agent.ask("deletion", **claims).json()
    assert (told["status"], told["reason"]) == ("denied", reason)
    assert deleted(agent.api, "s1") == deleted(agent.api, "s2") == 0
    assert agent.api.world.store.request(told["request_id"]).claims == ""


def test_a_verified_number_finds_somebody_too(agent: Agent) -> None:
    told = agent.ask("deletion", email=None, phone_number="+1 (201) 555-0123", phone_number_verified=True).json()
    assert told["status"] == "in_progress"
    assert deleted(agent.api, "s1") == 2


@pytest.fixture
def asking(api: Api) -> Agent:
    """An agent of a provider that has a page on which people prove who they are."""
    api = served(api, rights_verify_at="https://provider.example/verify")
    people(api)
    return admitted(api, "CR", 1)


def desk(api: Api) -> Desk:
    return Desk(api.world.store, api.world.log, BUSINESS, 45, opt_out=False, verify_at="", now=api.clock.at)


def test_whoever_is_not_found_is_sent_to_prove_it_and_an_officer_carries_it_out(asking: Agent) -> None:
    told = asking.ask("deletion", email="new@example.org").json()
    assert (told["status"], told["reason"]) == ("in_progress", "need_user_verification")
    assert told["user_verification_url"] == "https://provider.example/verify"
    kept = asking.api.world.store.request(told["request_id"])
    assert json.loads(kept.claims) == {"email": "new@example.org", "email_verified": True, "name": "Ana"}
    desk(asking.api).fulfil(kept.id, subject="s2")
    assert deleted(asking.api, "s2") == 1
    assert asking.status(kept.id).json()["status"] == "in_progress"


def test_a_proof_that_never_came_ends_the_request_and_its_claims(asking: Agent) -> None:
    told = asking.ask("deletion", email="new@example.org").json()
    asking.api.clock.pass_by(days=45)
    ended = asking.status(told["request_id"]).json()
    assert (ended["status"], ended["reason"]) == ("denied", "insuf_verification")
    assert asking.api.world.store.request(told["request_id"]).claims == ""


# -- taken back --------------------------------------------------------------------------------------------------------


def test_a_request_is_taken_back_as_long_as_it_was_not_carried_out(agent: Agent) -> None:
    waiting = agent.ask("sale:opt-out").json()["request_id"]
    assert agent.revoke(waiting).json()["status"] == "revoked"
    assert agent.revoke(waiting).json()["status"] == "revoked"
    assert agent.api.world.store.request(waiting).claims == ""
    done = agent.ask("deletion").json()["request_id"]
    refused = agent.revoke(done)
    assert (refused.status_code, refused.json()["code"]) == (409, "409")
    assert agent.status(done).json()["status"] == "in_progress"


def test_taking_back_needs_the_agents_signature(agent: Agent) -> None:
    waiting = agent.ask("sale:opt-out").json()["request_id"]
    body = signed({"reason": "no"}, key(2))
    assert agent.send("DELETE", f"/v1/data-rights-request/{waiting}", body).status_code == 403
    assert agent.status(waiting).json()["status"] == "in_progress"


# -- lost in between ---------------------------------------------------------------------------------------------------


def test_a_request_kept_and_not_carried_out_is_carried_out_when_it_is_next_read(agent: Agent) -> None:
    """The machine stopped between the two: what was kept is taken up again."""
    told = agent.ask("deletion").json()
    store = agent.api.world.store
    kept = store.request(told["request_id"])
    store.add_request(replace(kept, id="q2", details=None, exercise="access"))
    assert agent.status("q2").json()["status"] == "fulfilled"


# -- told of it -------------------------------------------------------------------------------------------------------


def called(agent: Agent, status: int) -> list[tuple[str, dict[str, Any]]]:
    """Run one round of callbacks against a receiver that answers `status`; return what it got."""
    got: list[tuple[str, dict[str, Any]]] = []

    def send(url: str, headers: Any, body: bytes) -> Answer:
        assert headers["content-type"] == "application/json"
        got.append((url, json.loads(body)))
        return Answer(status)

    call_back(agent.api.world.store, desk(agent.api), send, limit=10)
    return got


def test_an_agent_is_told_of_a_change_once(agent: Agent) -> None:
    told = agent.ask("access", status_callback="https://agent.example/cb").json()
    agent.api.clock.pass_by(seconds=1)
    ((url, said),) = called(agent, 200)
    assert url == "https://agent.example/cb"
    assert (said["request_id"], said["status"]) == (told["request_id"], "fulfilled")
    assert "results_url" not in said
    assert called(agent, 200) == []


def test_an_agent_that_does_not_answer_is_told_later_and_in_the_end_no_more(agent: Agent) -> None:
    agent.ask("access", status_callback="https://agent.example/cb")
    agent.api.clock.pass_by(seconds=1)
    for pause in (*PAUSES, PAUSES[-1]):
        assert len(called(agent, 503)) == 1
        assert called(agent, 503) == []
        agent.api.clock.pass_by(seconds=pause.total_seconds())
    assert called(agent, 503) == []


def test_every_change_is_an_event_that_names_no_person(agent: Agent) -> None:
    told = agent.ask("access").json()
    events = agent.api.world.store.events(Page()).items
    assert {event.about for event in events} == {told["request_id"]}
    assert {json.loads(event.data)["status"] for event in events} == {"in_progress", "fulfilled"}
    assert "ana" not in "".join(event.data for event in events).lower()
    assert "ana@" not in "".join(agent.api.said).lower()
