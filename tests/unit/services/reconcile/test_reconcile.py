"""Every kind of thing that a reconciliation finds, made to happen; and that it finds nothing else."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.conformance.store.samples import DAY, T0, choice, day, hold, policy, sweep_all, talk
from tests.vaults import vault_in

from assent.policy.decide import decide
from assent.services.erase.journal import Entry, Journal, erasure_entry
from assent.services.reconcile import decisions
from assent.services.reconcile.finding import Finding
from assent.services.reconcile.run import CHECKS, Reconciled, mend, reconcile
from assent.services.reconcile.tracers import look, markers_of, plant
from assent.services.reconcile.world import ReconcileWorld
from assent.store.columns import Columns
from assent.store.records import Backup, DerivedStore, Tracer
from assent.store.sqlite import SqliteStore
from assent.store.sqlite.database import Database


class Looked:
    """A store on SQLite, to be harmed and looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vault = vault_in(folder)
        self.store = SqliteStore.open(folder / "assent.db", self.vault)
        self.journal = Journal(folder / "journal")
        self.columns = Columns(threads=1)

    def world(self, at: float) -> ReconcileWorld:
        return ReconcileWorld(
            store=self.store,
            columns=self.columns,
            vault=self.vault,
            journal=self.journal,
            policies=[policy()],
            now=day(at),
            lead=timedelta(days=16),
            lag=DAY,
            places={"the home": [self.folder], "elsewhere": None},
            batch_rows=3,
        )

    def reconciled(self, at: float) -> Reconciled:
        return reconcile(self.world(at), lambda _check: None)

    def found(self, at: float, *checks: str) -> dict[str, int]:
        """Count what these checks find, or all of them."""
        world = self.world(at)
        return {one.check: one.count for name in checks or CHECKS for one in CHECKS[name](world)}

    def finding(self, at: float) -> Finding:
        (finding,) = self.reconciled(at).findings
        return finding

    def sql(self, statement: str, **values: object) -> None:
        """Change the database past everything that would refuse it."""
        with self.store._database.writing() as connection:
            for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text(statement), values)

    def erases(self, at: float, *, journal: bool = True, keys: bool = True) -> None:
        sweep_all(self.store, day(at))
        for one in self.store.open_erasures(0, 100):
            slots = self.store.slots_of(one.id)
            if journal:
                self.journal.append([erasure_entry(one, self.store.tombstones_of(one.id), slots)])
            if keys:
                self.vault.destroy(slots)
                self.store.keys_destroyed(one.id, day(at))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "assent.db"
    Database(path, create=True).close()
    return path


def begun(folder: Path, empty: Path) -> Looked:
    shutil.copy(empty, folder / "assent.db")
    home = Looked(folder)
    home.store.add_choice(choice("c1", "decline", at=T0 - DAY))
    home.store.intake([talk("one"), talk("two", at=day(25))], plan="pro", recorded_at=T0)
    return home


@pytest.fixture
def home(tmp_path: Path, empty: Path) -> Iterator[Looked]:
    home = begun(tmp_path, empty)
    yield home
    home.store.close()


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Path:
    """A home in which something was erased, made once."""
    home = begun(tmp_path_factory.mktemp("erased"), empty)
    home.erases(31)
    home.store.checkpoint()
    home.store.close()
    return home.folder


@pytest.fixture
def erased(tmp_path: Path, pattern: Path) -> Iterator[Looked]:
    shutil.copytree(pattern, tmp_path, dirs_exist_ok=True)
    home = Looked(tmp_path)
    yield home
    home.store.close()


def test_a_store_in_order_is_clean_and_says_what_it_did_not_see(home: Looked) -> None:
    done = home.reconciled(1)
    assert done.clean
    assert done.unseen == ("elsewhere",)


def test_what_is_due_and_not_gone_is_overdue(home: Looked) -> None:
    assert home.found(30) == {"overdue": 2}
    home.store.place_hold(hold("h1"))
    assert home.found(30) == {}


def test_what_the_index_would_not_nominate_is_drift(home: Looked) -> None:
    home.sql("UPDATE part SET last_turn_at = last_turn_at + 400 * 86400000000 WHERE id = 'a'")
    found = home.found(30)
    assert found == {"overdue": 2, "drift": 1, "clocks": 2}


