"""The kept tree: reading its hashes out of the store, and growing it by the leaves that were staged."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from assent.domain.errors import AssentError
from assent.ledger.merkle import leaf_hash, root
from assent.ledger.tiles import WIDTH, grow, tile_reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.ledger.merkle import HashReader
    from assent.store.port import Ledger
    from assent.store.records import Edge

Tiles: TypeAlias = "Mapping[tuple[int, int], bytes]"
"""Hashes of tiles by level and number."""

NONE: Final[Tiles] = MappingProxyType({})

AT_ONCE: Final = 65_536
"""Leaves read and hashed at once: 256 full tiles, some 10 MiB."""


class Tree:
    """The hashes of the kept tree, at one instant or, where the store is asked, a later one."""

    def __init__(self, store: Ledger, edge: Tiles = NONE, new: Tiles = NONE) -> None:
        """Read from the store what is not among the tiles of the `edge`, or the `new` ones that grew from it."""
        self._store = store
        self._known = {**edge, **new}
        self.new = new
        self.read: HashReader = tile_reader(self.tile)

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile. Raises `AssentError` if the store has lost it."""
        found = self._known.get((level, number)) or self._store.tile(level, number)
        if found is None:
            raise AssentError(f"the store has lost tile `{level}/{number}` of the ledger", "restore it from a backup")
        return found

    def root(self, size: int) -> bytes:
        """Compute the root of the first `size` leaves."""
        return root(size, self.read)

    def edge(self, size: int) -> Tiles:
        """Return the tiles that the first `size` leaves begin and do not fill; the tree was grown to this size."""
        return {place: self._known[place] for place in begun(size)}


def begun(size: int) -> list[tuple[int, int]]:
    """List the tiles that `size` leaves begin and do not fill, by level and number."""
    found, level = [], 0
    while size:
        size, rest = divmod(size, WIDTH)
        found += [(level, size)] if rest else []
        level += 1
    return found


def grown(store: Ledger, edge: Edge, commitments: Sequence[bytes]) -> Tree:
    """Return the tree that grows from `edge` by these leaves. Its `new` tiles are those that are new or wider."""
    size = 0 if edge.head is None else edge.head.size
    return Tree(store, edge.tiles, grow(size, edge.tiles, [leaf_hash(entry) for entry in commitments]))
