"""Runs are kept for ever, go through their states in order, and tell whose conversations they had to use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from assent.domain.conversation import Conversation, Part
from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import Cut, CutRow, Page, Run, RunStart, StagedReceipt, StillIn, Weights

T0 = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CUT = Cut("spring", 1, "sha256:m1", T0, "cuts/spring-1", "training", T0)
ROWS = [CutRow("test:a", "p", "ann"), CutRow("test:b", "p", "ann"), CutRow("test:c", "p", "bob")]


def run(name: str = "spring-1-aa", **more: object) -> Run:
    plain = Run(name, "spring", 1, "sha256:m1", "training", "trl", "sha256:c", "1.0", T0)
    return replace(plain, **more)


def begun(hours: int = 1, rows: int = 3) -> RunStart:
    return RunStart(T0 + hours * HOUR, '["sha256:p"]', rows, 3, 2, '{"open":true}')


def leaf(record: str = "{}") -> StagedReceipt:
    return StagedReceipt(record, bytes(32), bytes(32))


@pytest.fixture
def kept(store: Store) -> Store:
    store.record_cut(CUT, ROWS)
    store.record_cut(replace(CUT, number=2, manifest="sha256:m2"), [], ROWS[:1])
    return store


def names(runs: list[Run]) -> list[str]:
    return [one.id for one in runs]


def test_a_run_is_read_back_as_it_was_planned_and_started(kept: Store) -> None:
    kept.plan_run(run(), ["test:z"])
    assert kept.run("spring-1-aa") == run()
    kept.start_run("spring-1-aa", begun())
    started = replace(
        run(),
        state="started",
        started_at=T0 + HOUR,
        policies='["sha256:p"]',
        rows=3,
        conversations=3,
        people=2,
        gate='{"open":true}',
    )
    assert kept.run("spring-1-aa") == started
    kept.end_run("spring-1-aa", "failed", T0 + 2 * HOUR, reason="the disk was full", gate='{"open":false}')
    ended = replace(started, state="failed", ended_at=T0 + 2 * HOUR, reason="the disk was full")
    assert kept.run("spring-1-aa") == ended
    assert kept.run("spring-1-bb") is None


def test_planning_again_does_nothing_and_another_run_of_the_name_is_refused(kept: Store) -> None:
    kept.plan_run(run())
    kept.plan_run(run())
    with pytest.raises(Refused, match="another run"):
        kept.plan_run(run(config="sha256:d"))
    assert kept.runs(Page(limit=10)).total == 1


@pytest.mark.parametrize("wrong", [{"number": 3}, {"manifest": "sha256:x"}, {"cut": "summer"}, {"parent": "nobody"}])
def test_a_run_needs_its_cut_and_its_parent(kept: Store, wrong: dict[str, object]) -> None:
    with pytest.raises(NotFound):
        kept.plan_run(run(**wrong))


def test_states_follow_one_another_and_never_go_back(kept: Store) -> None:
    kept.plan_run(run())
    with pytest.raises(Refused, match="is planned, so it cannot be finished"):
        kept.end_run("spring-1-aa", "finished", T0)
    kept.start_run("spring-1-aa", begun())
    with pytest.raises(Refused, match="is started, so it cannot be started"):
        kept.start_run("spring-1-aa", begun())
    kept.end_run("spring-1-aa", "abandoned", T0 + HOUR)
    kept.end_run("spring-1-aa", "abandoned", T0 + 2 * HOUR)
    assert kept.run("spring-1-aa").ended_at == T0 + HOUR
    with pytest.raises(Refused, match="is abandoned"):
        kept.end_run("spring-1-aa", "finished", T0)
    with pytest.raises(NotFound):
        kept.start_run("nobody", begun())


def test_only_runs_that_started_reach_a_person_and_only_with_what_they_did_not_leave_out(kept: Store) -> None:
    kept.plan_run(run("planned"))
    kept.plan_run(run("all"))
    kept.plan_run(run("without-a"), ["test:a"])
    kept.plan_run(run("without-ann"), ["test:a", "test:b"])
    kept.plan_run(run("later", number=2, manifest="sha256:m2"))
    for hours, name in enumerate(("all", "without-a", "without-ann", "later"), 1):
        kept.start_run(name, begun(hours))
    assert names(kept.runs_with_person("ann")) == ["all", "without-a", "later"]
    assert names(kept.runs_with_person("bob")) == ["all", "without-a", "without-ann", "later"]
    assert names(kept.runs_with("test:a")) == ["all"]
    assert names(kept.runs_with("test:b")) == ["all", "without-a", "later"]
    assert names(kept.runs_with_person("cleo")) == []
    assert list(kept.left_out("without-ann")) == ["test:a", "test:b"]


def test_what_is_gone_at_the_start_is_left_out_too(kept: Store) -> None:
    kept.plan_run(run(), ["test:a"])
    kept.start_run("spring-1-aa", begun(), ["test:a", "test:c"])
    assert list(kept.left_out("spring-1-aa")) == ["test:a", "test:c"]
    assert names(kept.runs_with_person("bob")) == []


def test_rows_that_are_still_kept_are_counted_by_conversation(kept: Store) -> None:
    part = Part("p", "t", "user", "person", "text", "words", T0)
    kept.intake([Conversation("test:b", "test", (part,), "ann")], plan=None, recorded_at=T0)
    assert list(kept.still_in("spring", 1)) == [
        StillIn("test:a", "ann", 0),
        StillIn("test:b", "ann", 1),
        StillIn("test:c", "bob", 0),
    ]


def test_what_a_run_made_is_kept_and_found_by_its_digest(kept: Store) -> None:
    made = Weights("spring-1-aa", "sha256:w", "runs/w", T0 + HOUR)
    kept.plan_run(run())
    kept.start_run("spring-1-aa", begun())
    kept.end_run("spring-1-aa", "finished", T0 + HOUR, made=made)
    assert kept.weights_of("spring-1-aa") == made
    assert kept.weights_with("sha256:w") == [made]
    kept.change_weights("spring-1-aa", claim="re-identifiable for enforcement", superseded_by="other")
    kept.change_weights("spring-1-aa", retired_at=T0 + 2 * HOUR)
    kept.change_weights("spring-1-aa", retired_at=T0 + 3 * HOUR)
    claimed = replace(made, claim="re-identifiable for enforcement", superseded_by="other", retired_at=T0 + 2 * HOUR)
    assert kept.weights_of("spring-1-aa") == claimed
    with pytest.raises(NotFound, match="has made no weights"):
        kept.change_weights("nobody", claim="de-linked")


def test_runs_that_go_on_from_weights_are_found(kept: Store) -> None:
    kept.plan_run(run("child", base="sha256:w"))
    assert kept.runs_from("sha256:w") == []
    kept.start_run("child", begun())
    assert names(kept.runs_from("sha256:w")) == ["child"]


def test_the_ledger_has_a_leaf_for_every_act(kept: Store) -> None:
    before = kept.staged()
    kept.plan_run(run(), leaf=leaf('{"act":"planned"}'))
    kept.start_run("spring-1-aa", begun(), leaf=leaf('{"act":"started"}'))
    kept.end_run("spring-1-aa", "abandoned", T0 + HOUR, leaf=leaf('{"act":"abandoned"}'))
    found = kept.run_leaves("spring-1-aa")
    assert [one.leaf for one in found] == [before, before + 1, before + 2]
    assert kept.run_record(found[1].leaf) == '{"act":"started"}'
    assert kept.run_record(99) is None


def test_runs_are_listed_newest_first_and_by_cut(kept: Store) -> None:
    for hours, name in enumerate(("one", "two", "three")):
        kept.plan_run(run(name, planned_at=T0 + hours * HOUR))
    first = kept.runs(Page(limit=2))
    assert names(list(first.items)) == ["three", "two"]
    assert names(list(kept.runs(Page(limit=2, after=first.after)).items)) == ["one"]
    assert names(kept.runs_of("spring", 1)) == ["one", "two", "three"]
    assert kept.runs_of("spring", 2) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run SET manifest = 'x'",
        "UPDATE run SET started_at = 1",
        "UPDATE run SET gate = '{}'",
        "DELETE FROM run",
        "DELETE FROM run_without",
        "UPDATE weights SET digest = 'x'",
        "DELETE FROM weights",
    ],
)
def test_the_database_itself_keeps_what_was(open_store: Callable[[], Store], statement: str) -> None:
    kept = open_store()
    kept.record_cut(CUT, ROWS)
    kept.plan_run(run(), ["test:a"])
    kept.start_run("spring-1-aa", begun())
    kept.end_run("spring-1-aa", "finished", T0 + HOUR, made=Weights("spring-1-aa", "sha256:w", "runs/w", T0))
    with pytest.raises(DBAPIError, match=r"stays|are kept"), kept._database.writing() as connection:
        connection.exec_driver_sql(statement)
