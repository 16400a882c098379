"""C2SP tlog-tiles: the tree kept and published as tiles of 256 hashes, and entries in bundles.

A tile of level L lists hashes of complete subtrees of 256**L leaves. Whatever is complete never
changes, so a tile is only ever new or wider.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from assent.domain.errors import Invalid
from assent.ledger.encoding import HASH_BYTES, MAX_SIZE
from assent.ledger.merkle import HashReader

WIDTH: Final = 256
HEIGHT: Final = 8  # a full tile is a subtree of this height: 2**8 hashes
MAX_ENTRY_BYTES: Final = 65_535  # a bundle writes an entry's length in two bytes
ENTRIES: Final = -1  # the level of a bundle of entries, as in Go's tlog
_TILE_BYTES: Final = WIDTH * HASH_BYTES
_PAIR_BYTES: Final = 2 * HASH_BYTES
_REMEMBERED_TILES: Final = 512  # with the rows above them 16 KiB each: 8 MiB
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class Tile(NamedTuple):
    """One tile or, at level `ENTRIES`, one bundle: its place in the tree and how many hashes or entries it holds."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Say where it is published, relative to the log: `tile/0/x001/067.p/8`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{_number_path(self.number)}{partial}"


def parse_path(path: str) -> Tile:
    """Read the path of a tile or bundle, or raise `Invalid`; every tile has one path only."""
    match = _PATH.fullmatch(path)
    if match is not None:
        level = ENTRIES if match["level"] == "entries" else int(match["level"])
        number = int(match["number"].replace("x", "").replace("/", ""))
        width = int(match["width"] or WIDTH)
        tile = Tile(level, number, width)
        if tile.path == path and number <= MAX_SIZE // WIDTH:
            return tile
    raise Invalid("this is not the path of a tile", "write it as in `tile/0/x001/067.p/8`")


def new_tiles(old_size: int, new_size: int) -> list[Tile]:
    """List the tiles that are new or wider when a tree grows, level by level."""
    tiles: list[Tile] = []
    level = 0
    while new_size > old_size:
        full, rest = divmod(new_size, WIDTH)
        tiles += (Tile(level, number, WIDTH) for number in range(old_size // WIDTH, full))
        if rest:
            tiles.append(Tile(level, full, rest))
        level, old_size, new_size = level + 1, old_size // WIDTH, full
    return tiles


def bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries as a bundle: each after its length in two bytes, big-endian."""
    if not 1 <= len(entries) <= WIDTH:
        raise Invalid(f"a bundle of {len(entries)} entries cannot be published", f"bundle 1 to {WIDTH}")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise Invalid(f"an entry is longer than {MAX_ENTRY_BYTES} bytes", "log its digest instead")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart, or raise `Invalid` where it is empty, cut off or longer than 256 entries."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) <= WIDTH:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise Invalid("the bundle of entries is cut off", "fetch it again")
        entries.append(data[start:at])
    if not 1 <= len(entries) <= WIDTH:
        raise Invalid(f"the bundle holds {len(entries)} entries, not 1 to {WIDTH}", "fetch it again")
    return entries


def bundle_path(number: int, width: int) -> str:
    """Say where a bundle of entries is published, relative to the log."""
    return Tile(ENTRIES, number, width).path


def tile_reader(load: Callable[[int, int], bytes]) -> HashReader:
    """Read subtree hashes from tiles; `load(level, number)` gives at least the hashes that exist.

    The reader remembers the last tiles it used, so proving a batch of leaves costs about one hash
    a leaf. Make a new reader when the tree has grown: a remembered tile does not widen.
    """

    @lru_cache(maxsize=_REMEMBERED_TILES)
    def rows(level: int, number: int) -> list[bytes]:
        return _rows(load(level, number))

    def read(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        number, place = divmod(index, WIDTH >> height)
        tile = rows(tile_level, number)
        found = tile[height][place * HASH_BYTES : (place + 1) * HASH_BYTES] if height < len(tile) else b""
        if len(found) != HASH_BYTES:
            raise Invalid(f"tile `{tile_level}/{number}` is too short", "fetch the tile again, whole")
        return found

    return read


def grow(
    old_size: int, edge: Mapping[tuple[int, int], bytes], leaf_hashes: Sequence[bytes]
) -> dict[tuple[int, int], bytes]:
    """Append leaves: give every tile (level, number) that is new or wider, with all its hashes.

    `edge` holds the partial tiles of the tree of `old_size` leaves: at each level the one, if any,
    that is not full. Nothing else of the old tree is needed.
    """
    grown: dict[tuple[int, int], bytes] = {}
    level, added = 0, b"".join(leaf_hashes)
    if len(added) != HASH_BYTES * len(leaf_hashes):
        raise Invalid(f"a leaf hash is not {HASH_BYTES} bytes long", "hash each entry with leaf_hash")
    while added:
        number, width = divmod(old_size, WIDTH)
        kept = edge.get((level, number), b"") if width else b""
        if len(kept) != width * HASH_BYTES:
            raise Invalid(f"tile `{level}/{number}` does not hold the {width} hashes of the old tree", "load it again")
        hashes = kept + added
        full: list[bytes] = []
        for start in range(0, len(hashes), _TILE_BYTES):
            tile = grown[level, number] = hashes[start : start + _TILE_BYTES]
            if len(tile) == _TILE_BYTES:
                full.append(_rows(tile)[HEIGHT])
            number += 1
        level, old_size, added = level + 1, old_size // WIDTH, b"".join(full)
    return grown


def _rows(hashes: bytes) -> list[bytes]:
    """Hash a tile upwards: row h holds the hashes of its complete subtrees of height h."""
    sha256 = hashlib.sha256
    rows = [hashes]
    while len(hashes) >= _PAIR_BYTES:
        pairs = range(0, len(hashes) - _PAIR_BYTES + 1, _PAIR_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + _PAIR_BYTES]).digest() for at in pairs])
        rows.append(hashes)
    return rows


def _number_path(number: int) -> str:
    """Write a tile's number in groups of three digits, so that no folder holds more than a thousand files."""
    head, last = divmod(number, 1000)
    groups = [f"{last:03d}"]
    while head:
        head, group = divmod(head, 1000)
        groups.append(f"x{group:03d}")
    return "/".join(reversed(groups))
