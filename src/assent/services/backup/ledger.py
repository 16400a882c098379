"""Continue the ledger where it was published, not where the backup ended.

Whoever holds a receipt of a choice that was made after the backup holds a proof against the
published log. A restored home that signed other leaves under the same numbers would break that
proof and show two faces of one log. So the published leaves are taken over: they stay
commitments, whose choices are lost here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Invalid, Refused
from assent.ledger.checkpoint import open_checkpoint
from assent.ledger.tiles import WIDTH, bundle_path, read_bundle
from assent.services.ledger.publish import CHECKPOINT
from assent.services.ledger.seal import keys_ever
from assent.services.ledger.tree import grown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.store.port import Store, TileStore

_STAY = "find out which of the two is the ledger; `--ledger none` restores without the published one"


def continue_ledger(store: Store, target: TileStore, origin: str) -> int:
    """Take over the leaves that were published after the backup; returns how many.

    Raises `Refused` if the published log is not the continuation of this one: then nothing is taken over.
    """
    note = target.get(CHECKPOINT)
    if note is None:
        return 0
    try:
        published = open_checkpoint(note.decode(), keys_ever(store), origin)
    except (Invalid, UnicodeDecodeError):
        raise Refused(
            "what is published is not the log of this home, or a key signed it that came later", _STAY
        ) from None
    edge = store.edge()
    size = 0 if edge.head is None else edge.head.size
    staged = store.staged()
    if published.size <= staged:
        return 0
    entries = list(_entries(target, size, published.size))
    if entries[: staged - size] != store.commitments(size, staged - size):
        raise Refused("the published log has other leaves than this one", _STAY)
    if grown(store, edge, entries).root(published.size) != published.root:
        raise Refused("the published log is not what its checkpoint says", _STAY)
    store.continue_ledger(staged, entries[staged - size :])
    return published.size - staged


def _entries(target: TileStore, first: int, end: int) -> Iterator[bytes]:
    for number in range(first // WIDTH, -(-end // WIDTH)):
        width = min(WIDTH, end - number * WIDTH)
        data = target.get(bundle_path(number, width))
        if data is None:
            raise Refused(f"the published log lacks entries from `{number * WIDTH}` on", _STAY)
        yield from read_bundle(data)[max(first - number * WIDTH, 0) : width]
