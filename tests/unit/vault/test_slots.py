"""The slot store: what was written is read, what was destroyed is zeros, from any number of processes."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.domain.errors import AssentError, NotFound
from assent.vault.generation import PER_SECTOR, SECTOR, WRAPPED, place
from assent.vault.local import LocalEpochKeys
from assent.vault.slots import SlotStore

CHILD = Path(__file__).with_name("writing_child.py")


def key(slot: int) -> bytes:
    return random.Random(slot).randbytes(32)


def opened(folder: Path) -> SlotStore:
    return SlotStore(folder / "slots", LocalEpochKeys(folder / "keys", lambda: os.urandom(32)))


def quiet(_amount: int) -> None:
    pass


@given(st.integers(0, 2**40))
def test_no_slot_crosses_a_sector_and_none_overlaps_the_next(slot: int) -> None:
    assert place(slot) // SECTOR == (place(slot) + WRAPPED - 1) // SECTOR
    assert place(slot + 1) - place(slot) >= WRAPPED


def test_every_slot_of_a_sector_has_its_own_place() -> None:
    assert [place(slot) for slot in range(PER_SECTOR + 1)] == [40 * n for n in range(12)] + [512]


NUMBERS = st.sets(st.integers(0, 100) | st.integers(2_000, 2_020) | st.integers(30_000, 30_003), max_size=40)
ACTS = st.lists(st.tuples(st.sampled_from(["write", "destroy", "rotate"]), NUMBERS), max_size=8)


@settings(max_examples=40)
@given(ACTS)
def test_the_store_holds_exactly_what_was_written_and_not_destroyed(tmp_path_factory: object, acts: list) -> None:
    folder: Path = tmp_path_factory.mktemp("slots")  # type: ignore[attr-defined]
    store, expected = opened(folder), dict[int, bytes]()
    for act, numbers in acts:
        if act == "write":
            store.write({slot: key(slot) for slot in numbers})
            expected |= {slot: key(slot) for slot in numbers}
        elif act == "destroy":
            store.destroy(list(numbers))
            expected = {slot: kept for slot, kept in expected.items() if slot not in numbers}
        else:
            assert store.rotate(on_slots=quiet).survivors == len(expected)
    everything = [*range(110), *range(1_990, 2_030), *range(29_999, 30_006)]
    random.Random(1).shuffle(everything)
    assert store.read(everything) == expected
    assert store.holding(everything) == set(expected)
    assert store.live(-1, 1_000) == sorted(expected)
    assert store.count() == len(expected)
    assert opened(folder).read(everything) == expected


def test_live_slots_come_in_pages(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write({slot: key(slot) for slot in range(1, 101)})
    pages, after = [], 0
    while page := store.live(after, 17):
        pages += page
        after = page[-1]
    assert pages == list(range(1, 101))


def test_destroying_what_was_never_written_makes_the_file_no_longer(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write({3: key(3)})
    store.destroy([2, 3, 10**9])
    assert (tmp_path / "slots" / "1" / "slots").stat().st_size == place(3) + WRAPPED
    assert not any((tmp_path / "slots" / "1" / "slots").read_bytes())


def test_a_damaged_slot_is_named_and_never_passed_over_in_silence(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write({slot: key(slot) for slot in range(1, 9)})
    with (tmp_path / "slots" / "1" / "slots").open("r+b") as file:
        file.seek(place(5) + 7)
        file.write(b"\xff\x00\xff")
    assert store.read([4, 6]) == {4: key(4), 6: key(6)}
    assert store.holding([5]) == {5}
    with pytest.raises(AssentError, match="slot `5` is damaged"):
        store.read([4, 5])
    with pytest.raises(AssentError, match="slot `5` is damaged"):
        store.rotate(on_slots=quiet)
    assert store.epoch == 1
    store.destroy([5])
    assert store.rotate(on_slots=quiet).survivors == 7
    assert store.leftovers() == []


def test_a_rotation_leaves_nothing_of_the_old_epoch(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write({slot: key(slot) for slot in range(1, 30)})
    store.destroy([7])
    old_key = (tmp_path / "keys" / "epoch-1.key").read_bytes()
    old_slots = (tmp_path / "slots" / "1" / "slots").read_bytes()
    heard: list[int] = []
    rotation = store.rotate(on_slots=heard.append)
    assert (rotation.from_epoch, rotation.to_epoch, rotation.survivors, sum(heard)) == (1, 2, 28, 28)
    assert rotation.destroyed.effective == "now"
    after = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    assert old_key not in after
    assert not any(old_slots[place(slot) : place(slot) + WRAPPED] in after for slot in range(1, 30) if slot != 7)
    assert sorted(path.name for path in (tmp_path / "slots").iterdir()) == ["2", "current", "lock"]


def test_the_old_slots_and_the_old_key_are_zeros_where_they_lay(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write({slot: key(slot) for slot in range(1, 30)})
    # another name for the same bytes on the disk, as an undelete tool would find them
    os.link(tmp_path / "slots" / "1" / "slots", tmp_path / "old slots")
    os.link(tmp_path / "keys" / "epoch-1.key", tmp_path / "old key")
    store.rotate(on_slots=quiet)
    for name in ("old slots", "old key"):
        left = (tmp_path / name).read_bytes()
        assert left
        assert not any(left)


def test_a_reader_whom_a_rotation_overtakes_reads_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, reader = opened(tmp_path), opened(tmp_path)
    store.write({1: key(1), 2: key(2)})
    real, overtaken = os.pread, list[int]()

    def pread(descriptor: int, length: int, position: int) -> bytes:
        if not overtaken:
            overtaken.append(1)
            store.rotate(on_slots=quiet)  # the reader has opened the old slots, and now they are zeros
        return real(descriptor, length, position)

    for look in (lambda: reader.read([1, 2]), lambda: reader.holding([1, 2]), lambda: reader.live(0, 9)):
        overtaken.clear()
        with monkeypatch.context() as patched:
            patched.setattr(os, "pread", pread)
            assert set(look()) == {1, 2}
        assert overtaken


def test_a_store_that_lost_its_pointer_is_not_begun_again(tmp_path: Path) -> None:
    opened(tmp_path).write({1: key(1)})
    (tmp_path / "slots" / "current").unlink()
    with pytest.raises(AssentError, match="does not say which epoch is in force"):
        opened(tmp_path)
    assert (tmp_path / "keys" / "epoch-1.key").exists()


def test_without_its_epoch_key_a_store_says_so(tmp_path: Path) -> None:
    opened(tmp_path).write({1: key(1)})
    (tmp_path / "keys" / "epoch-1.key").unlink()
    with pytest.raises(NotFound, match="epoch `1` has no key"):
        opened(tmp_path).read([1])


def test_a_store_that_many_open_at_once_is_begun_once(tmp_path: Path) -> None:
    stores: list[SlotStore] = []
    threads = [threading.Thread(target=lambda: stores.append(opened(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, store in enumerate(stores):
        store.write({number: key(number)})
    assert opened(tmp_path).count() == 8
    assert [store.leftovers() for store in stores] == [[]] * 8


def test_readers_see_every_key_while_epochs_change(tmp_path: Path) -> None:
    store, reader = opened(tmp_path), opened(tmp_path)
    expected = {slot: key(slot) for slot in range(1, 400)}
    store.write(expected)
    wrong: list[object] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                if (found := reader.read(list(expected))) != expected:
                    wrong.append(len(found))
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is what this test looks for
                wrong.append(problem)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        store.rotate(on_slots=quiet)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_key_of_another_process_is_lost_while_epochs_change(tmp_path: Path) -> None:
    store = opened(tmp_path)
    children = [subprocess.Popen([sys.executable, CHILD, tmp_path, str(first)]) for first in (1, 100_001)]
    try:
        rotations = 0
        while any(child.poll() is None for child in children):
            store.rotate(on_slots=quiet)
            rotations += 1
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert [child.returncode for child in children] == [0, 0]
    assert rotations > 1
    written = [*range(1, 1_001), *range(100_001, 101_001)]
    assert store.read(written) == {slot: key(slot) for slot in written if slot % 10}
