"""Carry erasures out: journal, keys, derived stores, receipt, in this order, and each step again after a crash.

What is left to do is found by asking which erasures have no receipt. Every step may have
happened already, wholly or in part: all of them can be done again. The order is what makes a
crash harmless. The journal comes before the keys, because a restore must know of every key that
is gone; the keys come before the receipt, because a receipt says that they are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from assent.domain.errors import AssentError
from assent.ledger.erasure import Copy, ErasureRecord, Link
from assent.ledger.leaf import commitment
from assent.services.erase.derived.port import Acknowledged, ErasureOrder
from assent.services.erase.journal import erasure_entry
from assent.services.ledger.seal import seal
from assent.store.records import StagedReceipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.domain.copies import CopyState
    from assent.services.erase.world import CarryingStore, ErasureWorld
    from assent.store.records import Erasure, Obligation, Tombstone

T = TypeVar("T")

KEYS_TOGETHER: Final = 16
"""Erasures whose keys go together: one write to the journal, one pass over the slots."""

ASKED_TOGETHER: Final = 256
"""Erasures for which each derived store is asked together: one VACUUM, one pass over segments."""

_MOMENT: Final = timedelta(microseconds=1)

ASKED_AGAIN: Final = 1_000
"""Copies of finished erasures that are asked after once more in one call."""


@dataclass(slots=True)
class CarriedOut:
    """What one call did. `copies` counts by derived store the states of the copies it asked after.

    `waiting` counts by derived store the erasures that have no receipt because it has not
    answered; `problems` are sentences, without content or subject ids, on what failed. Both say
    that something is still to do.
    """

    finished: int = 0
    copies: dict[str, Counter[CopyState]] = field(default_factory=lambda: defaultdict(Counter))
    waiting: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether an erasure is left without its receipt."""
        return bool(self.waiting or self.problems)

    def to_record(self) -> dict[str, object]:
        """Write it as JSON for people and programs."""
        return {
            "receipts": self.finished,
            "copies": {store: dict(states) for store, states in sorted(self.copies.items())},
            "waiting": dict(self.waiting),
            "problems": list(self.problems),
        }


def carry_out(
    store: CarryingStore,
    world: ErasureWorld,
    *,
    now: datetime,
    limit: int | None = None,
    on_erasures: Callable[[int], None] = lambda _count: None,
) -> CarriedOut:
    """Carry out every erasure that has no receipt, up to `limit` of them, oldest first; then ask again for copies.

    One that fails is reported and left for the next call; the others go on. `on_erasures` is told
    of each further number that was looked at.
    """
    carrying, after, left = _Carrying(store, world, now), 0, limit
    while erasures := store.open_erasures(after, ASKED_TOGETHER if left is None else min(left, ASKED_TOGETHER)):
        carrying.carry(erasures)
        after = erasures[-1].id
        on_erasures(len(erasures))
        if left is not None and (left := left - len(erasures)) <= 0:
            break
    carrying.ask_again()
    carrying.sign()
    return carrying.done


