"""Every write of the vault fails once, in five ways, and nothing is lost, nothing comes back, and again finishes it."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from tests.unit.vault.failing import WAYS, PowerCut, Way, failing
from tests.vaults import vault_in

from assent.domain.contents import Piece
from assent.vault.local import LocalEpochKeys
from assent.vault.slots import SlotStore

DAY = date(2026, 11, 22)
CHILD = Path(__file__).with_name("rotating_child.py")
SLOTS = range(1, 31)
GONE = (3, 12, 30)
KEPT = {slot: random.Random(slot).randbytes(32) for slot in SLOTS if slot not in GONE}


def opened(folder: Path) -> SlotStore:
    return SlotStore(folder / "slots", LocalEpochKeys(folder / "keys", lambda: os.urandom(32)))


def filled(folder: Path) -> SlotStore:
    store = opened(folder)
    store.write({slot: random.Random(slot).randbytes(32) for slot in SLOTS})
    store.destroy(GONE)
    return store


def rotate(store: SlotStore) -> None:
    store.rotate(on_slots=lambda _amount: None)


def each_failure(
    way: Way, folder: Path, prepare: Callable[[Path], object], act: Callable[[object], object]
) -> Iterator[Path]:
    """Fail at the first write, then at the second, until the act needs no more; yield the folder after each failure."""
    at = 0
    while True:
        at += 1
        place = folder / str(at)
        place.mkdir()
        subject = prepare(place)
        told = False
        with failing(way, at) as machine:
            try:
                act(subject)
            except (OSError, PowerCut):
                told = True
        # a folder that is there although the machine says no is a folder
        assert told == machine.failed or (way, machine.struck) == ("late", "mkdir"), (
            f"{machine.struck} failed in silence"
        )
        if not machine.failed:
            assert at > 1, "the act writes nothing"
            return
        yield place


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.parametrize("way", WAYS)
def test_a_rotation_that_fails_anywhere_loses_no_key_and_brings_none_back(way: Way, tmp_path: Path) -> None:
    for folder in each_failure(way, tmp_path, filled, rotate):
        store = opened(folder)
        assert store.read(list(SLOTS)) == KEPT
        before = [path.read_bytes() for path in (folder / "keys").iterdir()]
        rotate(store)
        assert store.read(list(SLOTS)) == KEPT
        assert store.leftovers() == []
        assert not any(old in everything_in(folder) for old in before if any(old))


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
def test_a_rotation_that_fails_twice_in_a_row_is_no_worse(way: Way, tmp_path: Path) -> None:
    for first in each_failure(way, tmp_path, filled, rotate):
        at = random.Random(first.name + way).randrange(1, 25)
        with failing(way, at), suppress(OSError, PowerCut):
            rotate(opened(first))
        store = opened(first)
        assert store.read(list(SLOTS)) == KEPT
        rotate(store)
        assert (store.read(list(SLOTS)), store.leftovers()) == (KEPT, [])


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.parametrize("way", WAYS)
def test_a_destruction_that_fails_says_so_and_again_finishes_it(way: Way, tmp_path: Path) -> None:
    slots = [1, 2, 3, 11, 12, 13, 20, 29]
    for folder in each_failure(way, tmp_path, filled, lambda store: store.destroy(slots)):
        store = opened(folder)
        others = [slot for slot in KEPT if slot not in slots]
        assert store.read(others) == {slot: KEPT[slot] for slot in others}
        store.destroy(slots)
        assert store.live(0, 100) == others


@pytest.mark.parametrize("way", WAYS)
def test_a_store_whose_beginning_fails_begins_the_next_time(way: Way, tmp_path: Path) -> None:
    for folder in each_failure(way, tmp_path, lambda place: place, opened):
        assert filled(folder).read(list(SLOTS)) == KEPT


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.parametrize("way", WAYS)
def test_what_was_kept_before_opens_when_keeping_more_fails(way: Way, tmp_path: Path) -> None:
    pieces = [Piece(slot, "plain", f"text {slot}") for slot in range(1, 6)]
    more = [Piece(slot, f"lane-{slot % 2}", f"text {slot}") for slot in range(6, 12)]

    def prepare(folder: Path) -> object:
        vault_in(folder).keep(pieces, day=DAY)
        return folder

    for folder in each_failure(way, tmp_path, prepare, lambda folder: vault_in(folder).keep(more, day=DAY)):
        vault = vault_in(folder)
        places = vault.keep(more, day=DAY)
        assert vault.read(places) == {piece.slot: piece.text for piece in more}
        first = next(name for name, _ in vault.segments() if name.endswith("plain/1-5"))
        assert vault.read(vault.copy([], day=DAY, lane="plain")) == {}
        vault.remove_segment(first)
        assert first not in dict(vault.segments())


CALLS = ("fsync", "pwrite64", "/^rename", "/^link", "/^unlink")
STRIKES = ("error=EIO", "error=ENOSPC", "signal=SIGKILL")


def _survives(folder: Path, call: str, strike: str, at: int) -> bool:
    """Rotate while the kernel strikes at the n-th call of a kind; tell whether it came to that many."""
    if shutil.which("strace") is None:
        pytest.skip("strace is missing: apt-get install strace (`make programs`)")
    folder.mkdir()
    filled(folder)
    rules = ["-e", f"trace={call}", "-e", f"inject={call}:{strike}:when={at}"]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", *rules, sys.executable, CHILD, folder]
    status = subprocess.run(command, capture_output=True, check=False).returncode
    store = opened(folder)
    assert store.read(list(SLOTS)) == KEPT
    rotate(store)
    assert (store.read(list(SLOTS)), store.leftovers()) == (KEPT, [])
    return status != 0


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.parametrize(
    ("call", "strike", "at"),
    [
        ("fsync", "error=EIO", 4),
        ("pwrite64", "error=ENOSPC", 2),
        ("/^rename", "error=EIO", 1),
        ("fsync", "signal=SIGKILL", 9),
    ],
)
def test_a_kernel_that_says_no_to_a_rotation_loses_nothing(call: str, strike: str, at: int, tmp_path: Path) -> None:
    assert _survives(tmp_path / "home", call, strike, at)


@pytest.mark.fault("disk that refuses the vault")
@pytest.mark.deep
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("strike", STRIKES)
def test_a_kernel_that_says_no_anywhere_in_a_rotation_loses_nothing(call: str, strike: str, tmp_path: Path) -> None:
    at = 1
    while _survives(tmp_path / str(at), call, strike, at):
        at += 1
    assert at > 1
