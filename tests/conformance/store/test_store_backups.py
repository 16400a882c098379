"""Copies of a store: the same rows in either database, numbers never given again, and the mark of what came back."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Text
from tests.conformance.store.samples import ALL, DAY, T0, choice, day, hold, sweep_all, talk
from tests.vaults import vault_in

from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.records import Account, Backup, Erasure, Restore, Stone, Tracer
from assent.store.schema import METADATA, Instant
from assent.store.sqlite import SqliteStore

RESTORE = Restore("b1", T0, day(1), 0)


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def two(request: pytest.FixtureRequest, tmp_path: Path, empty_file: Path, postgres_database: str) -> Iterator[Any]:
    """A store, and an empty one of the other kind."""
    shutil.copy(empty_file, tmp_path / "store.db")
    sqlite = SqliteStore.open(tmp_path / "store.db", vault_in(tmp_path / "one"))
    postgres = PostgresStore.open(postgres_database, vault_in(tmp_path / "two"))
    yield (sqlite, postgres) if request.param.startswith("sqlite") else (postgres, sqlite)
    sqlite.close()
    postgres.close()


def lived(store: Store) -> None:
    """Things of every kind of column: numbers, bytes, truth, instants, words in many scripts, and nothing."""
    store.put_accounts([Account("s1", plan="pro", age=30, signed_in=True), Account("s2", signed_in=False)])
    words = "\U0001f9ee tabs\t, quotes ' \" and back\\slashes\nof 読む"
    store.intake([talk("one"), talk("two", subject=None, title=words)], plan="pro", recorded_at=T0)
    store.add_choice(choice("c1", subject="s1"))
    store.place_hold(hold("h1", "test:one"))
    store.plant([Tracer("tracer:1", bytes(range(32)), T0)])
    sweep_all(store, day(400))


def everything_in(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.snapshot() as snapshot:
        return {
            name: [tuple(row.values()) for batch in snapshot.rows(name) for row in batch.to_pylist()]
            for name in snapshot.tables
        }


def carry(store: Store, other: Store) -> None:
    with store.snapshot() as snapshot:
        tables = {name: list(snapshot.rows(name)) for name in snapshot.tables}
        numbers = snapshot.numbers()
    other.begin_restore(RESTORE)
    other.load(tables, numbers)


def test_a_snapshot_fills_the_other_database_with_the_same_rows(two: tuple[Store, Store]) -> None:
    store, other = two
    lived(store)
    before = everything_in(store)
    assert sum(map(len, before.values())) > 20
    carry(store, other)
    after = everything_in(other)
    after["restore"] = []
    assert after == before
    assert other.loaded()
    assert other.restoring() == RESTORE


def test_numbers_that_were_given_are_not_given_again(two: tuple[Store, Store]) -> None:
    store, other = two
    lived(store)  # and everything but the held conversation is erased: no row remembers its numbers
    carry(store, other)
    other.finish_restore(day(500))
    fresh = {}
    for name, one in (("store", store), ("other", other)):
        one.intake([talk("three")], plan="pro", recorded_at=day(500))
        fresh[name] = [part.key for part in one.conversation("test:three").parts]
        fresh[f"{name} slots"] = one.last_slot()
    assert fresh["store"] == fresh["other"]
    assert fresh["store slots"] == fresh["other slots"]


def test_every_column_has_a_form_that_both_databases_take() -> None:
    kinds = {type(column.type) for table in METADATA.sorted_tables for column in table.columns}
    assert kinds - {Text, Instant, Boolean, Float, LargeBinary} <= {
        kind for kind in kinds if issubclass(kind, BigInteger | Integer)
    }


def test_a_store_that_holds_anything_is_not_restored_into(store: Store) -> None:
    store.put_accounts([Account("s1")])
    with pytest.raises(Refused, match="already holds rows of `account`"):
        store.begin_restore(RESTORE)
    with pytest.raises(Refused, match="already holds"):
        store.load({}, {})


def test_another_restore_does_not_begin_before_the_first_has_ended(store: Store) -> None:
    store.begin_restore(RESTORE)
    store.begin_restore(RESTORE)
    with pytest.raises(Refused, match="a restore of `b1`"):
        store.begin_restore(replace(RESTORE, backup="b2"))


WRITES: dict[str, Callable[[Store], object]] = {
    "a choice": lambda store: store.add_choice(choice("c1")),
    "an account": lambda store: store.put_accounts([Account("s1")]),
    "intake": lambda store: store.intake([talk("one")], plan="pro", recorded_at=T0),
    "a hold": lambda store: store.place_hold(hold("h1")),
    "a backup": lambda store: store.note_backup(BACKUP),
    "a sweep": lambda store: store.begin_sweep("none", T0),
    "a clock": lambda store: store.see_clock(T0),
    "a lease": lambda store: store.take_lease("sweep", "me", T0, day(1)),
}
BACKUP = Backup("b1", T0, "there", "keys", "sha256:0", 3, 10, day(14))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_until_the_replay_is_done_nobody_writes(store: Store, write: Callable[[Store], object]) -> None:
    store.begin_restore(RESTORE)
    with pytest.raises(Refused, match="came back from the backup of `2026-01-01T12:00:00Z`"):
        write(store)
    store.finish_restore(day(1))
    assert store.restoring() is None
    if write is not WRITES["a sweep"]:
        write(store)


def test_a_writer_that_waited_while_the_mark_was_set_finds_it_or_was_before_it(
    open_store: Callable[[], Store],
) -> None:
    """Many writers against one restore: after the mark nothing new comes in."""
    store = open_store()
    outcomes: list[str] = []

    def write(number: int) -> None:
        try:
            store.put_accounts([Account(f"s{number}")])
            outcomes.append("written")
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads[:6]:
        thread.start()
    try:
        store.begin_restore(RESTORE)
        marked = True
    except Refused:
        marked = False
    written = len(list(store.accounts()))
    for thread in threads[6:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 12
    if marked:
        # whoever had its turn before the mark is there, nobody after: the load would meet them and refuse
        assert outcomes.count("refused") >= 6
        assert written <= outcomes.count("written") <= 6
    else:
        assert written


def replayed(store: Store, other: Store) -> tuple[list[Erasure], int]:
    """Do the erasures of one store again in another; returns them, and how many parts were there."""
    erasures = store.chained(0, 100)
    parts = sum(other.replay_erasure(one, stones(store, one), store.slots_of(one.id)) for one in erasures)
    return erasures, parts


def stones(store: Store, erasure: Erasure) -> list[Stone]:
    return [
        Stone(one.conversation, one.part, one.erase_by, one.rule, one.policy) for one in store.tombstones_of(erasure.id)
    ]


@pytest.fixture
def backed_up(two: tuple[Store, Store]) -> tuple[Store, Store]:
    """A store in which something was erased after it was copied into another."""
    store, other = two
    store.put_accounts([Account("s1", plan="pro", age=30, signed_in=True)])
    store.add_choice(choice("c1", "decline", at=T0 - DAY))
    store.intake([talk("one"), talk("two"), talk("three", at=day(390))], plan="pro", recorded_at=T0)
    carry(store, other)
    sweep_all(store, day(400))
    return store, other


def test_what_was_erased_after_the_copy_is_erased_in_the_copy(backed_up: tuple[Store, Store]) -> None:
    store, other = backed_up
    assert other.conversation("test:one") is not None
    erasures, parts = replayed(store, other)
    assert parts == 4
    assert other.conversation("test:one") is None
    assert other.conversation("test:three") is not None
    left = [replace(one, sweep=None) for one in store.tombstones(ALL).items]
    assert list(other.tombstones(ALL).items) == left
    assert [one.chain for one in other.chained(0, 100)] == [one.chain for one in erasures]
    # its keys and copies are to go here too
    assert [one.id for one in other.open_erasures(0, 100)] == [one.id for one in erasures]
    # the tombstones hold
    other.finish_restore(day(401))
    assert [one.status for one in other.intake([talk("one")], plan="pro", recorded_at=day(401))] == ["erased before"]


def test_a_replay_can_be_done_again(backed_up: tuple[Store, Store]) -> None:
    store, other = backed_up
    replayed(store, other)
    before = everything_in(other)
    assert replayed(store, other)[1] == 0
    assert everything_in(other) == before


def test_an_erasure_that_was_changed_in_the_journal_is_not_replayed(backed_up: tuple[Store, Store]) -> None:
    store, other = backed_up
    (erasure, *_) = store.chained(0, 1)
    slots = store.slots_of(erasure.id)
    named = stones(store, erasure)
    for changed in (
        (erasure, named[1:], slots),
        (erasure, [*named[:-1], replace(named[-1], part="other")], slots),
        (erasure, named, [*slots, 77]),
        (replace(erasure, at=day(3)), named, slots),
    ):
        with pytest.raises(Refused, match="not what its hashes say"):
            other.replay_erasure(*changed)
    assert other.conversation("test:one") is not None


def test_a_journal_of_another_home_is_not_replayed(backed_up: tuple[Store, Store], tmp_path: Path) -> None:
    store, other = backed_up
    replayed(store, other)
    elsewhere = SqliteStore.open(tmp_path / "elsewhere.db", vault_in(tmp_path / "elsewhere"), create=True)
    elsewhere.intake([talk("theirs")], plan="pro", recorded_at=T0)
    sweep_all(elsewhere, day(400))
    with pytest.raises(Refused, match="not the one that is here"):
        replayed(elsewhere, other)
    elsewhere.close()


def test_a_text_that_was_replaced_after_the_copy_does_not_come_back(two: tuple[Store, Store]) -> None:
    store, other = two
    store.intake([talk("one")], plan="pro", recorded_at=T0)
    carry(store, other)
    first, second = talk("one").parts
    store.intake([talk("one", [replace(first, text="another text"), second])], plan="pro", recorded_at=day(1))
    (replacing,) = store.chained(0, 10)
    assert replacing.kind == "replaced"
    other.replay_erasure(replacing, [], store.slots_of(replacing.id))
    # the other part is here; the replaced one comes with its new text when the source is imported again
    assert [part.id for part in other.conversation("test:one").parts] == [second.id]
    other.finish_restore(day(2))
    changed = talk("one", [replace(first, text="another text"), second])
    assert [one.status for one in other.intake([changed], plan="pro", recorded_at=day(2))] == ["grown"]


def test_holds_of_the_journal_are_united_with_those_of_the_copy(two: tuple[Store, Store]) -> None:
    store, other = two
    store.place_hold(hold("both", "s1"))
    store.place_hold(hold("ended", "s2"))
    carry(store, other)
    other.replay_hold(hold("later", "s3", start=day(1)))
    other.replay_hold(hold("both", "s1"))
    other.replay_hold(replace(hold("ended", "s2"), released_at=day(2), released_by="two people"))
    other.replay_hold(hold("ended", "s2"))  # an older entry changes nothing
    assert {one.id: one.released_at for one in other.holds()} == {"both": None, "later": None, "ended": day(2)}


def test_a_backup_is_remembered_until_its_keys_are_gone(store: Store) -> None:
    store.note_backup(BACKUP)
    store.note_backup(replace(BACKUP, slots=99))
    store.note_backup(replace(BACKUP, id="b0", taken_at=T0 - DAY))
    assert [one.id for one in store.backups()] == ["b0", "b1"]
    assert store.backups()[1] == BACKUP
    store.key_backup_gone("b1", day(14))
    store.key_backup_gone("b1", day(15))
    assert store.backups()[1].keys_gone_at == day(14)
    with pytest.raises(NotFound):
        store.key_backup_gone("b9", day(14))


def test_where_content_lies_is_told_from_both_ends(store: Store) -> None:
    store.intake([talk("one"), talk("two")], plan="pro", recorded_at=T0)
    places = store.places(0, 3)
    assert [place.slot for place in places] == sorted(place.slot for place in places)
    rest = store.places(places[-1].slot, 10)
    assert len(places) + len(rest) == 4
    headings = 2
    slots = [slot for stretch in store.slots() for slot in stretch]
    assert slots == sorted(slots)
    assert len(slots) == 4 + headings
    assert store.last_slot() == max(slots)
    assert sum(store.live_segments().values()) == 4
    assert store.unsealed(5) == (0, [])
    assert store.revived(5) == []
    assert store.stale_clocks() == 0
    assert store.files() is None or all(path.exists() for path in store.files())
