"""Runs over HTTP: a trainer elsewhere starts through the gate, and a person is told which runs used what is theirs."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Api
from tests.unit.services.cut_world import quiet

from assent.domain.conversation import Conversation, Part
from assent.policy.versions import by_date
from assent.services.cut.order import CutOrder
from assent.services.cut.take import take
from assent.services.ledger.append import append
from assent.services.ledger.seal import seal
from assent.store.columns import Columns
from assent.store.records import Account, Choice

BEFORE, TALKED = START - timedelta(days=2), START - timedelta(days=1)
ORDER = {"cut": "spring", "trainer": "mine", "config": "epochs = 3"}


def act(api: Api, what: str, at: object) -> None:
    choice = Choice(f"{what}-{at}", "ann", "training", what, at, "sha256:n", "web", "web", at)
    append(api.world.store, api.world.log, [choice], now=at)


@pytest.fixture
def cut(api: Api, tmp_path: Path) -> Api:
    store, world = api.world.store, api.world
    store.put_accounts([Account("ann", plan="pro", age=30, region="DE")])
    act(api, "allow", BEFORE)
    parts = (
        Part("1", "t1", "user", "person", "text", "a question", TALKED),
        Part("2", "t2", "assistant", "model", "text", "an answer", TALKED),
    )
    chat = Conversation("test:a", "test", parts, "ann", created_at=TALKED, last_turn_at=TALKED)
    store.intake([chat], plan=None, recorded_at=TALKED)
    now, keys = world.now(), tmp_path / "cuts"
    order = CutOrder("spring", "training", now, now, tmp_path / "out", keys, bytes(32), bytes(32), "0.0.1")
    take(order, store, Columns(), by_date([policy for policy, _ in world.policies]), quiet)
    seal(store, world.log, now=now)
    return api


def test_a_run_starts_ends_and_is_told_to_the_person(cut: Api, tmp_path: Path) -> None:
    made = cut.call("POST", "/v1/runs", json=ORDER, role="engineer")
    assert made.status_code == 201, made.text
    run = made.json()
    assert (run["state"], run["rows"], run["people"], run["gate"]["open"]) == ("started", 2, 1, True)
    (told,) = cut.call("GET", "/v1/people/ann/runs", role="officer").json()["runs"]
    assert (told["run"], told["state"], told["model"]) == (run["id"], "started", "none")
    end = {"state": "finished", "weights": "sha256:" + "0" * 64, "directory": str(tmp_path)}
    for _ in range(2):
        ended = cut.call("POST", f"/v1/runs/{run['id']}/end", json=end, role="engineer").json()
        assert (ended["state"], ended["weights"]["digest"]) == ("finished", end["weights"])
    (told,) = cut.call("GET", "/v1/people/ann/runs", role="officer").json()["runs"]
    assert told["model"] == "stands"
    assert cut.call("GET", f"/v1/runs/{run['id']}", role="auditor").json() == ended
    assert cut.call("GET", "/v1/runs", role="auditor").json()["runs"] == [ended]


def test_after_a_withdrawal_nothing_starts_and_the_refusal_is_kept(cut: Api) -> None:
    act(cut, "withdraw", cut.world.now())
    refused = cut.call("POST", "/v1/runs", json=ORDER, role="engineer")
    assert refused.status_code == 409
    assert "is stale" in refused.json()["detail"]
    (kept,) = cut.call("GET", "/v1/runs", role="engineer").json()["runs"]
    assert (kept["state"], kept["started_at"], kept["gate"]["open"]) == ("abandoned", None, False)
    assert cut.call("GET", "/v1/people/ann/runs", role="officer").json() == {"runs": []}


def test_a_finished_run_names_its_weights(cut: Api) -> None:
    run = cut.call("POST", "/v1/runs", json=ORDER, role="engineer").json()
    ended = cut.call("POST", f"/v1/runs/{run['id']}/end", json={"state": "finished"}, role="engineer")
    assert ended.status_code == 422
    failed = cut.call(
        "POST", f"/v1/runs/{run['id']}/end", json={"state": "failed", "reason": "no disk"}, role="engineer"
    )
    assert (failed.json()["state"], failed.json()["reason"]) == ("failed", "no disk")
    assert (
        cut.call("POST", f"/v1/runs/{run['id']}/end", json={"state": "abandoned"}, role="engineer").status_code == 409
    )


@pytest.mark.parametrize("role", ["product", "officer", "auditor"])
def test_only_engineers_start_runs(cut: Api, role: str) -> None:
    expected = {201} if role == "officer" else {403}
    assert cut.call("POST", "/v1/runs", json=ORDER, role=role).status_code in expected
