"""Backups of a home: what is in them, when their keys end, and what a restore accepts."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from tests.conformance.store.samples import DAY, T0, choice, day, sweep_all, talk
from tests.unit.interfaces.homes import NOW, made
from tests.vaults import vault_in

from assent.domain.errors import Incomplete, NotFound, Refused
from assent.services.backup.opened import Opened, check, open_backup
from assent.services.backup.papers import papers_of
from assent.services.backup.prune import horizon, look, prune
from assent.services.backup.restore import Lost, Restored, Target, restore
from assent.services.backup.take import Home, Taken, take_backup
from assent.services.erase.journal import Journal, erasure_entry
from assent.store.sqlite import SqliteStore
from assent.vault.segments import FolderSegments
from assent.wiring import Wiring

KEEP = timedelta(days=14)


class House:
    """A home on SQLite, taken apart."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.folder = folder / "home"
        self.copies, self.keys = folder / "copies", folder / "keys"
        self.folder.mkdir(parents=True)
        (self.folder / "assent.toml").write_text('database = "assent.db"\n', "utf-8")
        (self.folder / "keys").mkdir()
        (self.folder / "keys" / "ledger.key").write_bytes(b"SECRET-OF-THE-LEDGER")
        self.vault = vault_in(self.folder)
        shutil.copy(empty, self.folder / "assent.db")
        self.store = SqliteStore.open(self.folder / "assent.db", self.vault)
        self.journal = Journal(self.folder / "journal")
        self.steps: list[str] = []

    @property
    def home(self) -> Home:
        return Home(
            folder=self.folder,
            store=self.store,
            slots=self.vault.slots,
            segments=FolderSegments(self.folder / "vault" / "segments"),
            journal=self.journal,
            papers=(self.folder / "assent.toml",),
            key_backup=KEEP,
            version="1",
        )

    def takes(self, *names: str, at: float = 0) -> None:
        self.store.intake([talk(name, at=day(at)) for name in names], plan="pro", recorded_at=day(at))

    def backs_up(self, at: float, name: str = "") -> Taken:
        return take_backup(
            self.home,
            self.copies,
            self.keys,
            name=name or f"at-{at:06.2f}",
            new_key=lambda: os.urandom(32),
            now=day(at),
            on_step=self.steps.append,
        )

    def opens(self, at: float, named: str = "") -> Opened:
        return open_backup(self.copies, self.keys, named, now=day(at))

    def erases(self, at: float) -> None:
        """Erase what is due, as far as the keys: journal first."""
        sweep_all(self.store, day(at))
        for one in self.store.open_erasures(0, 100):
            slots = self.store.slots_of(one.id)
            self.journal.append([erasure_entry(one, self.store.tombstones_of(one.id), slots)])
            self.vault.destroy(slots)
            self.store.keys_destroyed(one.id, day(at))


@pytest.fixture
def house(tmp_path: Path, empty: Path) -> House:
    house = House(tmp_path, empty)
    house.store.add_choice(choice("c1", "decline", at=T0 - DAY))
    yield house
    house.store.close()


@pytest.fixture
def into(tmp_path: Path, empty: Path) -> Callable[..., Restored]:
    """Restore into a fresh home, as often as asked."""
    opened = []

    def bring(backup: Opened, at: float, *, journal: Path | None = None, lost: Lost | None = None) -> Restored:
        folder = tmp_path / "back"
        folder.mkdir(exist_ok=True)
        vault = vault_in(folder)
        if not (folder / "assent.db").exists():
            shutil.copy(empty, folder / "assent.db")
        store = SqliteStore.open(folder / "assent.db", vault)
        opened.append(store)
        segments = FolderSegments(folder / "vault" / "segments")
        target = Target(store, vault.slots, segments, folder / "journal", "localhost/assent")
        bring.store, bring.vault = store, vault
        return restore(backup, target, journal=journal, lost=lost, now=day(at), on_step=lambda _: None)

    yield bring
    for store in opened:
        store.close()


LOST = Lost("operations", "the disk burned")


# -- taking -------------------------------------------------------------------------------


def test_a_backup_is_whole_and_says_what_it_holds(house: House) -> None:
    house.takes("one", "two")
    taken = house.backs_up(1)
    assert house.steps == ["tables", "segments", "keys"]
    assert (taken.segments, taken.copied) == (1, 1)
    assert taken.backup.slots == 4 + 2  # parts and headings
    assert taken.backup.keys_expire_at == day(1) + KEEP
    assert check(house.opens(2)) == taken.rows
    assert house.store.backups() == [taken.backup]


def test_segments_that_are_there_are_not_copied_again(house: House) -> None:
    house.takes("one")
    house.backs_up(1)
    house.takes("two", at=1)
    taken = house.backs_up(2)
    assert (taken.segments, taken.copied) == (2, 1)


