"""A tree grown in any steps has the tiles of a tree built at once, under paths that have one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.merkle import leaf_hash, root
from assent.ledger.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    bundle,
    bundle_path,
    grow,
    new_tiles,
    parse_path,
    read_bundle,
    tile_reader,
)

MANY = 2_000
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(MANY)]
LARGE = 70_000
Tiles = dict[tuple[int, int], bytes]


def edge(tiles: Tiles, size: int) -> Tiles:
    """The partial tiles of a tree of `size` leaves, and nothing else."""
    found, level = {}, 0
    while size:
        number, width = divmod(size, WIDTH)
        if width:
            found[level, number] = tiles[level, number][: width * 32]
        size, level = number, level + 1
    return found


@given(st.lists(st.integers(0, 700), max_size=8))
def test_growing_in_batches_gives_the_tiles_of_growing_at_once(batches: list[int]) -> None:
    kept: Tiles = {}
    size = 0
    for batch in batches:
        added = LEAVES[size : size + batch]
        grown = grow(size, edge(kept, size), added)
        expected = {(tile.level, tile.number): tile.width for tile in new_tiles(size, size + len(added))}
        assert {place: len(hashes) // 32 for place, hashes in grown.items()} == expected
        kept |= grown
        size += len(added)

    assert kept == grow(0, {}, LEAVES[:size])


def test_growing_one_by_one_gives_the_tiles_of_growing_at_once() -> None:
    kept: Tiles = {}
    for size in range(600):
        kept |= grow(size, edge(kept, size), LEAVES[size : size + 1])

    assert kept == grow(0, {}, LEAVES[:600])


def test_growing_across_the_border_of_a_second_level_needs_the_edge_only() -> None:
    leaves = [LEAVES[number % MANY] for number in range(LARGE)]
    for first in (65_535, 65_536, 65_537, 65_791, 65_792):
        before = grow(0, {}, leaves[:first])
        after = before | grow(first, edge(before, first), leaves[first:])
        assert after == grow(0, {}, leaves)


def test_nothing_added_changes_nothing() -> None:
    assert grow(300, {}, []) == {}
    assert new_tiles(300, 300) == []


def test_the_edge_of_another_tree_is_refused() -> None:
    tiles = grow(0, {}, LEAVES[:300])
    for kept in (
        {},
        edge(tiles, 299),
        {(0, 1): tiles[0, 1], (1, 0): b""},
        {(0, 1): tiles[0, 1][:-1]},
        grow(0, {}, LEAVES[:301]),
    ):
        with pytest.raises(Invalid, match="of the old tree"):
            grow(300, kept, LEAVES[300:301] * 300)


def test_a_leaf_hash_of_another_length_is_refused() -> None:
    with pytest.raises(Invalid, match="not 32 bytes"):
        grow(0, {}, [LEAVES[0], b"short"])


def test_the_tiles_of_the_worked_example_of_70_000_entries() -> None:
    tiles = new_tiles(0, LARGE)

    assert tiles == [
        *(Tile(0, number, 256) for number in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert [tile.path for tile in new_tiles(0, 256)] == ["tile/0/000", "tile/1/000.p/1"]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 67, 8), "tile/0/067.p/8"),
        (Tile(0, 1067, 8), "tile/0/x001/067.p/8"),
        (Tile(63, 1_234_067, 256), "tile/63/x001/x234/067"),
        (Tile(ENTRIES, 1_000_000, 255), "tile/entries/x001/x000/000.p/255"),
    ],
)
def test_a_path_is_written_and_read(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.integers(ENTRIES, 63), st.integers(0, 2**55 - 1), st.integers(1, WIDTH))
def test_every_path_reads_back(level: int, number: int, width: int) -> None:
    tile = Tile(level, number, width)

    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/1000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/8/0/000",
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="not the path of a tile"):
        parse_path(path)


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=WIDTH))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    assert read_bundle(bundle(entries)) == entries


def test_a_bundle_takes_entries_up_to_65_535_bytes() -> None:
    assert read_bundle(bundle([bytes(65_535)])) == [bytes(65_535)]
    with pytest.raises(Invalid, match="longer than 65535 bytes"):
        bundle([bytes(65_536)])


@pytest.mark.parametrize("count", [0, 257])
def test_a_bundle_of_no_or_too_many_entries_is_refused(count: int) -> None:
    with pytest.raises(Invalid, match="bundle"):
        bundle([b"a"] * count)
    with pytest.raises(Invalid, match="bundle"):
        read_bundle(b"\0\1a" * count)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 6, 7, 8])
def test_a_bundle_that_is_cut_off_is_refused(cut: int) -> None:
    data = bundle([b"ab", b"cde"])
    with pytest.raises(Invalid, match="cut off"):
        read_bundle(data[:-cut])


def test_the_path_of_a_bundle() -> None:
    assert bundle_path(1067, 8) == "tile/entries/x001/067.p/8"


def test_a_reader_tells_a_tile_that_is_too_short() -> None:
    tiles = grow(0, {}, LEAVES[:600])
    short = tile_reader(lambda level, number: tiles[level, number][:-1])

    with pytest.raises(Invalid, match="tile `0/0` is too short"):
        short(8 - 1, 1)
    with pytest.raises(Invalid, match="tile `0/2` is too short"):
        short(0, 599)
    with pytest.raises(Invalid, match="tile `1/0` is too short"):
        tile_reader(lambda level, number: tiles[level, number])(9, 1)


def test_a_reader_takes_tiles_that_are_wider_than_its_tree() -> None:
    tiles = grow(0, {}, LEAVES[:600])
    narrow = grow(0, {}, LEAVES[:520])

    assert root(520, tile_reader(lambda level, number: tiles[level, number])) == root(
        520, tile_reader(lambda level, number: narrow[level, number])
    )


def test_a_reader_loads_a_tile_once() -> None:
    tiles = grow(0, {}, LEAVES[:600])
    loaded: list[tuple[int, int]] = []

    def load(level: int, number: int) -> bytes:
        loaded.append((level, number))
        return tiles[level, number]

    read = tile_reader(load)
    assert [read(0, index) for index in range(600)] == LEAVES[:600]
    assert loaded == [(0, 0), (0, 1), (0, 2)]
