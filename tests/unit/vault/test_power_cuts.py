"""The power goes at every change of the disk, and all that nobody waited for is forgotten."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.vault.failing import PowerCut
from tests.unit.vault.volatile import volatile
from tests.vaults import vault_in

from assent.domain.contents import Piece
from assent.vault.local import LocalEpochKeys
from assent.vault.slots import SlotStore

DAY = date(2026, 11, 22)
SLOTS = range(1, 31)
KEYS = {slot: random.Random(slot).randbytes(32) for slot in SLOTS}
MORE = {slot: random.Random(slot).randbytes(32) for slot in range(31, 60)}
GONE = [2, 3, 12, 13, 29]
KEPT = {slot: key for slot, key in KEYS.items() if slot not in GONE}


def opened(folder: Path) -> SlotStore:
    return SlotStore(folder / "slots", LocalEpochKeys(folder / "keys", lambda: os.urandom(32)))


def filled(folder: Path) -> SlotStore:
    store = opened(folder)
    store.write(KEYS)
    return store


def cuts(folder: Path, prepare: Callable[[Path], Any], act: Callable[[Any], Any]) -> Iterator[tuple[Path, Any]]:
    """Cut the power at each change, and at last right after the act; yield the folder and what the act returned."""
    for at in range(1, 1_000):
        place = folder / str(at)
        place.mkdir()
        subject, done = prepare(place), None
        with volatile(folder / f"limbo {at}", at) as machine:
            try:
                done = act(subject)
            except PowerCut:
                assert machine.failed
        machine.lose()
        yield place, done
        if not machine.failed:
            assert at > 2, "the act changes nothing"
            return


def rotated(store: SlotStore) -> bool:
    store.rotate(on_slots=lambda _amount: None)
    return True


@pytest.mark.fault("power cut")
def test_a_rotation_loses_no_key_and_once_it_returns_the_old_epoch_stays_gone(tmp_path: Path) -> None:
    done = None
    for folder, done in cuts(tmp_path, filled, rotated):
        store = opened(folder)
        assert store.read(list(SLOTS)) == KEYS
        if done:
            assert (store.epoch, store.leftovers()) == (2, [])
        rotated(store)
        assert (store.read(list(SLOTS)), store.leftovers()) == (KEYS, [])
    assert done


@pytest.mark.fault("power cut")
@pytest.mark.deep
def test_two_cuts_in_a_row_are_no_worse(tmp_path: Path) -> None:
    for folder, _ in cuts(tmp_path, filled, rotated):
        at = random.Random(folder.name).randrange(1, 25)
        with volatile(tmp_path / f"second limbo {folder.name}", at) as machine:
            try:
                rotated(opened(folder))
            except PowerCut:
                assert machine.failed
        machine.lose()
        store = opened(folder)
        assert store.read(list(SLOTS)) == KEYS
        rotated(store)
        assert (store.read(list(SLOTS)), store.leftovers()) == (KEYS, [])


@pytest.mark.fault("killed rotation")
@pytest.mark.parametrize("later", [4, *(pytest.param(later, marks=pytest.mark.deep) for later in range(5, 20))])
def test_a_rotation_that_is_killed_and_then_another_whose_power_goes_lose_no_key(later: int, tmp_path: Path) -> None:
    for at in range(1, 1_000):
        folder = tmp_path / str(at)
        folder.mkdir()
        store = filled(folder)
        with volatile(tmp_path / f"limbo {at}", at) as machine:
            with suppress(PowerCut):  # only the process ends: what it did is there, and not yet on the disk
                rotated(store)
            finished = not machine.failed
            machine.at = machine.calls + later
            with suppress(PowerCut):
                rotated(opened(folder))
        machine.lose()
        assert opened(folder).read(list(SLOTS)) == KEYS
        if finished:
            assert at > 2
            return


@pytest.mark.fault("power cut")
def test_what_is_destroyed_stays_destroyed_and_nothing_else_goes(tmp_path: Path) -> None:
    done = None
    for folder, done in cuts(tmp_path, filled, lambda store: store.destroy(GONE) or True):
        found = opened(folder).read(list(SLOTS))
        assert {slot: key for slot, key in found.items() if slot not in GONE} == KEPT
        if done:
            assert found == KEPT
    assert done


@pytest.mark.fault("power cut")
def test_what_is_written_stays_written(tmp_path: Path) -> None:
    done = None
    for folder, done in cuts(tmp_path, filled, lambda store: store.write(MORE) or True):
        found = opened(folder).read([*SLOTS, *MORE])
        assert {slot: found[slot] for slot in SLOTS} == KEYS
        if done:
            assert found == KEYS | MORE
    assert done


@pytest.mark.fault("killed rotation")
def test_what_is_written_after_a_rotation_was_killed_stays_written(tmp_path: Path) -> None:
    for at in range(1, 1_000):
        folder = tmp_path / str(at)
        folder.mkdir()
        store = filled(folder)
        with volatile(tmp_path / f"limbo {at}", at) as machine:
            with suppress(PowerCut):
                rotated(store)
            finished = not machine.failed
            machine.at = 1_000
            opened(folder).write(MORE)
        machine.lose()
        assert opened(folder).read([*SLOTS, *MORE]) == KEYS | MORE
        if finished:
            assert at > 2
            return


def test_a_store_begins_again_where_its_beginning_was_cut_short(tmp_path: Path) -> None:
    for folder, _ in cuts(tmp_path, lambda place: place, opened):
        assert filled(folder).read(list(SLOTS)) == KEYS


@pytest.mark.fault("power cut")
def test_what_the_vault_keeps_stays_kept(tmp_path: Path) -> None:
    pieces = [Piece(slot, f"lane-{slot % 2}", f"text {slot}") for slot in range(1, 9)]
    places = None
    for folder, places in cuts(tmp_path, lambda place: place, lambda place: vault_in(place).keep(pieces, day=DAY)):
        vault = vault_in(folder)
        if places:
            assert vault.read(places) == {piece.slot: piece.text for piece in pieces}
        assert vault.read(vault.keep(pieces, day=DAY)) == {piece.slot: piece.text for piece in pieces}
    assert places


def test_a_removed_segment_stays_removed(tmp_path: Path) -> None:
    name = "2026-11-22/plain/1-1"

    def prepare(folder: Path) -> Path:
        vault_in(folder).keep([Piece(1, "plain", "text")], day=DAY)
        return folder

    def removed(folder: Path) -> bool:
        vault_in(folder).remove_segment(name)
        return True

    done = None
    for folder, done in cuts(tmp_path, prepare, removed):
        if done:
            assert list(vault_in(folder).segments()) == []
    assert done
