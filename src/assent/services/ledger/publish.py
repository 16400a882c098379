"""Publish the log as files that any web server can serve (C2SP tlog-tiles).

Bundles and tiles first, the checkpoint last: whoever reads a checkpoint finds all that it
covers. Going on after an interruption is publishing again; what was written twice was
written alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError, Invalid, Refused
from assent.ledger.checkpoint import open_checkpoint
from assent.ledger.encoding import HASH_BYTES
from assent.ledger.tiles import WIDTH, bundle, bundle_path, new_tiles
from assent.services.ledger.prove import served
from assent.services.ledger.seal import keys_ever
from assent.services.ledger.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.ledger.checkpoint import Checkpoint
    from assent.services.ledger.log import Log
    from assent.store.port import Ledger, TileStore

_AT_ONCE: Final = 5_000

CHECKPOINT: Final = "checkpoint"
"""Where the newest checkpoint is published, relative to the log."""


@dataclass(frozen=True, slots=True)
class Published:
    """What one publication wrote: the log grew from `old_size` to `size` leaves in so many files."""

    old_size: int
    size: int
    tiles: int
    bundles: int


class OvertakenError(Refused):
    """Somebody else published at the same time; nothing was overwritten, and publishing again will do."""


def key_path(number: int) -> str:
    """Say where a change of keys is published: `keys/000` is the log's first, relative to the log."""
    return f"keys/{number:03d}"


def publish(
    store: Ledger,
    log: Log,
    target: TileStore,
    *,
    whole: bool = False,
    others: Callable[[list[int]], None] = lambda _numbers: None,
    done: Callable[[int], None] = lambda _n: None,
) -> Published:
    """Bring the published log up to the newest checkpoint, its cosignatures and its changes of keys.

    `whole` writes again what an earlier publication left out or lost; `done` hears of every leaf that is published.
    `others` hears, before anybody can see them, which leaves are no choices: from outside all look alike, and whoever
    restores an older store takes what it does not know for a lost choice. Raises `Refused` where the published log is
    longer than this one or states another root (a restored store, or somebody else's log), `NotFound` if there is no
    checkpoint.
    """
    before = target.get(CHECKPOINT)  # first, so that ours is no older unless the store is
    note = served(store).encode()
    now = open_checkpoint(note.decode(), keys_ever(store), log.origin)
    old = _continued(store, log, before, now)
    start = 0 if whole else old
    if numbers := _no_choices(store, old, now.size):
        others(numbers)
    bundles = _put_bundles(store, target, start, now.size, done, whole=whole)
    tree = Tree(store)
    tiles = new_tiles(start, now.size)
    for tile in tiles:
        if not (whole and target.exists(tile.path)):
            target.put(tile.path, tree.tile(tile.level, tile.number)[: tile.width * HASH_BYTES])
    for number, change in enumerate(store.key_changes()):
        if target.get(key_path(number)) != change.encode():
            target.put(key_path(number), change.encode())
    if note != before and not target.replace(CHECKPOINT, before, note):
        raise OvertakenError("somebody else published this log meanwhile", "publish again")
    return Published(old, now.size, len(tiles), bundles)


def _continued(store: Ledger, log: Log, before: bytes | None, now: Checkpoint) -> int:
    """Return the size of the log that is published already, if the newest checkpoint continues it."""
    if before is None:
        return 0
    try:
        old = open_checkpoint(before.decode(), keys_ever(store), log.origin)
    except (Invalid, UnicodeDecodeError):
        raise Refused("what is published there is not this log", "publish to another place") from None
    if old.size > now.size:
        raise Refused(
            f"the published log has {old.size} leaves and this one {now.size}",
            "this store is older than what was published: restore a newer backup",
        )
    if Tree(store).root(old.size) != old.root:
        raise Refused(
            f"the published log states another root for {old.size} leaves than this one",
            "one of the two was changed: run `assent ledger verify`, with `--log` for the published one",
        )
    return old.size


def _no_choices(store: Ledger, first: int, size: int) -> list[int]:
    """Name the leaves that are receipts of erasures, cuts or runs."""
    found: list[int] = []
    while first < size and (leaves := store.leaves(first, min(_AT_ONCE, size - first))):
        found += [leaf.number for choice, leaf in leaves if choice is None]
        first = leaves[-1][1].number + 1
    return found


def _put_bundles(
    store: Ledger, target: TileStore, start: int, size: int, done: Callable[[int], None], *, whole: bool
) -> int:
    first = start // WIDTH
    for number in range(first, -(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        path = bundle_path(number, width)
        if not (whole and target.exists(path)):
            entries = store.commitments(number * WIDTH, width)
            if len(entries) < width:
                raise AssentError(f"the store has lost leaves from `{number * WIDTH}` on", "restore it from a backup")
            target.put(path, bundle(entries))
        done(width)
    return max(0, -(-size // WIDTH) - first)
