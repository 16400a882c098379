"""Compare rows with bytes, from both ends: what a row names must be there, and nothing else may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.services.reconcile.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assent.services.reconcile.world import ReconcileWorld

_NAMED: Final = 5


def contents(world: ReconcileWorld) -> Iterator[Finding]:
    """Find rows without bytes or keys, and bytes and keys without a row."""
    segments = dict(world.vault.segments())
    keyless, byteless = _rows(world, segments)
    if keyless:
        says = f"{len(keyless):,} parts are sealed under a key that is not there: their content is lost"
        fix = "if keys were lost, restore a backup; if they were destroyed, see `assent prove` and report it"
        yield Finding("rows without keys", len(keyless), says, fix, _some(keyless))
    if byteless:
        says = f"{len(byteless):,} parts lie in segments that are missing or cut short"
        yield Finding("rows without bytes", len(byteless), says, "put the segments back from a backup", _some(byteless))
    for table, count in world.store.parentless().items():
        says = f"{count:,} rows of `{table}` belong to what is gone"
        yield Finding("rows without parents", count, says, "report it, and restore the store from a backup", (table,))
    count, conversations = world.store.unsealed(_NAMED)
    if count:
        says = f"{count:,} parts have no place in the vault"
        yield Finding("unsealed parts", count, says, "import their source again, or report it", tuple(conversations))
    if keys := orphan_keys(world):
        says = f"{len(keys):,} keys are in the slot store that no row names"
        fix = "they are destroyed by `assent reconcile --mend`; a crash between sealing and storing leaves some"
        yield Finding("keys without rows", len(keys), says, fix, _some(keys))
    live = world.store.live_segments()
    loose = world.store.unreferenced(sorted(segments.keys() - live.keys()))
    if loose:
        says = f"{len(loose):,} segments hold nothing that a row names"
        yield Finding("bytes without rows", len(loose), says, "run `assent vault compact`", tuple(loose[:_NAMED]))


def _rows(world: ReconcileWorld, segments: dict[str, int]) -> tuple[list[int], list[int]]:
    """Return slots of rows whose key, and whose bytes, are not there."""
    keyless: list[int] = []
    byteless: list[int] = []
    after = 0
    while places := world.store.places(after, world.batch_rows):
        after = places[-1].slot
        there = world.vault.opens([place.slot for place in places])
        keyless += [place.slot for place in places if place.slot not in there]
        byteless += [place.slot for place in places if segments.get(place.segment, 0) < place.position + place.length]
    return _still(world, keyless, bytes_too=False), _still(world, byteless, bytes_too=True)


def _still(world: ReconcileWorld, slots: Iterable[int], *, bytes_too: bool) -> list[int]:
    """Look again: an erasure or a compaction may have been under way. Returns what still stands like this."""
    left = []
    segments = dict(world.vault.segments())
    for slot in slots:
        place = next(iter(world.store.places(slot - 1, 1)), None)
        if place is None or place.slot != slot:
            continue
        whole = segments.get(place.segment, 0) >= place.position + place.length
        if not (whole if bytes_too else world.vault.opens([slot])):
            left.append(slot)
    return left


def orphan_keys(world: ReconcileWorld) -> list[int]:
    """Return slots that hold a key and that neither a row nor an open erasure names."""
    last = world.store.last_slot()
    candidates: list[int] = []
    known = _Ascending(world)
    after = 0
    while found := world.vault.slots.live(after, world.batch_rows):
        after = found[-1]
        candidates += [slot for slot in found if slot <= last and not known.holds(slot)]
    if candidates:
        going = set(_slots_of_open_erasures(world))
        left = [slot for slot in candidates if slot not in going]
        named = {slot for stretch in world.store.slots() for slot in stretch} if left else set()
        candidates = sorted(world.vault.opens([slot for slot in left if slot not in named]))
    return candidates


class _Ascending:
    """Every slot that a row names, asked in ascending order."""

    def __init__(self, world: ReconcileWorld) -> None:
        self._slots = (slot for stretch in world.store.slots() for slot in stretch)
        self._next: int | None = next(self._slots, None)

    def holds(self, slot: int) -> bool:
        """Tell whether a row names this slot."""
        while self._next is not None and self._next < slot:
            self._next = next(self._slots, None)
        return self._next == slot


def _some(slots: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(str, sorted(slots)[:_NAMED]))


def _slots_of_open_erasures(world: ReconcileWorld) -> Iterator[int]:
    after = 0
    while erasures := world.store.open_erasures(after, 100):
        for erasure in erasures:
            after = erasure.id
            yield from world.store.slots_of(erasure.id)
