"""Connected systems over HTTP, against a chat product that misbehaves."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.connectors.kit import Seeded
from tests.conformance.connectors.simulated import SimulatedWorld
from tests.unit.interfaces.api.server import START, Api

from assent.connectors import registry
from assent.services.erase.derived.connector import acknowledge
from assent.services.erase.registry import add
from assent.services.hold.place import place
from assent.store.records import Hold
from assent.store.sql.erasure import intend_replaced

ERASE = "/v1/connectors/chat/erase"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedWorld:
    monkeypatch.setitem(registry.KINDS, "simulated", "tests.conformance.connectors.simulated_kind")
    return SimulatedWorld(tmp_path / "product")


@pytest.fixture
def seeded(system: SimulatedWorld) -> Sequence[Seeded]:
    return system.seed(4)


@pytest.fixture
def api(api: Api, system: SimulatedWorld) -> Api:
    folder = api.world.settings.home / "connectors"
    folder.mkdir()
    text = f'kind = "simulated"\ndata_dir = "{system.system.folder}"\n[plans]\npro-group = "pro"\n'
    (folder / "chat.toml").write_text(text)
    return api


def left(system: SimulatedWorld, some: Sequence[Seeded]) -> int:
    return sum(system.bytes_left([one.marker for one in some]).values())


def owing(api: Api) -> None:
    """Have an erasure wait for the system."""
    add(api.world.store, "chat", now=START)
    with api.world.store._database.writing() as connection:
        intend_replaced(connection, [1, 2], at=START)


def test_systems_are_listed_with_what_a_look_found_there_last(api: Api) -> None:
    owing(api)
    (one,) = api.call("GET", "/v1/connectors", role="auditor").json()["connectors"]
    expected = {"name": "chat", "kind": "simulated", "problem": None, "erasures": {"present": 1}, "looked_at": None}
    assert one == expected
    acknowledge(api.world.store, 1, "chat", "pending maintenance", note="free pages", now=START)
    found = api.call("GET", "/v1/connectors/chat", role="engineer").json()
    assert (found["erasures"], found["looked_at"]) == ({"pending maintenance": 1}, "2026-11-22T09:00:00Z")
    assert (found["formats"], found["plans"]) == (["simulated"], {"pro-group": "pro"})
    assert found["reach"].startswith("chats, their files")
    missing = api.call("GET", "/v1/connectors/nowhere", role="officer")
    assert (missing.status_code, missing.json()["fix"]) == (404, "connected are: chat")


def test_a_broken_file_is_said_and_is_not_the_fault_of_whoever_asks(api: Api) -> None:
    (api.world.settings.home / "connectors" / "chat.toml").write_text('kind = "simulated"\ndata = 3\n')
    (one,) = api.call("GET", "/v1/connectors", role="officer").json()["connectors"]
    assert one["kind"] is None
    assert "`data_dir` is missing" in one["problem"]
    for answer in (
        api.call("GET", "/v1/connectors/chat", role="officer"),
        api.call("GET", "/v1/connectors/chat/copies?id=x", role="officer"),
        api.post(ERASE, {"ids": ["x"]}, role="officer"),
    ):
        assert answer.status_code == 503
        assert "`chat` cannot be used" in answer.json()["detail"]


def test_copies_are_found_by_either_id_and_nothing_changes(
    api: Api, system: SimulatedWorld, seeded: Sequence[Seeded]
) -> None:
    before = left(system, seeded)
    for name in (seeded[0].id, f"simulated:{seeded[0].id}"):
        found = api.call("GET", "/v1/connectors/chat/copies", params={"id": name}, role="auditor").json()
        assert (found["id"], found["state"]) == (seeded[0].id, "present")
        assert {one["kind"] for one in found["copies"]} >= {"chat row", "log lines"}
    nowhere = api.call("GET", "/v1/connectors/chat/copies?id=nothing", role="auditor").json()
    assert nowhere == {"id": "nothing", "state": "nowhere", "copies": []}
    (blank,) = api.post(ERASE, {"ids": [" ", " "]}, role="officer").json()["outcomes"]
    assert blank["id"] == " "
    assert left(system, seeded) == before
    system.break_down()
    assert api.call("GET", "/v1/connectors/chat/copies?id=x", role="auditor").status_code == 503


def test_every_copy_is_erased_and_answered_for_and_the_same_again_does_no_harm(
    api: Api, system: SimulatedWorld, seeded: Sequence[Seeded]
) -> None:
    gone, kept = seeded[:2], seeded[2:]
    body, others = {"ids": [gone[0].id, f"simulated:{gone[1].id}"]}, left(system, kept)
    pending = api.post(ERASE, body, role="officer").json()
    assert pending["removed"] is False
    assert {one["state"] for one in pending["outcomes"]} == {"pending maintenance"}
    runs_still = api.post(ERASE, body | {"maintenance": True}, role="engineer")
    assert runs_still.status_code == 409
    with system.maintenance():
        done = api.post(ERASE, body | {"maintenance": True}, role="engineer").json()
    assert done["removed"] is True
    assert [one["id"] for one in done["outcomes"]] == [one.id for one in gone]
    assert {copy["state"] for one in done["outcomes"] for copy in one["copies"]} == {"removed"}
    assert (left(system, gone), left(system, kept)) == (0, others)
    assert api.post(ERASE, body, role="officer").json()["removed"] is True
    again = [api.post(ERASE, body, role="officer", idempotency_key="one") for _ in range(2)]
    assert again[0].json() == again[1].json()
    assert again[1].headers["idempotency-replayed"] == "true"


@pytest.mark.fault("system that lies")
def test_a_lying_system_is_not_believed_and_one_that_is_down_is_an_outcome(
    api: Api, system: SimulatedWorld, seeded: Sequence[Seeded]
) -> None:
    with system.lie():
        told = api.post(ERASE, {"ids": [seeded[0].id]}, role="officer").json()
    assert (told["removed"], told["outcomes"][0]["state"]) == (False, "present")
    system.break_down()
    (one,) = api.post(ERASE, {"ids": [seeded[0].id]}, role="officer").json()["outcomes"]
    assert (one["state"], one["note"], one["copies"]) == ("not reachable", "connection refused", [])


def test_what_a_hold_covers_stays(api: Api, system: SimulatedWorld, seeded: Sequence[Seeded]) -> None:
    review = START + timedelta(days=90)
    place(api.world.store, api.world.journal, Hold("h", "m", "everyone", None, START, "desk", "an order", review))
    before = left(system, seeded)
    (one,) = api.post(ERASE, {"ids": [seeded[0].id]}, role="officer").json()["outcomes"]
    assert (one["state"], one["note"]) == ("held", "a hold covers it")
    assert left(system, seeded) == before


@pytest.mark.parametrize("role", ["product", "safety", "directory", "auditor"])
def test_only_officers_and_engineers_erase(api: Api, system: SimulatedWorld, role: str) -> None:
    assert api.post(ERASE, {"ids": ["x"]}, role=role).status_code == 403
    reads = 200 if role == "auditor" else 403
    assert api.call("GET", "/v1/connectors", role=role).status_code == reads
    assert api.call("GET", "/v1/connectors/chat/copies?id=x", role=role).status_code == reads


@pytest.mark.parametrize("ids", [[], [""], ["a\nb"], ["x"] * 201, "x", [1]])
def test_a_list_that_is_none_is_refused(api: Api, ids: object) -> None:
    assert api.post(ERASE, {"ids": ids}, role="officer").status_code == 422
