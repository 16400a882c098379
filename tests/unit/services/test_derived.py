"""Copies outside the store: rows leave the folders of cuts, and other systems are waited for."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cut_world import NOW, World, chat, said, world
from ledger_world import log_of
from provider import VALID, erasure_world, text_of
from tests.cut_files import lines_of, rows_of

from assent.domain.errors import AssentError, Incomplete, Invalid, NotFound, Refused
from assent.pipeline.check import check
from assent.services.erase.carry_out import carry_out
from assent.services.erase.derived.connector import acknowledge
from assent.services.erase.registry import add, retire
from assent.services.erase.world import ErasureWorld
from assent.services.ledger.rotate import found
from assent.services.plan import make_plan
from assent.services.sweep import SweepReport, SweepTerms, find_plan, require_done, sweep_plan
from assent.store.columns import Columns
from assent.store.records import Endpoint, Page

LATER = NOW + timedelta(days=40)


class Home(World):
    """A store with cuts, and what erasing reaches beside it."""

    def erasure_world(self) -> ErasureWorld:
        return erasure_world(self.folder, self.store)

    def delete(self, name: str) -> SweepReport:
        """Let the person delete a conversation, and sweep when its time is over."""
        self.store.request_deletion(f"test:{name}", NOW)
        texts = [(one, text_of(one.name)) for one in self.policies]
        columns = Columns(threads=1)  # a session answers one question at a time, and a cut may be asking
        digest = make_plan(self.store, columns, texts, at=LATER, batch_rows=50).digest
        plan, outer = find_plan(self.store, digest), self.erasure_world()
        terms = SweepTerms(valid=VALID)
        return sweep_plan(
            self.store, columns, self.policies, plan, outer, now=LATER, terms=terms, on_rows=lambda _rows: None
        )

    def states(self, erasure: int = 1) -> dict[str, tuple[str, str]]:
        return {one.store: (one.state, one.note) for one in self.store.obligations(erasure)}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Two people who allow training, four conversations, all in a cut."""
    with world(tmp_path / "home") as made:
        home = Home(made.folder, made.store)
        found(home.store, log_of(), now=NOW - timedelta(days=90))
        for subject in ("ann", "bob"):
            home.person(subject, allows=True)
        home.keep(*(chat(name) for name in ("a1", "a2", "a3")), chat("b1", "bob"))
        home.cut("first")
        yield home


SHARD = "data/parts-train-00000.parquet"


def rows(folder: Path) -> set[str]:
    return {row["part"] for row in rows_of(folder)}


def lines(folder: Path) -> set[str]:
    return {line["id"] for line in lines_of(folder)}


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_rows_of_what_was_erased_leave_every_cut_and_the_cut_can_still_be_checked(home: Home) -> None:
    home.keep(chat("a4"))
    home.cut("second")
    manifest = (home.folder / "first" / "manifest.json").read_bytes()
    before = rows(home.folder / "second")
    assert b"question of a2" in everything(home.folder / "first")
    home.delete("a2")
    for name, left in (("first", 3), ("second", 4)):
        folder = home.folder / name
        assert {part.partition("#")[0] for part in rows(folder)} == lines(folder)
        assert len(lines(folder)) == left
        assert b"question of a2" not in everything(folder)
        assert (check(folder).differences, check(folder).erased) == ((), 2)
    assert before - rows(home.folder / "second") == {"test:a2#m1", "test:a2#m2"}
    assert (home.folder / "first" / "manifest.json").read_bytes() == manifest
    assert home.states()["cuts"] == ("removed", "left cut spring number 1; left cut spring number 2")


def test_further_erasures_are_counted_beside_the_first(home: Home) -> None:
    home.delete("a1")
    home.delete("b1")
    folder = home.folder / "first"
    assert json.loads((folder / "erased.json").read_bytes())["erasures"] == {"1": 2, "2": 2}
    assert (check(folder).differences, check(folder).erased) == ((), 4)
    assert lines(folder) == {"test:a2", "test:a3"}