class _Carrying:
    """One call of `carry_out`."""

    def __init__(self, store: CarryingStore, world: ErasureWorld, now: datetime) -> None:
        self._store = store
        self._world = world
        self._now = now
        self._asked: set[int] = set()
        self._policies: dict[int, tuple[str, ...]] = {}
        self.done = CarriedOut()

    def carry(self, erasures: Sequence[Erasure]) -> None:
        """Bring erasures as far as they can go."""
        orders = [order for some in batched(erasures, KEYS_TOGETHER) for order in self._without_keys(some)]
        self._ask(orders)
        for order in orders:
            self._finish(order.erasure)
        self._policies.clear()

    def ask_again(self) -> None:
        """Ask for copies that a receipt names as not removed: the answer may be another one by now."""
        orders = []
        owed = self._store.overdue_obligations(self._now + _MOMENT, ASKED_AGAIN)
        for number in dict.fromkeys(one.erasure for one in owed if one.erasure not in self._asked):
            erasure = self._store.erasure(number)
            if erasure is not None and erasure.finished_at is not None:
                orders.append(self._order(erasure, ()))
        self._ask(orders)

    def sign(self) -> None:
        """Bring the receipts under a checkpoint of the ledger."""
        if self.done.finished and self._world.log is not None:
            try:
                seal(self._store, self._world.log, now=self._now)
            except (AssentError, OSError) as problem:
                self.done.problems.append(f"receipts wait for a checkpoint of the ledger: {_said(problem)}")

    # -- keys ---------------------------------------------------------------------------

    def _without_keys(self, erasures: Sequence[Erasure]) -> list[ErasureOrder]:
        """Destroy the keys of these erasures, of all at once or else of each that can be; return those without."""
        orders = [self._order(erasure, self._store.slots_of(erasure.id)) for erasure in erasures]
        try:
            self._destroy(orders)
        except (AssentError, OSError):
            return [order for order in orders if self._destroyed(order)]
        return orders

    def _destroyed(self, order: ErasureOrder) -> bool:
        try:
            self._destroy([order])
        except (AssentError, OSError) as problem:
            self.done.problems.append(f"erasure {order.erasure.id} still has its keys: {_said(problem)}")
            return False
        return True

    def _destroy(self, orders: Sequence[ErasureOrder]) -> None:
        orders = [order for order in orders if order.erasure.keys_destroyed_at is None]
        if not orders:
            return
        self._world.journal.append(erasure_entry(one.erasure, self._noting(one), one.slots) for one in orders)
        slots = sorted({slot for order in orders for slot in order.slots})
        self._world.contents.destroy(slots)
        if left := self._world.contents.opens(slots):  # a receipt says what was looked at, not what was asked for
            raise AssentError(f"{len(left):,} keys are there after they were destroyed", "see `assent vault status`")
        for order in orders:
            self._store.keys_destroyed(order.erasure.id, self._now)

    def _order(self, erasure: Erasure, slots: Sequence[int]) -> ErasureOrder:
        return ErasureOrder(erasure, slots, lambda: self._store.tombstones_of(erasure.id), self._now)

    def _noting(self, order: ErasureOrder) -> Iterator[Tombstone]:
        """Read tombstones for the journal, and keep in mind what the receipt will say of them."""
        policies = set()
        for stone in order.tombstones():
            policies.add(stone.policy)
            yield stone
        self._policies[order.erasure.id] = tuple(sorted(policies))

    # -- copies -------------------------------------------------------------------------

    def _ask(self, orders: Sequence[ErasureOrder]) -> None:
        """Ask each derived store for what it owes these erasures, and record the answers."""
        owing: dict[str, dict[int, ErasureOrder]] = defaultdict(dict)
        for order in orders:
            number = order.erasure.id
            self._asked.add(number)
            for owed in self._store.obligations(number):
                if owed.state != "removed":
                    owing[owed.store][number] = replace(order, before=Acknowledged(owed.state, owed.note))
        for name, waiting in sorted(owing.items()):
            answers = self._answers(name, list(waiting.values()))
            for number, order in waiting.items():
                answer = answers.get(number, order.before)
                if answer != order.before:
                    self._store.settle(number, name, answer.state, self._now, answer.note)
                self.done.copies[name][answer.state] += 1

    def _answers(self, name: str, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        derived = self._world.derived.get(name)
        if derived is None:
            self.done.problems.append(f"nothing here serves the derived store `{name}`")
            return {}
        try:
            return derived.erase(orders)
        except (AssentError, OSError) as problem:
            answer = Acknowledged("not reachable", _said(problem))
            return {order.erasure.id: answer for order in orders}

    # -- receipt ------------------------------------------------------------------------

    def _finish(self, erasure: Erasure) -> None:
        owed = self._store.obligations(erasure.id)
        if silent := [one.store for one in owed if one.state == "present"]:
            self.done.waiting.update(silent)
            return
        try:
            self._store.finish(erasure.id, self._receipt(erasure, owed), self._now)
        except (AssentError, OSError) as problem:
            self.done.problems.append(f"erasure {erasure.id} has no receipt: {_said(problem)}")
        else:
            self.done.finished += 1

    def _receipt(self, erasure: Erasure, owed: Sequence[Obligation]) -> StagedReceipt:
        policies = self._policies.get(erasure.id)
        if policies is None:  # its keys went in an earlier call
            policies = tuple(sorted({stone.policy for stone in self._store.tombstones_of(erasure.id)}))
        record = ErasureRecord(
            link=link_of(erasure),
            chain=erasure.chain,
            policies=policies,
            keys_destroyed_at=erasure.keys_destroyed_at or self._now,
            copies=tuple(Copy(one.store, one.state, one.settled_at or self._now, one.note) for one in owed),
        ).encode()
        salt = self._world.new_salts(1)
        return StagedReceipt(record.decode(), salt, commitment(salt, record))


def link_of(erasure: Erasure) -> Link:
    """Return what an erasure puts into the chain."""
    hashes = (erasure.root, erasure.slots_digest, erasure.previous)
    return Link(erasure.id, erasure.kind, erasure.at, erasure.parts, *hashes)


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _said(problem: AssentError | OSError) -> str:
    """Say what went wrong without the name of a file, which may be anybody's."""
    if isinstance(problem, AssentError):
        return problem.message
    return (problem.strerror or "an error of the machine").lower()