def test_evaluators_that_disagree_are_named(home: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    real = decisions.decide_versions
    monkeypatch.setattr(decisions, "decide_versions", lambda *facts: real(*facts)._replace(erase_by=day(1), held=False))
    finding = home.finding(1)
    assert (finding.check, finding.count) == ("evaluators", 4)
    assert set(finding.named) == {"test:one", "test:two"}


def test_a_row_whose_key_is_gone_is_found(home: Looked) -> None:
    place = home.store.places(0, 1)[0]
    home.vault.destroy([place.slot])
    (finding,) = CHECKS["contents"](home.world(1))
    assert (finding.check, finding.named) == ("rows without keys", (str(place.slot),))


@pytest.mark.parametrize("harm", ["cut", "remove"])
def test_a_row_whose_bytes_are_gone_is_found(home: Looked, harm: str) -> None:
    (segment, size), *_ = home.vault.segments()
    path = home.folder / "vault" / "segments" / segment
    if harm == "cut":
        path.write_bytes(path.read_bytes()[: size - 1])
        assert home.found(1, "contents") == {"rows without bytes": 1}
    else:
        path.unlink()
        assert home.found(1, "contents") == {"rows without bytes": 4}


def test_a_part_without_a_place_is_found(home: Looked) -> None:
    home.sql("DELETE FROM sealed WHERE slot = (SELECT min(slot) FROM sealed)")
    assert home.found(1, "contents") == {"unsealed parts": 1, "keys without rows": 1}


def test_keys_that_nothing_names_are_mended(home: Looked) -> None:
    home.sql("UPDATE conversation SET heading = NULL, heading_slot = NULL WHERE id = 'test:one'")
    assert home.found(1, "contents") == {"keys without rows": 1}
    assert mend(home.world(1)) == 1
    assert home.found(1, "contents") == {}
    assert home.store.conversation("test:two").entry.title == "title of two"


def test_keys_of_a_writer_that_is_not_done_are_nobodys_business(home: Looked) -> None:
    """Content is sealed before its row is committed: its slot is above every number that was given."""
    home.vault.slots.write({home.store.last_slot() + 1: bytes(32)})
    assert home.found(1, "contents") == {}
    assert mend(home.world(1)) == 0


def test_an_erasure_on_its_way_is_fine_for_a_day(home: Looked) -> None:
    home.erases(31, journal=False, keys=False)
    assert "unfinished erasures" not in home.found(31, "erasures")
    assert home.found(33, "erasures")["unfinished erasures"] == 1


def test_a_copy_that_does_not_answer_is_found(home: Looked) -> None:
    home.store.register(DerivedStore("search", "connector", T0))
    home.erases(31)
    found = home.found(33, "erasures")
    assert found["acknowledgements"] == 1
    home.store.settle(1, "search", "pending maintenance", day(33))
    assert "acknowledgements" not in home.found(33, "erasures")
    assert (
        home.found(31 + 17, "erasures")["acknowledgements"] == 1
    )  # what waits for maintenance has until the promise ends
    home.store.settle(1, "search", "removed", day(33))
    assert "acknowledgements" not in home.found(33, "erasures")


def test_an_erasure_in_order_is_clean(erased: Looked) -> None:
    assert erased.found(31, "erasures") == {}


def test_a_chain_that_was_changed_is_found(erased: Looked) -> None:
    erased.sql("UPDATE erasure SET at = at + 1")
    assert erased.found(31, "erasures") == {"chain": 1}


def test_a_tombstone_that_was_changed_is_found(erased: Looked) -> None:
    erased.sql("UPDATE tombstone SET part = 'z' WHERE part = 'a'")
    assert erased.found(31, "erasures") == {"tombstones": 1}


def test_a_tombstone_that_was_taken_out_is_found(erased: Looked) -> None:
    erased.sql("DELETE FROM tombstone WHERE part = 'a'")
    assert erased.found(31, "erasures") == {"tombstones": 1}


def test_a_part_that_is_here_though_it_was_erased_is_found(erased: Looked) -> None:
    erased.sql("UPDATE conversation SET id = 'test:one' WHERE id = 'test:two'")
    assert erased.found(31, "erasures") == {"revived": 1}


def test_a_journal_that_lacks_an_erasure_is_found(erased: Looked) -> None:
    entries = list(erased.journal.read())
    shutil.rmtree(erased.journal.folder)
    erased.store.intake([talk("three", at=T0)], plan="pro", recorded_at=day(31))
    erased.erases(70)
    last = list(erased.journal.read())
    assert [entry.body["id"] for entry in last] == [1, 2, 3]
    shutil.rmtree(erased.journal.folder)
    erased.journal.append(last[1:])
    # nobody can tell what stood before the first entry that is kept
    assert "journal" not in erased.found(70, "erasures")
    shutil.rmtree(erased.journal.folder)
    erased.journal.append(entries)
    assert erased.found(70, "erasures")["journal"] == 2


def test_a_journal_of_something_else_is_found(erased: Looked) -> None:
    erased.journal.append([Entry("erasure", day(31), {"id": 9, "chain": "00", "slots": []})])
    (finding,) = [one for one in CHECKS["erasures"](erased.world(31)) if one.check == "journal"]
    assert finding.named == ("9",)


def test_a_line_that_was_put_into_the_journal_is_found(erased: Looked) -> None:
    (path,) = erased.journal.folder.glob("*.jsonl")
    path.write_bytes(path.read_bytes() * 2)
    assert erased.found(31, "erasures") == {"journal": 1}


def test_keys_that_open_though_they_were_destroyed_are_found(erased: Looked) -> None:
    erased.vault.slots.write(dict.fromkeys(erased.store.slots_of(1), bytes(32)))
    assert erased.found(31, "erasures") == {"keys": 3}


@pytest.mark.parametrize(("at", "folder", "found"), [(15, "there", 1), (13, "gone", 1), (13, "there", 0)])
def test_backups_past_their_end_or_out_of_sight_are_found(home: Looked, at: float, folder: str, found: int) -> None:
    if folder == "there":
        (home.folder.parent / "keys-of" / "b1").mkdir(parents=True, exist_ok=True)
        (home.folder.parent / "keys-of" / "b1" / "key").write_bytes(bytes(32))
    where = home.folder.parent / ("keys-of" if folder == "there" else "nowhere")
    home.store.note_backup(Backup("b1", T0, "copies", str(where), "sha256:0", 1, 1, day(14)))
    assert home.found(at, "backups").get("backups", 0) == found


# -- tracers ------------------------------------------------------------------------------


@pytest.fixture
def traced(home: Looked) -> Looked:
    plant(home.store, [Tracer("tracer:1", bytes(range(32)), T0)], plan="pro", now=T0)
    return home


def test_a_tracer_is_read_while_it_is_here(traced: Looked) -> None:
    assert traced.found(1) == {}
    assert [one.state for one in look(traced.store)] == ["here"]
    parts = traced.store.conversation("tracer:1").parts
    traced.vault.destroy([place.slot for place in traced.store.places(0, 100)][-1:])
    assert len(parts) == 2
    assert traced.found(1, "contents", "tracers") == {"rows without keys": 1, "tracers": 1}


def test_a_tracer_that_went_past_the_sweep_is_lost(traced: Looked) -> None:
    key = "(SELECT key FROM conversation WHERE id = 'tracer:1')"
    traced.sql(f"DELETE FROM sealed WHERE part IN (SELECT key FROM part WHERE conversation = {key})")
    traced.sql(f"DELETE FROM part WHERE conversation = {key}")
    traced.sql("DELETE FROM conversation WHERE id = 'tracer:1'")
    assert traced.found(1, "tracers") == {"tracers": 1}
    assert [one.state for one in look(traced.store)] == ["lost"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_marker_in_the_clear_is_found_wherever_it_stands(traced: Looked, which: int) -> None:
    marker = markers_of(traced.store.tracers()[0])[which]
    (traced.folder / "forgotten.log").write_bytes(b"x" * 5_000_000 + marker)
    assert traced.found(1, "tracers") == {"markers": 1}


def test_the_store_does_not_hold_the_markers_itself(traced: Looked) -> None:
    traced.store.checkpoint()
    for marker in markers_of(traced.store.tracers()[0]):
        assert not [path for path in traced.folder.rglob("*") if path.is_file() and marker in path.read_bytes()]


def test_a_tracer_is_eligible_for_nothing_and_due_when_its_deletion_says(traced: Looked) -> None:
    facts = traced.store.facts_of("tracer:1")
    assert [decide(one, policy(), day(1)).eligible for one in facts] == [(), ()]
    assert [decide(one, policy(), day(at)).due() for at in (29.9, 30) for one in facts] == [False, False, True, True]