def test_a_cut_that_loses_every_row_is_an_empty_cut(home: Home) -> None:
    for name in ("a1", "a2", "a3", "b1"):
        home.delete(name)
    folder = home.folder / "first"
    assert (rows(folder), lines(folder), check(folder).differences) == (set(), set(), ())


def test_somebody_who_changes_an_erased_cut_is_found(home: Home) -> None:
    home.delete("a1")
    folder = home.folder / "first"
    table = pq.read_table(folder / SHARD)
    pq.write_table(table.slice(1), folder / SHARD)
    assert any(SHARD in said for said in check(folder).differences)
    record = json.loads((folder / "erased.json").read_bytes())
    (folder / "erased.json").write_text(json.dumps({**record, "manifest": "sha256:other"}))
    assert "`erased.json` is about another manifest" in check(folder).differences
    (folder / "erased.json").write_text("{}")
    with pytest.raises(Invalid, match=r"erased\.json"):
        check(folder)


def test_a_folder_that_is_gone_holds_no_copy(home: Home) -> None:
    shutil.rmtree(home.folder / "first")
    home.delete("a1")
    assert home.states()["cuts"] == ("removed", "the folder of cut spring number 1 is gone")


@pytest.mark.fault("system that is down")
def test_a_disk_that_is_not_there_says_nothing_about_the_copy_on_it(home: Home) -> None:
    disk = home.folder / "disk"
    disk.mkdir()
    home.cut("disk/second")
    disk.rename(home.folder / "unmounted")
    home.delete("a1")
    state, note = home.states()["cuts"]
    assert state == "not reachable"
    assert "the place where cut spring number 2 was written is not there" in note


@pytest.mark.parametrize("damage", ["no manifest", "no parts", "no Parquet"])
def test_a_folder_that_cannot_be_read_is_not_reachable_until_it_can(home: Home, damage: str) -> None:
    folder = home.folder / "first"
    path = folder / ("manifest.json" if damage == "no manifest" else SHARD)
    content = path.read_bytes()
    path.unlink()
    if damage == "no Parquet":
        path.write_bytes(b"something else")
    report = home.delete("a1")
    state, note = home.states()["cuts"]
    assert state == "not reachable"
    assert note == "cut spring number 1: the folder is no cut that can be read"
    assert report.carried.finished == 1, "a receipt may say that a copy is not reachable"
    path.write_bytes(content)
    assert carry_out(home.store, home.erasure_world(), now=LATER).copies["cuts"] == {"removed": 1}
    assert home.states()["cuts"][0] == "removed"
    assert "test:a1" not in lines(folder)
    assert check(folder).differences == ()