def test_a_restored_home_may_give_the_names_of_lost_segments_to_other_content(
    house: House, into: Callable[..., Restored], tmp_path: Path
) -> None:
    """What was kept between the backup and the loss is gone; its numbers are given again."""
    house.takes("one")
    house.backs_up(1)
    house.takes("lost", at=2)
    house.backs_up(3)
    lost = {name for name, _ in house.vault.segments()}
    into(house.opens(4, "at-001"), 4, journal=house.journal.folder)
    house.store, house.vault, house.folder = into.store, into.vault, tmp_path / "back"
    house.journal = Journal(house.folder / "journal")
    house.takes("born", at=2)
    assert {name for name, _ in house.vault.segments()} == lost
    assert house.backs_up(5).copied == 1
    for name in house.store.backups():
        assert check(house.opens(5, name.id))
    assert house.backs_up(6).copied == 0


def test_nothing_in_either_folder_is_in_the_clear_and_keys_lie_in_one_of_them(house: House) -> None:
    house.takes("one")
    house.backs_up(1)
    for folder in (house.copies, house.keys):
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            for secret in (b"marker-one", b"title of one", b"test:one", b"SECRET-OF-THE-LEDGER"):
                assert secret not in data, path
    key = (house.keys / "at-001.00" / "key").read_bytes()
    assert len(key) == 32
    assert not [path for path in house.copies.rglob("*") if path.is_file() and key in path.read_bytes()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in house.keys.rglob("*"))


@pytest.mark.parametrize(
    ("copies", "keys"),
    [("a", "a"), ("a", "a/keys"), ("keys/a", "keys"), ("home/a", "keys"), ("a", "home/keys2")],
)
def test_keys_do_not_lie_beside_what_they_open(house: House, copies: str, keys: str) -> None:
    around = house.folder.parent
    house.copies, house.keys = around / copies, around / keys
    with pytest.raises(Refused):
        house.backs_up(1)
    assert house.store.backups() == []


