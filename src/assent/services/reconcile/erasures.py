"""Look at erasures again: their chain, their trees, the journal, what is unfinished, and what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError
from assent.domain.instants import to_micros
from assent.ledger.erasure import FIRST, Link, Tree, first_broken, ground_of, leaf_record
from assent.services.reconcile.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.services.reconcile.world import ReconcileWorld
    from assent.store.records import Erasure

_PAGE: Final = 500
_NAMED: Final = 5
_REPORT: Final = "find out who changed it: the database refuses such changes"


def erasures(world: ReconcileWorld) -> Iterator[Finding]:
    """Find breaks in the chain, trees that do not fit, erasures that hang, and parts that came back."""
    broken, uneven, hanging, seen = _chain(world)
    if broken is not None:
        says = f"erasure {broken} does not follow from the one before it, or is not what its hash says"
        yield Finding("chain", 1, says, _REPORT, (str(broken),))
    if uneven:
        says = f"the tombstones of {len(uneven):,} erasures are not those that their roots stand for"
        yield Finding("tombstones", len(uneven), says, _REPORT, tuple(map(str, uneven[:_NAMED])))
    if hanging:
        says = f"{len(hanging):,} erasures have no receipt though they began longer than {world.lag} ago"
        fix = "run `assent sweep --daemon`, which says what stands in the way"
        yield Finding("unfinished erasures", len(hanging), says, fix, tuple(map(str, hanging[:_NAMED])))
    late = [
        owed for owed in world.store.overdue_obligations(world.now - world.lag) if owed.state != "pending maintenance"
    ]
    # what waits for maintenance has its own time: until the end of the parts themselves
    late += [owed for owed in world.store.overdue_obligations(world.now - world.lead) if owed not in late]
    if late:
        stores = sorted({owed.store for owed in late})
        says = f"{len(late):,} copies are not removed though asked for longer than {world.lag} ago: {', '.join(stores)}"
        fix = "see to these stores, or record their answer: assent derived ack ERASURE --store NAME"
        yield Finding("acknowledgements", len(late), says, fix, tuple(str(owed.erasure) for owed in late[:_NAMED]))
    if back := world.store.revived(_NAMED):
        says = "parts are here that were erased"
        yield Finding(
            "revived", len(back), says, "run `assent reconcile` again after a sweep, and report it", tuple(back)
        )
    yield from _journal(world, seen)


def _chain(world: ReconcileWorld) -> tuple[int | None, list[int], list[int], dict[int, bytes]]:
    """Walk the chain: its first break, erasures with other tombstones, those that hang, and every chain hash."""
    broken: int | None = None
    uneven: list[int] = []
    hanging: list[int] = []
    seen: dict[int, bytes] = {}
    after, previous = 0, FIRST
    while found := world.store.chained(after, _PAGE):
        links = [(_link(one), one.chain) for one in found]
        broken = first_broken(links, previous) if broken is None else broken
        previous, after = found[-1].chain, found[-1].id
        seen |= {one.id: one.chain for one in found}
        uneven += [one.id for one in found if not _even(world, one)]
        hanging += [one.id for one in found if one.finished_at is None and one.at < world.now - world.lag]
    return broken, uneven, hanging, seen


def _even(world: ReconcileWorld, erasure: Erasure) -> bool:
    """Compute the root from the tombstones anew. Without its salt nobody can, and nothing is wrong."""
    if erasure.salt is None:
        return True
    records = [
        leaf_record(stone.conversation, stone.part, to_micros(stone.erase_by), ground_of(stone.rule, stone.policy))
        for stone in world.store.tombstones_of(erasure.id)
    ]
    return len(records) == erasure.parts and Tree(erasure.salt, records).root == erasure.root


def _link(one: Erasure) -> Link:
    return Link(one.id, one.kind, one.at, one.parts, one.root, one.slots_digest, one.previous)


def _journal(world: ReconcileWorld, seen: dict[int, bytes]) -> Iterator[Finding]:
    """Compare the journal with the chain, and try the keys of every slot that it names."""
    strange: list[int] = []
    opened: list[int] = []
    first: int | None = None
    entered: set[int] = set()
    going = _going(world)
    try:
        for entry in world.journal.read():
            if entry.kind != "erasure":
                continue
            number = entry.body["id"]
            first = number if first is None else min(first, number)
            entered.add(number)
            if seen.get(number) != bytes.fromhex(entry.body["chain"]):
                strange.append(number)
            if number not in going:
                opened += world.vault.opens(entry.body["slots"])
    except AssentError as problem:
        yield Finding("journal", 1, str(problem), problem.fix)
        return
    if strange:
        says = f"the journal names {len(strange):,} erasures that are not the ones in the store"
        fix = "a restore from a backup replays the journal: run `assent restore` with it"
        yield Finding("journal", len(strange), says, fix, tuple(map(str, strange[:_NAMED])))
    missing = [number for number in seen if first is not None and number >= first and number not in entered | going]
    if missing:
        says = f"{len(missing):,} erasures whose keys are destroyed are not in the journal"
        fix = "take a backup now: a restore from an older one would bring them back"
        yield Finding("journal", len(missing), says, fix, tuple(map(str, missing[:_NAMED])))
    if opened:
        says = f"{len(opened):,} keys open that were recorded as destroyed"
        fix = "somebody put an old slot store back: destroy them with `assent reconcile --mend`, then rotate the epoch"
        yield Finding("keys", len(opened), says, fix, tuple(map(str, opened[:_NAMED])))


def _going(world: ReconcileWorld) -> set[int]:
    """Return the numbers of erasures whose keys are not destroyed yet."""
    found: set[int] = set()
    after = 0
    while several := _open(world, after):
        after = several[-1].id
        found |= {one.id for one in several if one.keys_destroyed_at is None}
    return found


def _open(world: ReconcileWorld, after: int) -> Sequence[Erasure]:
    return world.store.open_erasures(after, _PAGE)
