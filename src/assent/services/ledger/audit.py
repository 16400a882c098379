"""Recompute the whole log, from its leaves up, and say what is wrong and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import AssentError, Invalid
from assent.ledger.checkpoint import open_checkpoint, parse_checkpoint
from assent.ledger.encoding import HASH_BYTES
from assent.ledger.keys import follow_keys, parse_key_change
from assent.ledger.leaf import commitment
from assent.ledger.merkle import EMPTY_ROOT, leaf_hash, root
from assent.ledger.note import split_note
from assent.ledger.tiles import WIDTH, bundle_path, grow, new_tiles, read_bundle, tile_reader
from assent.services.ledger.publish import CHECKPOINT, key_path
from assent.services.receipts.record import record_of
from assent.store.port import Cuts, Erasures, Ledger, Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assent.ledger.checkpoint import Checkpoint
    from assent.ledger.note import Verifier
    from assent.services.ledger.log import Log
    from assent.store.port import TileStore
    from assent.store.records import Leaf

_AT_ONCE: Final = 16 * WIDTH
_MOST: Final = 100  # faults named one by one; one fault of a low tile shows in every tile above it


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be, and where."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was recomputed: leaves under the checkpoint, leaves that wait for one, erased salts; and every fault."""

    size: int
    waiting: int
    erased: int
    faults: tuple[Fault, ...]


class LeafStore(Ledger, Erasures, Cuts, Runs, Protocol):
    """What recomputing leaves asks of a store: choices, receipts of erasures, and records of cuts and runs."""