def test_a_backup_that_was_cut_short_leaves_no_key(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.takes("one")

    def die(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("assent.services.backup.take.write_manifest", die)
        with pytest.raises(OSError, match="No space"):
            house.backs_up(1)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", die)
        with pytest.raises(OSError, match="No space"):
            house.backs_up(1, name="cut")
    assert (house.keys / "cut.part" / "key").exists()
    # until somebody looks: it is known, and counts
    assert [shelf.state for shelf in look(house.store, now=day(1))] == ["there"]
    house.backs_up(2)
    assert not list(house.keys.glob("*.part"))
    assert not list(house.copies.glob("*.part"))
    assert [shelf.state for shelf in look(house.store, now=day(2))] == ["gone", "there"]


def test_a_segment_that_goes_while_it_is_copied_is_no_loss(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.takes("due")
    house.takes("kept", at=39)
    real = house.store.snapshot
    swept: list[float] = []

    def snapshot() -> object:
        found = real()
        if not swept:
            swept.append(40)
            with found as one:  # the rows as they were
                tables = {name: list(one.rows(name)) for name in one.tables}
                numbers = one.numbers()
            house.erases(40)
            for segment, _ in list(house.vault.segments()):
                if segment not in house.store.live_segments():
                    house.vault.remove_segment(segment)
            return Stale(tables, numbers)
        return found

    monkeypatch.setattr(house.store, "snapshot", snapshot)
    taken = house.backs_up(40)
    assert house.steps == ["tables", "segments", "tables", "segments", "keys"]
    assert taken.segments == 1


class Stale:
    """A snapshot that is overtaken before its segments are copied."""

    step = "0017"

    def __init__(self, tables: dict[str, list[object]], numbers: dict[str, int]) -> None:
        self.tables, self.numbers, self.rows = tuple(tables), lambda: numbers, lambda name: iter(tables[name])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


# -- ending -------------------------------------------------------------------------------


def test_keys_end_on_their_day_and_what_only_they_opened_goes_with_them(house: House) -> None:
    house.takes("one")
    house.backs_up(0)
    house.takes("two", at=1)
    house.backs_up(5)
    assert prune(house.store, house.journal, now=day(13.99), key_backup=KEEP).keys == ()
    assert horizon(look(house.store, now=day(13)), now=day(13)) == day(19)
    pruned = prune(house.store, house.journal, now=day(14), key_backup=KEEP)
    assert (pruned.keys, pruned.segments) == (("at-000.00",), 0)  # both backups name the segment
    assert not (house.copies / "at-000.00").exists()
    assert not (house.keys / "at-000.00").exists()
    pruned = prune(house.store, house.journal, now=day(19), key_backup=KEEP)
    assert (pruned.keys, pruned.segments) == (("at-005.00",), 2)
    shelves = look(house.store, now=day(19))
    assert [shelf.state for shelf in shelves] == ["gone", "gone"]
    assert horizon(shelves, now=day(19)) == day(19)
    with pytest.raises(NotFound):
        house.opens(19)


def test_expired_keys_are_refused_even_where_nobody_pruned(house: House) -> None:
    house.takes("one")
    house.backs_up(0)
    with pytest.raises(Refused, match="ended at"):
        house.opens(14)


def test_the_journal_keeps_what_the_oldest_backup_needs(house: House) -> None:
    house.takes("one")
    house.backs_up(0)
    house.backs_up(10)
    prune(house.store, house.journal, now=day(12), key_backup=KEEP)
    assert house.journal.days() == ["2026-01-01.jsonl", "2026-01-11.jsonl"]
    prune(house.store, house.journal, now=day(20), key_backup=KEEP)
    assert house.journal.days() == ["2026-01-11.jsonl"]


# -- coming back --------------------------------------------------------------------------


def test_what_was_lost_comes_back(house: House, into: Callable[..., Restored]) -> None:
    house.takes("one", "two")
    house.backs_up(1)
    done = into(house.opens(2), 2, journal=house.journal.folder)
    assert (done.keys, done.left, done.erasures, done.parts) == (6, 0, 0, 0)
    assert done.epoch == 2
    kept = into.store.conversation("test:one")
    assert kept.entry.title == "title of one"
    assert list(into.store.content_of([part.key for part in kept.parts]).values()) == ["marker-one-a", "marker-one-b"]
    assert [one.id for one in into.store.backups()] == ["at-001.00"]
    assert into.store.clock_seen() == day(2)


def test_keys_of_what_was_erased_since_are_not_put_back(house: House, into: Callable[..., Restored]) -> None:
    house.takes("due")
    house.takes("kept", at=39)
    house.backs_up(39)
    house.erases(40)
    done = into(house.opens(40), 40, journal=house.journal.folder)
    assert (done.keys, done.left, done.erasures, done.parts) == (3, 3, 1, 2)
    slots = house.store.slots_of(1)
    assert len(slots) == 3
    assert into.vault.opens(slots) == set()


@pytest.mark.fault("stopped restore")
def test_a_restore_that_was_stopped_goes_on(house: House, into: Callable[..., Restored]) -> None:
    house.takes("one")
    house.backs_up(1)
    backup = house.opens(2)
    with pytest.raises(Incomplete, match="not known here"):
        into(backup, 2)
    assert into.vault.slots.live(0, 10) == []
    with pytest.raises(Incomplete):
        into(backup, 2)
    assert into(backup, 2, lost=LOST).keys == 3
    assert into.store.restoring() is None


def test_a_journal_that_does_not_fit_is_refused(
    house: House, into: Callable[..., Restored], tmp_path: Path, empty: Path
) -> None:
    house.takes("due")
    house.backs_up(1)
    aside = tmp_path / "as-of-then"
    shutil.copytree(house.journal.folder, aside)
    house.backs_up(2)
    house.erases(40)
    other = House(tmp_path / "other", empty)
    other.backs_up(1, name="theirs-1")
    other.backs_up(2, name="theirs-2")
    backup = house.opens(3)
    for journal in (other.journal.folder, aside):
        with pytest.raises(Refused, match="journal"):
            into(backup, 3, journal=journal)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="journal"):
        into(backup, 3, journal=tmp_path / "empty")
    other.store.close()
    assert into(backup, 3, journal=house.journal.folder).parts == 2


def test_a_backup_of_another_schema_names_the_assent_that_reads_it(house: House, into: Callable[..., Restored]) -> None:
    house.takes("one")
    house.backs_up(1)
    backup = house.opens(2)
    old = replace(backup, manifest=replace(backup.manifest, step="0009", version="0.3"))
    with pytest.raises(Refused, match="step `0009`") as refused:
        into(old, 2, lost=LOST)
    assert "assent 0.3" in refused.value.fix


@pytest.mark.parametrize("file", ["manifest.json", "tables/part", "papers", "journal"])
def test_a_damaged_backup_is_refused(house: House, file: str) -> None:
    house.takes("one")
    house.backs_up(1)
    path = house.copies / "at-001.00" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Refused):
        check(house.opens(2))


def test_a_damaged_segment_is_refused(house: House) -> None:
    house.takes("one")
    house.backs_up(1)
    (path,) = [path for path in (house.copies / "segments").rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused, match="segment"):
        check(house.opens(2))


def test_keys_of_another_backup_open_nothing(house: House, tmp_path: Path, empty: Path) -> None:
    house.takes("one")
    house.backs_up(1, name="b")
    other = House(tmp_path / "other", empty)
    other.backs_up(1, name="b")
    with pytest.raises(Refused, match="are not of the backup"):
        open_backup(house.copies, other.keys, now=day(2))
    with pytest.raises(NotFound):
        open_backup(house.copies, house.keys, "c", now=day(2))
    other.store.close()


def test_what_connects_systems_and_what_vendors_signed_are_papers_of_a_home(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    for name in ("connectors/chat.toml", "connectors/chat.d/cursor", "vendors/acme/statement"):
        (home.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (home.folder / name).write_text("kept")
    whole = Wiring(home.folder, NOW).backup_home
    names = {json.loads(packed)[0] for packed, _ in papers_of(whole.folder, whole.papers)}
    whole.store.close()
    assert {"assent.toml", "connectors/chat.toml", "connectors/chat.d/cursor", "vendors/acme/statement"} <= names
    assert any(name.startswith("notices/") for name in names)
