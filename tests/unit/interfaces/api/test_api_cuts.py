"""Cuts over HTTP: whoever trains asks before a run whether everything in a cut may still be used."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Api
from tests.unit.services.cut_world import quiet

from assent.domain.conversation import Conversation, Part
from assent.policy.versions import by_date
from assent.services.cut.order import CutOrder
from assent.services.cut.take import take
from assent.services.cut.watch import STALE, watch
from assent.store.columns import Columns
from assent.store.records import Account, Choice, Page

BEFORE, TALKED = START - timedelta(days=2), START - timedelta(days=1)


@pytest.fixture
def cut(api: Api, tmp_path: Path) -> Api:
    store = api.world.store
    store.put_accounts([Account("ann", plan="pro", age=30, region="DE")])
    store.add_choice(Choice("act", "ann", "training", "allow", BEFORE, "sha256:n", "web", "web", BEFORE))
    parts = (
        Part("1", "t1", "user", "person", "text", "a question", TALKED),
        Part("2", "t2", "assistant", "model", "text", "an answer", TALKED),
    )
    store.intake(
        [Conversation("test:a", "test", parts, "ann", created_at=TALKED, last_turn_at=TALKED)],
        plan=None,
        recorded_at=TALKED,
    )
    now, keys = api.world.now(), tmp_path / "cuts"
    order = CutOrder("spring", "training", now, now, tmp_path / "out", keys, bytes(32), bytes(32), "0.0.1")
    take(order, store, Columns(), by_date([policy for policy, _ in api.world.policies]), quiet)
    return api


def withdraw(api: Api) -> None:
    now = api.world.now()
    api.world.store.add_choice(Choice("no", "ann", "training", "withdraw", now, "sha256:n", "web", "web", now))


def test_a_cut_is_fresh_until_somebody_withdraws(cut: Api) -> None:
    (listed,) = cut.call("GET", "/v1/cuts", role="engineer").json()["cuts"]
    assert (listed["name"], listed["number"], listed["purpose"]) == ("spring", 1, "training")
    before = cut.call("GET", "/v1/cuts/spring/1", role="engineer").json()
    assert (before["fresh"], before["rows"], before["stale"]) == (True, 2, {})
    withdraw(cut)
    after = cut.call("GET", "/v1/cuts/spring/1", role="auditor").json()
    assert (after["fresh"], after["rows"], after["stale"]) == (False, 2, {"withdrawn": 2})


def test_others_are_told_once_of_each_state(cut: Api) -> None:
    store, policies = cut.world.store, by_date([policy for policy, _ in cut.world.policies])
    watch(store, Columns(), policies, cut.world.now())
    assert store.events(Page(), type=STALE).total == 0
    withdraw(cut)
    for _ in range(3):
        watch(store, Columns(), policies, cut.world.now())
    (event,) = store.events(Page(), type=STALE).items
    assert event.about == "cut/spring/1"
    assert '"stale":{"withdrawn":2}' in event.data
    assert "ann" not in event.data


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/cuts/spring/2", 404), ("/v1/cuts/summer/1", 404), ("/v1/cuts/spring/0", 422), ("/v1/cuts/spring/x", 422)],
)
def test_what_is_not_there_is_said(cut: Api, path: str, status: int) -> None:
    answer = cut.call("GET", path, role="engineer")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_product_may_not_ask(cut: Api) -> None:
    assert cut.call("GET", "/v1/cuts", role="product").status_code == 403
    assert cut.call("GET", "/v1/cuts", role=None).status_code == 401