@pytest.mark.parametrize("at", range(1, 4))
def test_a_cut_that_is_left_half_rewritten_is_completed(home: Home, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Each of the three names that change may be the last one before the machine stops."""
    calls, replace = 0, Path.replace

    def stopping(path: Path, target: Path) -> Path:
        nonlocal calls
        ours = "first" in path.parts
        calls += ours
        if calls == at and ours:
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", stopping)
    home.delete("a1")
    monkeypatch.undo()
    assert home.states()["cuts"] == ("not reachable", "cut spring number 1: no space left on device")
    pq.read_table(home.folder / "first" / SHARD)
    carry_out(home.store, home.erasure_world(), now=LATER)
    folder = home.folder / "first"
    assert check(folder).differences == ()
    assert {part.partition("#")[0] for part in rows(folder)} == lines(folder) == {"test:a2", "test:a3", "test:b1"}


def test_a_cut_during_which_something_was_erased_is_not_published(home: Home) -> None:
    home.store.request_deletion("test:a1", NOW)

    @contextmanager
    def meanwhile(what: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield lambda _amount: None
        if what == "writing":
            home.delete("a1")

    progress: Callable[[str, int], AbstractContextManager[object]] = meanwhile
    with pytest.raises(Refused, match="erased while the cut was written"):
        home.cut("raced", progress, at=NOW - timedelta(days=1), now=NOW - timedelta(days=1))
    assert not (home.folder / "raced").exists()
    assert home.states()["cuts"] == ("pending maintenance", "a cut named spring is being made")
    carry_out(home.store, home.erasure_world(), now=LATER)
    assert home.states()["cuts"][0] == "removed"


# -- other systems --------------------------------------------------------------------------


def listen(home: Home) -> None:
    home.store.put_endpoint(Endpoint("hook", "https://example.com/hook", (), "hook.secret", NOW))


def test_another_system_is_told_ids_and_nothing_else(home: Home) -> None:
    listen(home)
    add(home.store, "index", now=NOW)
    home.delete("a1")
    (event,) = home.store.events(Page(limit=10), type="assent.erasure.intended").items
    assert event.about == "index"
    assert json.loads(event.data) == {
        "erasure": 1,
        "store": "index",
        "erased": [{"conversation": "test:a1", "parts": ["m1", "m2"]}],
    }
    assert [owed.event.id for owed in home.store.due_deliveries(LATER, 10)] == [event.id]
    carry_out(home.store, home.erasure_world(), now=LATER)
    assert home.store.events(Page(limit=10)).total == 1


def test_a_large_erasure_is_told_in_several_events(home: Home) -> None:
    add(home.store, "index", now=NOW)
    home.keep(chat("long", "ann", *(said(number, f"words {number}") for number in range(1_200))))
    home.keep(chat("b2", "bob"))
    home.store.request_deletion("test:b2", NOW)
    home.delete("long")
    events = home.store.events(Page(limit=10)).items
    told = [
        (one["conversation"], part) for e in events for one in json.loads(e.data)["erased"] for part in one["parts"]
    ]
    assert len(told) == len(set(told)) == 1_202
    assert all(len(event.data) < 100_000 for event in events)


@pytest.mark.fault("system that is slow")
def test_an_answer_that_never_comes_keeps_the_erasure_open_and_seen(home: Home) -> None:
    add(home.store, "index", now=NOW)
    report = home.delete("a1")
    assert report.erased == 2
    assert report.carried.waiting == {"index": 1}
    with pytest.raises(Incomplete, match=r"wait for an answer of `index` \(1\)") as told:
        require_done(report.carried)
    assert "assent derived ack" in told.value.fix
    with pytest.raises(Incomplete) as told:
        require_done(report.carried, ["index"])
    assert told.value.fix == "`index` was asked, and copies are still there: see to it, then `assent sweep --redo`"
    state, note = home.states()["index"]
    assert (state, note[:8]) == ("present", "asked at")
    again = carry_out(home.store, home.erasure_world(), now=LATER + timedelta(days=300))
    assert (again.finished, again.waiting) == (0, {"index": 1})
    assert home.store.open_obligations() == {"index": 1}
    assert [one.store for one in home.store.overdue_obligations(LATER + timedelta(days=1))] == ["index"]
    erasure = home.store.erasure(1)
    assert erasure.keys_destroyed_at == LATER, "keys wait for nobody"
    assert erasure.finished_at is None
    assert home.store.contents.opens(home.store.slots_of(1)) == set()


def test_an_answer_ends_the_erasure(home: Home) -> None:
    add(home.store, "index", now=NOW)
    home.delete("a1")
    acknowledge(home.store, 1, "index", "removed", note="run 4711", now=LATER)
    done = carry_out(home.store, home.erasure_world(), now=LATER)
    assert (done.finished, done.open) == (1, False)
    assert '"note":"run 4711"' in home.store.erasure(1).receipt


def test_a_late_answer_takes_the_place_of_an_earlier_one(home: Home) -> None:
    add(home.store, "index", now=NOW)
    home.delete("a1")
    acknowledge(home.store, 1, "index", "not reachable", note="down", now=LATER)
    assert carry_out(home.store, home.erasure_world(), now=LATER).finished == 1
    acknowledge(home.store, 1, "index", "removed", note="up again", now=LATER)
    assert home.states()["index"] == ("removed", "up again")


def test_only_another_system_answers_through_a_person(home: Home) -> None:
    add(home.store, "index", now=NOW)
    home.delete("a1")
    with pytest.raises(Refused, match="answers for itself"):
        acknowledge(home.store, 1, "segments", "removed", note="", now=LATER)
    with pytest.raises(NotFound):
        acknowledge(home.store, 1, "nothing", "removed", note="", now=LATER)
    with pytest.raises(NotFound):
        acknowledge(home.store, 99, "index", "removed", note="", now=LATER)
    with pytest.raises(Invalid):
        acknowledge(home.store, 1, "index", "present", note="", now=LATER)


def test_a_retired_system_is_asked_no_more_and_what_it_owes_stays_owed(home: Home) -> None:
    add(home.store, "index", now=NOW)
    home.delete("a1")
    retire(home.store, "index", now=LATER)
    assert home.delete("a2").carried.finished == 1
    assert "index" not in home.states(2)
    assert home.store.open_obligations() == {"index": 1}
    with pytest.raises(Refused, match="every home"):
        retire(home.store, "cuts", now=LATER)
    with pytest.raises(NotFound):
        retire(home.store, "nothing", now=LATER)


def test_a_name_that_is_none_is_refused(home: Home) -> None:
    for name in ("", "Index", "../x", "a b", "x" * 65):
        with pytest.raises(Invalid, match="no name for a derived store"):
            add(home.store, name, now=NOW)


def test_a_replaced_text_asks_nobody_else(home: Home) -> None:
    home.erasure_world()
    add(home.store, "index", now=NOW)
    home.keep(chat("a1", "ann", said(1, "question of a1, corrected"), said(2, "answer to a1", by="assistant")))
    done = carry_out(home.store, home.erasure_world(), now=LATER)
    assert (done.finished, done.open) == (1, False)
    assert home.states()["index"][0] == "removed"
    assert home.store.events(Page(limit=10)).total == 0


def test_one_erasure_that_fails_does_not_stop_the_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = home.erasure_world()
    destroy = type(outer.contents).destroy

    def picky(vault: object, slots: list[int]) -> None:
        if bad & set(slots):
            raise OSError(5, os.strerror(5))
        destroy(vault, slots)

    bad = {place.slot for place in home.store.places(0, 1)}
    monkeypatch.setattr(type(outer.contents), "destroy", picky)
    for name in ("a1", "a2"):
        home.delete(name)
    assert [one.id for one in home.store.open_erasures(0, 10)] == [1]
    done = carry_out(home.store, outer, now=LATER)
    assert done.problems == ["erasure 1 still has its keys: input/output error"]
    with pytest.raises(Incomplete, match="still has its keys"):
        require_done(done)
    monkeypatch.undo()
    assert carry_out(home.store, outer, now=LATER).finished == 1


def test_a_store_that_nobody_serves_is_a_problem_that_is_told(home: Home) -> None:
    outer = home.erasure_world()
    add(home.store, "index", now=NOW)
    home.store.request_deletion("test:a1", NOW)
    report = home.delete("a1")
    assert report.carried.waiting == {"index": 1}
    done = carry_out(home.store, outer, now=LATER)
    assert done.problems == ["nothing here serves the derived store `index`"]


def test_the_two_evaluators_must_agree_about_a_batch(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from assent.services.erase import redecide as deciding

    monkeypatch.setattr(deciding, "decide_versions", lambda facts, _versions, at: _never(facts.part, at))
    with pytest.raises(AssentError, match="do not agree on part `test:a1#m1`"):
        home.delete("a1")
    assert home.store.counts().tombstones == 0


def _never(part: str, at: object) -> object:
    from assent.domain.decision import Decision

    return Decision(part, at, (), {}, None, False, (), (), (), "p", "d")