class _Found:
    """Faults so far, the first of each kind that matter."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, place: str, message: str) -> None:
        if len(self.faults) < _MOST:
            self.faults.append(Fault(place, message))


class _Rebuilt:
    """A tree made again from entries alone. Memory holds its tiles: 33 bytes a leaf."""

    def __init__(self) -> None:
        self.size = 0
        self.tiles: dict[tuple[int, int], bytes] = {}

    def add(self, entries: Sequence[bytes]) -> None:
        self.tiles |= grow(self.size, self.tiles, [leaf_hash(entry) for entry in entries])
        self.size += len(entries)

    def root(self, size: int) -> bytes:
        if size == 0:
            return EMPTY_ROOT
        return root(size, tile_reader(lambda level, number: self.tiles.get((level, number), b"")))


def audit_store(store: LeafStore, log: Log, done: Callable[[int], None] = lambda _n: None) -> Audit:
    """Recompute every leaf whose choice and salt are kept, every tile and the root; `done` hears of every leaf.

    The leaf of an erasure is recomputed from its receipt, that of a cut from its record.
    """
    found = _Found()
    rebuilt = _Rebuilt()
    erased = 0
    while rows := store.leaves(rebuilt.size, _AT_ONCE):
        for offset, (choice, leaf) in enumerate(rows):
            erased += leaf.salt is None
            if choice is None:
                what, record = _other(store, leaf)
            else:
                what, record = "choice", record_of(choice, log.identity).encode()
            _check_leaf(rebuilt.size + offset, what, record, leaf, found)
        rebuilt.add([leaf.commitment for _, leaf in rows])
        done(len(rows))
    head = store.head()
    if head is None:
        found.add(CHECKPOINT, "there is none")
        return Audit(0, rebuilt.size, erased, tuple(found.faults))
    notes = store.key_changes()
    checkpoint = _checked(head.checkpoint, notes, log.origin, found)
    if checkpoint is not None:
        _compare(checkpoint, rebuilt, found)
        for tile in new_tiles(0, min(checkpoint.size, rebuilt.size)):
            there = (store.tile(tile.level, tile.number) or b"")[: tile.width * HASH_BYTES]
            if there != rebuilt.tiles[tile.level, tile.number][: tile.width * HASH_BYTES]:
                found.add(tile.path, "does not follow from the leaves")
    return Audit(head.size, rebuilt.size - head.size, erased, tuple(found.faults))


def audit_copy(
    target: TileStore, origin: str, trusted: Verifier | None = None, done: Callable[[int], None] = lambda _n: None
) -> Audit:
    """Recompute a published log from its entries; `trusted` is a key of it, else its own first key is believed."""
    found = _Found()
    note = target.get(CHECKPOINT)
    if note is None:
        found.add(CHECKPOINT, "there is none")
        return Audit(0, 0, 0, tuple(found.faults))
    checkpoint = _checked(note.decode(errors="replace"), list(_key_notes(target)), origin, found, trusted)
    if checkpoint is None:
        return Audit(0, 0, 0, tuple(found.faults))
    rebuilt = _Rebuilt()
    for number in range(-(-checkpoint.size // WIDTH)):
        width = min(WIDTH, checkpoint.size - number * WIDTH)
        entries = _entries(target, number, width, found)
        if entries is None:
            return Audit(rebuilt.size, 0, 0, tuple(found.faults))
        rebuilt.add(entries)
        done(width)
    _compare(checkpoint, rebuilt, found)
    for tile in new_tiles(0, checkpoint.size):
        if target.get(tile.path) != rebuilt.tiles[tile.level, tile.number]:
            found.add(tile.path, "is missing" if not target.exists(tile.path) else "does not follow from the entries")
    return Audit(checkpoint.size, 0, 0, tuple(found.faults))


def _other(store: LeafStore, leaf: Leaf) -> tuple[str, bytes | None]:
    """Say what a leaf is about that is about no choice that is kept, and read what it commits to."""
    if leaf.erasure is not None:
        found = store.erasure(leaf.erasure)
        return "erasure", None if found is None or found.receipt is None else found.receipt.encode()
    for what, read in (("cut", store.cut_record), ("run", store.run_record)):
        if (record := read(leaf.number)) is not None:
            return what, record.encode()
    return "choice", None


def _check_leaf(number: int, what: str, record: bytes | None, leaf: Leaf, found: _Found) -> None:
    place = f"leaf {leaf.number}"
    if leaf.number != number:
        found.add(place, f"stands where leaf {number} should")
    if record is None:
        found.add(place, f"its {what} is gone")
    elif leaf.salt is not None and commitment(leaf.salt, record) != leaf.commitment:
        found.add(place, f"commits to something else than its {what} says")


def _checked(
    note: str, changes: list[str], origin: str, found: _Found, trusted: Verifier | None = None
) -> Checkpoint | None:
    """Check who signed a checkpoint: its keys are followed from the one that is trusted."""
    try:
        if not changes:
            raise Invalid("the changes of keys are missing")
        first = trusted or parse_key_change(split_note(changes[0])[0]).verifiers[0]
        size = parse_checkpoint(split_note(note)[0]).size
        return open_checkpoint(note, follow_keys(_from(changes, first), first, size=size), origin)
    except AssentError as problem:
        found.add(CHECKPOINT, problem.message)
        return None


def _from(changes: list[str], trusted: Verifier) -> list[str]:
    """Leave out the changes from before the trusted key: they were signed by keys that it says nothing about."""
    for number, note in enumerate(changes):
        if trusted in parse_key_change(split_note(note)[0]).verifiers:
            return changes[number:]
    return changes


def _key_notes(target: TileStore) -> Iterator[str]:
    number = 0
    while (note := target.get(key_path(number))) is not None:
        yield note.decode(errors="replace")
        number += 1


def _entries(target: TileStore, number: int, width: int, found: _Found) -> list[bytes] | None:
    path = bundle_path(number, width)
    data = target.get(path)
    try:
        entries = read_bundle(data or b"")
    except Invalid as problem:
        found.add(path, "is missing" if data is None else problem.message)
        return None
    if len(entries) != width:
        found.add(path, f"holds {len(entries)} entries instead of {width}")
        return None
    return entries


def _compare(checkpoint: Checkpoint, rebuilt: _Rebuilt, found: _Found) -> None:
    if rebuilt.size < checkpoint.size:
        found.add(f"leaf {rebuilt.size}", f"is missing: the checkpoint covers {checkpoint.size} leaves")
    elif rebuilt.root(checkpoint.size) != checkpoint.root:
        found.add(CHECKPOINT, "states another root than the leaves give")
