"""A run starts only if everything in its cut may be used at that instant, and the record says what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.services.cut_world import NOW
from tests.unit.services.run.run_world import DAY, SECOND, Provider, provider

from assent.domain.errors import NotFound, Refused
from assent.services.cut.retire import retire
from assent.services.ledger.audit import audit_store
from assent.services.run.gate import not_to_be_used, verify
from assent.services.run.plan import find_run, folder_of
from assent.services.run.reach import every_run, reached
from assent.services.run.state import abandon, fail, finish, start
from assent.store.records import Cut, Hold, Page, Run


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "acme") as made:
        made.people("ann", "bob", chats=2)
        made.cut()
        yield made


def newest(acme: Provider) -> Cut:
    return acme.store.cuts_named("spring")[-1]


def refused(acme: Provider, run: Run, words: str) -> Run:
    with pytest.raises(Refused, match=words):
        start(acme.runs, run)
    found = acme.store.run(run.id)
    assert found.state == "abandoned"
    assert found.started_at is None
    assert json.loads(found.gate)["open"] is False
    return found


def test_a_run_on_a_fresh_cut_starts_and_says_on_what(acme: Provider) -> None:
    run = start(acme.runs, acme.planned())
    assert (run.state, run.started_at, run.rows, run.conversations, run.people) == ("started", NOW, 8, 4, 2)
    assert (run.cut, run.number, run.manifest, run.purpose) == ("spring", 1, newest(acme).manifest, "training")
    assert json.loads(run.policies) == [policy.digest for policy, _ in acme.runs.policies]
    assert json.loads(run.gate) == {
        "at": "2026-05-01T00:00:00Z",
        "rows": 8,
        "erased": 0,
        "stale": {},
        "wrong": {},
        "unchecked": [],
        "without": 0,
        "open": True,
    }
    assert (folder_of(acme.runs, run.id) / "config.toml").read_text() == "[run]\n"


def test_a_withdrawal_a_second_before_the_start_stops_it(acme: Provider) -> None:
    run = acme.planned()
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    found = refused(acme, run, "`spring` number `1` is stale.*4 x withdrawn")
    assert found.rows == 0
    assert reached(acme.store, subjects=["ann"]) == []


def test_after_a_refresh_the_run_starts_without_the_one_who_withdrew(acme: Provider) -> None:
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    acme.cut()
    run = start(acme.runs, acme.planned())
    assert (run.number, run.people, run.conversations) == (2, 1, 2)
    assert reached(acme.store, subjects=["ann"]) == []
    assert [one.run.id for one in reached(acme.store, subjects=["bob"])] == [run.id]


def test_a_withdrawal_a_second_after_the_start_finds_a_run_that_had_started(acme: Provider) -> None:
    run = start(acme.runs, acme.planned())
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    found = reached(acme.store, subjects=["ann"])
    assert [(one.run.id, one.run.state) for one in found] == [(run.id, "started")]
    assert found[0].run.started_at < NOW + SECOND


def test_a_hold_stops_the_start(acme: Provider) -> None:
    acme.store.place_hold(Hold("h1", "m", "person", "ann", NOW, "officer", "a court", NOW + 90 * DAY))
    acme.clock = NOW + SECOND
    refused(acme, acme.planned(), "held|hold")


def test_nothing_starts_on_a_cut_that_was_changed(acme: Provider) -> None:
    shard = next((Path(newest(acme).directory) / "data").glob("messages-train-*.jsonl"))
    shard.write_bytes(shard.read_bytes().replace(b"question", b"QUESTION"))
    refused(acme, acme.planned(), "tampered")


def test_nothing_starts_where_the_files_are_gone(acme: Provider) -> None:
    folder = Path(newest(acme).directory)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(Refused, match="files of cut `spring` number `1` are not there"):
        start(acme.runs, acme.planned())


def test_nothing_is_planned_on_a_retired_cut(acme: Provider) -> None:
    retire(acme.store, newest(acme), acme.folder / "cuts", salt=bytes(32), now=NOW)
    with pytest.raises(Refused, match="cut `spring` number `1` is retired"):
        acme.planned()
    assert list(every_run(acme.store)) == []


def test_a_run_may_leave_out_those_who_may_not_be_used_and_nobody_else_is_spared(acme: Provider) -> None:
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.choose("bob", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    stopped = not_to_be_used(acme.runs, newest(acme))
    assert sorted(stopped) == ["test:ann-0", "test:ann-1", "test:bob-0", "test:bob-1"]
    refused(acme, acme.planned(without=["test:ann-0", "test:ann-1", "test:bob-0"]), "is stale.*1 x withdrawn")
    run = start(acme.runs, acme.planned(without=sorted(stopped)))
    assert (run.rows, run.conversations, run.people) == (0, 0, 0)
    assert reached(acme.store, subjects=["ann", "bob"]) == []


def test_only_what_was_left_out_is_not_reached(acme: Provider) -> None:
    run = start(acme.runs, acme.planned(without=["test:ann-1"]))
    assert (run.rows, run.conversations, run.people) == (6, 3, 2)
    assert [one.run.id for one in reached(acme.store, conversations=["test:ann-0"])] == [run.id]
    assert reached(acme.store, conversations=["test:ann-1"]) == []
    assert [one.run.id for one in reached(acme.store, subjects=["ann"])] == [run.id]


def test_a_model_that_goes_on_from_a_model_is_reached_too(acme: Provider) -> None:
    first = start(acme.runs, acme.planned())
    finish(acme.runs, first, "sha256:first", acme.folder)
    second = start(acme.runs, acme.planned(base="sha256:first", without=["test:ann-0", "test:ann-1"]))
    found = reached(acme.store, subjects=["ann"])
    assert [(one.run.id, one.after) for one in found] == [(first.id, ""), (second.id, first.id)]


def test_a_run_that_takes_the_place_of_another_supersedes_its_weights(acme: Provider) -> None:
    first = start(acme.runs, acme.planned())
    finish(acme.runs, first, "sha256:first", acme.folder)
    second = start(acme.runs, acme.planned(parent=first.id, without=["test:ann-0", "test:ann-1"]))
    finish(acme.runs, second, "sha256:second", acme.folder)
    found = reached(acme.store, subjects=["ann"])
    assert [(one.run.id, one.replaced_by) for one in found] == [(first.id, second.id)]


def test_a_run_ends_once(acme: Provider) -> None:
    run = start(acme.runs, acme.planned())
    assert fail(acme.runs, run, "the disk was full").state == "failed"
    for end in (lambda: abandon(acme.runs, run, "why"), lambda: finish(acme.runs, run, "sha256:x", acme.folder)):
        with pytest.raises(Refused, match=f"run `{run.id}` is failed"):
            end()
    assert [one.run.id for one in reached(acme.store, subjects=["ann"])] == [run.id]


def test_the_ledger_says_what_became_of_a_run_and_nobodys_name(acme: Provider) -> None:
    run = start(acme.runs, acme.planned())
    finish(acme.runs, run, "sha256:made", acme.folder)
    records = [json.loads(one.record) for one in acme.store.run_leaves(run.id)]
    assert [record["act"] for record in records] == ["planned", "started", "finished"]
    assert records[1]["gate"]["open"] is True
    assert records[1]["people"] == 2
    assert records[2]["weights"] == "sha256:made"
    whole = json.dumps([{name: value for name, value in record.items() if name != "act"} for record in records])
    assert not any(name in whole for name in ("ann", "bob"))
    assert audit_store(acme.store, acme.log).faults == ()


def test_a_run_is_found_by_the_beginning_of_its_name(acme: Provider) -> None:
    run = acme.planned()
    assert find_run(acme.runs, run.id[:-2]) == run
    with pytest.raises(NotFound, match="there is no run `summer`"):
        find_run(acme.runs, "summer")
    assert [one.id for one in acme.store.runs(Page(limit=10)).items] == [run.id]


def test_leaving_somebody_out_excuses_no_fault_of_those_who_stay(acme: Provider) -> None:
    """The folder agrees with its manifest and the store, and a row of bob's has the decision of another."""
    cut = newest(acme)
    shard = next((Path(cut.directory) / "data").glob("parts-train-*.parquet"))
    table = pq.read_table(shard)
    wrong = [
        "sha256:" + "0" * 64 if conversation.startswith("test:bob") else decision
        for conversation, decision in zip(table["conversation"].to_pylist(), table["decision"].to_pylist(), strict=True)
    ]
    place = table.column_names.index("decision")
    pq.write_table(table.set_column(place, table.schema.field("decision"), pa.array(wrong)), shard)
    without = ["test:ann-0", "test:ann-1"]
    assert verify(acme.runs, cut, without).wrong["decision"] == 4
    assert verify(acme.runs, cut, [*without, "test:bob-0", "test:bob-1"]).wrong["decision"] == 0
