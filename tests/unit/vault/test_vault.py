"""The vault: texts in, places out; a text opens as long as its slot holds a key."""

from datetime import date
from pathlib import Path

import pytest
from tests.vaults import vault_in

from assent.domain.contents import Piece, Sealed
from assent.domain.errors import AssentError, Invalid, NotFound
from assent.vault import vault as vault_module

DAY = date(2026, 11, 22)
PIECES = [
    Piece(slot, "short" if slot % 3 == 0 else "long", f"what person {slot} said, marker-{slot}")
    for slot in range(1, 31)
]
TEXTS = {piece.slot: piece.text for piece in PIECES}


def test_texts_come_back_and_the_destroyed_are_left_out(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    places = vault.keep(PIECES, day=DAY)
    assert [place.slot for place in places] == list(TEXTS)
    assert vault.read(list(reversed(places))) == TEXTS
    vault.destroy([1, 30])
    vault.destroy([30])
    assert vault.read(places) == {slot: text for slot, text in TEXTS.items() if slot not in (1, 30)}
    assert vault.opens([1, 2, 30, 31]) == {2}


def test_lanes_do_not_share_segments_and_names_tell_day_lane_and_slots(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep(PIECES, day=DAY)
    assert sorted(name for name, _ in vault.segments()) == ["2026-11-22/long/1-29", "2026-11-22/short/3-30"]


def test_nothing_that_was_said_lies_anywhere_in_clear(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep(PIECES, day=DAY)
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"marker" not in found
    assert b"person" not in found


def test_what_was_destroyed_does_not_open_even_with_a_copy_of_all_files_after_a_rotation(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    places = vault.keep(PIECES, day=DAY)
    slots = tmp_path / "vault" / "slots"
    stolen = (slots / "1" / "slots").read_bytes()
    vault.destroy([5])
    vault.rotate()
    (slots / str(vault.slots.epoch) / "slots").write_bytes(stolen)
    with pytest.raises(AssentError, match="slot `5` is damaged"):
        vault_in(tmp_path).read([place for place in places if place.slot == 5])


def test_the_same_slots_again_never_write_over_a_segment(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    first = vault.keep(PIECES[:1], day=DAY)
    again = vault.keep([PIECES[0]._replace(text="said anew")], day=DAY)
    assert first[0].segment != again[0].segment
    assert vault.read(again) == {1: "said anew"}


def test_short_texts_stand_in_rows(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    titles = [(1, "a title"), (2, ""), (3, "another")]
    records = vault.seal_inline(titles)
    vault.destroy([3])
    sealed = [(slot, record) for (slot, _), record in zip(titles, records, strict=True)]
    assert vault.open_inline(sealed) == {1: "a title", 2: ""}
    assert not any(b"title" in record for record in records)
    assert list(vault.segments()) == []


def test_records_are_copied_as_they_are_and_open_from_their_new_place(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    places = [place for place in vault.keep(PIECES, day=DAY) if place.segment.split("/")[1] == "long"]
    vault.destroy([2, 4])
    moved = vault.copy([place for place in places if place.slot not in (2, 4)], day=DAY, lane="long")
    assert {place.segment for place in moved} == {"2026-11-22/long/1-29-1"}
    vault.remove_segment("2026-11-22/long/1-29")
    assert vault.read(moved) == {place.slot: TEXTS[place.slot] for place in moved}
    sizes = dict(vault.segments())
    assert sizes["2026-11-22/long/1-29-1"] == sum(place.length for place in moved)


def test_a_segment_never_gets_a_name_that_another_one_had(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    places, names = vault.keep(PIECES, day=DAY), set[str]()
    for _ in range(4):
        found = {place.segment for place in places}
        assert names.isdisjoint(found)
        names |= found
        moved = vault.copy(places, day=DAY, lane="long")
        for name in found:
            vault.remove_segment(name)
        places = moved
    assert vault.read(places) == TEXTS


def test_a_long_batch_becomes_several_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "SEGMENT_BYTES", 200)
    vault = vault_in(tmp_path)
    places = vault.keep(PIECES, day=DAY)
    assert len({place.segment for place in places}) > 4
    assert vault.read(places) == TEXTS


def test_neighbours_are_read_together_and_far_records_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "_READ_ON", 10)
    vault = vault_in(tmp_path)
    places = vault.keep(PIECES, day=DAY)
    assert vault.read(places[::4]) == {place.slot: TEXTS[place.slot] for place in places[::4]}


def test_a_segment_that_is_gone_while_its_keys_are_there_is_told(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    places = vault.keep(PIECES, day=DAY)
    vault.remove_segment("2026-11-22/short/3-30")
    with pytest.raises(NotFound, match=r"segment `2026-11-22/short/3-30` is gone, and 10 keys are not"):
        vault.read(places)
    vault.destroy([slot for slot in TEXTS if slot % 3 == 0])
    assert set(vault.read(places)) == {slot for slot in TEXTS if slot % 3}


def test_a_record_that_was_cut_short_is_told(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    place = vault.keep(PIECES[:1], day=DAY)[0]
    path = tmp_path / "vault" / "segments" / place.segment
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(AssentError, match="the record of slot `1` does not open"):
        vault.read([place])


def test_a_row_that_names_the_wrong_place_opens_nothing_of_somebody_else(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    first, second = vault.keep([PIECES[0], PIECES[1]], day=DAY)
    with pytest.raises(AssentError, match="the record of slot `2` does not open"):
        vault.read([Sealed(second.slot, *first[1:])])


def test_a_lane_is_a_slug(tmp_path: Path) -> None:
    for lane in ("", "a/b", "..", "Long"):
        with pytest.raises(Invalid, match="is no lane"):
            vault_in(tmp_path).keep([Piece(1, lane, "text")], day=DAY)


def test_nothing_is_kept_for_nothing(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    assert (vault.keep([], day=DAY), vault.read([]), vault.copy([], day=DAY, lane="long")) == ([], {}, [])
    vault.destroy([])
    assert list(vault.segments()) == []
