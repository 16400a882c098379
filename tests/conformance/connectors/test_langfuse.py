"""Langfuse keeps the promises of a connector, against a stand-in that queues, shifts, limits and lies as it does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.connectors.kit import LyingPromises, Promises
from tests.conformance.connectors.langfuse_worlds import LangfuseWorld

from assent.connectors.langfuse import product as module
from assent.connectors.port import state_of
from assent.domain.errors import AssentError


@pytest.fixture
def world(tmp_path: Path, socket_enabled: None) -> Iterator[LangfuseWorld]:
    with LangfuseWorld(tmp_path) as world:
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

    @pytest.fixture(params=[{"shifts": True}, {"limits": True}])
    def world(self, tmp_path: Path, socket_enabled: None, request: pytest.FixtureRequest) -> Iterator[LangfuseWorld]:
        with LangfuseWorld(tmp_path, **request.param) as world:
            yield world


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
    world.stub.add("/v2/scores", id="late", traceId="t-1-0", comment=f"late {one.marker}")
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
    world.stub.add("/comments", id="c", objectType="TRACE", objectId="t-1-0", content=one.marker)
    answers = world.product().erase([one.id])[one.id]
    assert {copy.kind: copy.state for copy in answers}["comments"] == "not reachable"
    assert one.marker not in str(answers)


def test_an_empty_id_is_no_filter_and_reaches_nothing(world: LangfuseWorld) -> None:
    kept = world.seed(2)
    assert world.product().erase([""])[""] == []
    assert len(list(world.product().list())) == len(kept)


def test_a_trace_without_input_is_told_by_its_observations(world: LangfuseWorld) -> None:
    (one,) = world.seed(1)
    for row in world.stub.rows["/traces"]:
        row["input"] = row["output"] = None
    (conversation,) = world.product().read([one.id])
    assert one.marker in str(conversation)


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
