"""Langfuse keeps the promises of a connector, against a stand-in that queues, shifts, limits and lies as it does."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from langfuse.api.client import LangfuseAPI
from tests.conformance.connectors.kit import LyingPromises, Promises
from tests.conformance.connectors.langfuse_worlds import EVENTS, GENERATIONS, LangfuseWorld

from assent.connectors.langfuse import product as module
from assent.connectors.port import state_of
from assent.domain.errors import AssentError


@pytest.fixture(params=list(GENERATIONS))
def world(tmp_path: Path, socket_enabled: None, request: pytest.FixtureRequest) -> Iterator[LangfuseWorld]:
    with LangfuseWorld(tmp_path, request.param) as world:
        yield world


class TestLangfuse(Promises, LyingPromises):
    many = 12

    @pytest.fixture
    def world(self, tmp_path: Path, socket_enabled: None) -> Iterator[LangfuseWorld]:
        with LangfuseWorld(tmp_path) as world:
            yield world


@pytest.mark.deep
class TestLangfuseInABadMood(Promises, LyingPromises):
    many = 120

    @pytest.fixture(params=[("to 3", {"shifts": True}), ("from 4", {"limits": True}), ("both", {"limits": True})])
    def world(self, tmp_path: Path, socket_enabled: None, request: pytest.FixtureRequest) -> Iterator[LangfuseWorld]:
        generation, mood = request.param
        with LangfuseWorld(tmp_path, generation, **mood) as world:
            yield world


@pytest.mark.parametrize("world", ["to 3"], indirect=True)
def test_a_list_whose_pages_shift_under_limits_is_read_whole(world: LangfuseWorld) -> None:
    seeded = world.seed(130)
    world.stub.mood |= {"shifts": True, "limits": True}
    naive = world.stub._page("/traces", {"page": "1", "limit": "100"})["data"]
    naive += world.stub._page("/traces", {"page": "2", "limit": "100"})["data"]
    naive += world.stub._page("/traces", {"page": "3", "limit": "100"})["data"]
    assert len({row["id"] for row in naive}) < 260  # one pass does miss some
    assert {one.id for one in world.product().list()} == {one.id for one in seeded}


def test_a_queue_that_takes_its_time_is_waited_for(world: LangfuseWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_S", 0.01)
    (one,) = world.seed(1)
    world.stub.mood["late"] = 60
    assert state_of(world.product(wait_s=0).erase([one.id])[one.id]) == "present"
    assert state_of(world.product(wait_s=3).erase([one.id])[one.id]) == "pending maintenance"


def test_a_score_that_is_left_when_its_trace_is_gone_is_found_and_deleted(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    world.product().erase([one.id])
    world.score("late", f"late {one.marker}", traceId="t-1-0")
    found = world.product().verify([one.id])[one.id]
    assert [(copy.kind, copy.state) for copy in found if copy.state == "present"] == [("scores", "present")]
    world.product().erase([one.id])
    assert not world.stub.rows["/v2/scores"]


def test_what_no_request_shows_is_not_reachable_until_somebody_says_when_it_goes(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    answers = world.product(cleaned_after_days=None).erase([one.id])[one.id]
    assert [copy.kind for copy in answers if copy.state != "removed"] == ["masked rows and raw events"]
    assert state_of(answers) == "not reachable"
    pending = world.product().verify([one.id])[one.id]
    assert state_of(pending) == "pending maintenance"
    assert "until 2026-06-08" in pending[-1].note


def test_a_comment_stays_and_is_said_to(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    world.add_comment("c", one.marker, "t-1-0")
    answers = world.product().erase([one.id])[one.id]
    assert {copy.kind: copy.state for copy in answers}["comments"] == "not reachable"
    assert one.marker not in str(answers)


def test_an_empty_id_is_no_filter_and_reaches_nothing(world: LangfuseWorld) -> None:
    kept = world.seed(2)
    assert world.product().erase([""])[""] == []
    assert len(list(world.product().list())) == len(kept)


def test_a_trace_without_input_is_told_by_its_observations(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    for row in [*world.stub.rows["/traces"], *world.stub.rows[EVENTS][:1]]:
        row["input"] = row["output"] = None
    for number, row in enumerate(list(world.stub.rows[EVENTS])):
        inner = {"id": f"inner-{number}", "parentObservationId": row["id"], "input": f"asked of {one.marker}"}
        world.stub.add(EVENTS, **{**row, **inner, "output": "answered"})
    (conversation,) = world.product().read([one.id])
    assert one.marker in str(conversation)


@pytest.mark.parametrize("world", ["both"], indirect=True)
def test_what_is_left_in_one_generation_only_is_present(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    kept = list(world.stub.rows[EVENTS])
    world.product().erase([one.id])
    world.stub.rows[EVENTS] = kept
    assert state_of(world.product().verify([one.id])[one.id]) == "present"
    world.product().erase([one.id])
    assert not world.stub.rows[EVENTS]


@pytest.mark.parametrize("world", ["from 4"], indirect=True)
def test_a_trace_that_another_session_shares_is_not_deleted_and_said(world: LangfuseWorld) -> None:
    one, other = world.seed(2)
    ours, theirs = (
        next(row for row in world.stub.rows[EVENTS] if row["sessionId"] == name) for name in (one.id, other.id)
    )
    world.stub.add(EVENTS, **{**theirs, "id": "both", "traceId": ours["traceId"]})
    answers = world.product().erase([one.id])[one.id]
    assert state_of(answers) == "not reachable"
    assert "another session" in answers[0].note
    assert len([row for row in world.stub.rows[EVENTS] if other.marker in str(row)]) == 3


@pytest.mark.parametrize("world", ["from 4"], indirect=True)
def test_a_server_that_serves_no_known_list_is_an_error_and_never_an_absence(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    world.stub.served = {"/dataset-items", "/comments"}
    with pytest.raises(AssentError, match="traces of this Langfuse cannot be read"):
        world.product().verify([one.id])
    world.stub.served |= {EVENTS}
    with pytest.raises(AssentError, match="scores of this Langfuse cannot be read"):
        world.product().verify([one.id])


@pytest.mark.parametrize("world", ["from 4"], indirect=True)
def test_a_list_that_goes_round_ends_with_an_error(world: LangfuseWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.seed(1)
    monkeypatch.setattr(world.stub, "_run", lambda *_: {"data": [], "meta": {"cursor": "again"}})
    with pytest.raises(AssentError, match="same part of a list again"):
        list(world.product().list())


def test_its_own_client_reads_every_body_of_the_stand_in(world: LangfuseWorld) -> None:
    """The client that Langfuse publishes is made from its definitions: what it reads is shaped as Langfuse answers."""
    (one,) = world.seed(1)
    world.add_comment("c", one.marker, "t-1-0")
    address = f"http://127.0.0.1:{world.port}"
    with httpx.Client() as wire:
        client = LangfuseAPI(base_url=address, username="pk-lf-1", password="sk-lf-1", httpx_client=wire)
        if "/traces" in world.stub.served:
            assert [row.session_id for row in client.trace.list(session_id=one.id, page=1, limit=50).data] == [
                one.id
            ] * 2
            under = client.legacy.observations_v1.get_many(trace_id="t-1-0", page=1, limit=50)
            assert [row.trace_id for row in under.data] == ["t-1-0"]
            assert len(client.scores.get_many(trace_id="t-1-0", page=1, limit=50).data) == 1
        if EVENTS in world.stub.served:
            wanted = json.dumps([{"type": "string", "column": "sessionId", "operator": "=", "value": one.id}])
            rows = client.observations.get_many(filter=wanted, fields="core,basic,io", limit=1)
            assert one.marker in str(rows.data[0].input)
            assert rows.meta.cursor
            scores = client.scores_v3.get_many_v3(session_id=one.id, fields="subject", limit=50).data
            assert [(row.subject.kind, row.subject.id) for row in scores if row.subject] == [("session", one.id)]
        assert len(client.dataset_items.list(source_trace_id="t-1-0", page=1, limit=50).data) == 1
        assert len(client.comments.get(object_type="TRACE", object_id="t-1-0", page=1, limit=50).data) == 1
        client.trace.delete_multiple(trace_ids=["t-1-0", "t-1-1"])
        client.legacy.score_v1.delete("ss-1")
        client.dataset_items.delete("i-1")
    assert {copy.kind for copy in world.product().copies([one.id])[one.id]} <= {"comments"}


def test_a_repeated_history_counts_once(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    (conversation,) = world.product().read([one.id])
    said = [part.speaker for part in conversation.parts]  # type: ignore[union-attr]
    assert said == ["user", "assistant", "user", "assistant"]


def test_watching_goes_on_behind_the_last_trace(world: LangfuseWorld) -> None:
    world.seed(2)
    changes = list(world.product().watch())
    assert len(changes) == 4
    assert list(world.product().watch(changes[-1].cursor)) == []
    world.seed(1)
    assert {one.id for one in world.product().watch(changes[-1].cursor)} == {"session-0000003"}


def test_wrong_keys_are_an_error_and_never_an_absence(world: LangfuseWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = world.seed(1)
    monkeypatch.setattr(world.stub, "answer", lambda *_: (401, {"message": "who"}))
    with pytest.raises(AssentError, match="keys"):
        world.product().verify([one.id])
