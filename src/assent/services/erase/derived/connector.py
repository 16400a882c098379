"""Other systems: one that is connected is asked itself; any other is told by an event, and answers when it has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from assent.domain.copies import worst
from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.domain.instants import format_instant
from assent.services.connect.erase import BATCH, Outcome, counts, erase, said
from assent.services.connect.held import HoldStore, held
from assent.services.connect.ids import formats_of, own_id
from assent.services.connect.vendors import prepare, seal
from assent.services.erase.derived.port import CONNECTOR, Acknowledged, ErasureOrder
from assent.store.records import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.connectors.port import Product
    from assent.domain.copies import CopyState
    from assent.services.connect.files import Connector as File
    from assent.store.port import Erasures, Outgoing

INTENDED: Final = "assent.erasure.intended"

PARTS_OF_AN_EVENT: Final = 500
"""Parts that one event names: some 40 kB, which every receiver takes."""

ANSWERS: Final[tuple[CopyState, ...]] = ("removed", "pending maintenance", "not reachable")
"""What another system may answer."""


CONTENT: Final = frozenset(("text", "voice", "image", "file"))
"""Kinds of parts that a system keeps as the conversation itself; scores and ratings stand beside it."""

OWED_AT_ONCE: Final = 100_000
"""Obligations that are looked through for those of one system."""

ASKED_TOGETHER: Final = 256
"""Erasures that a system is asked for together."""

_MOMENT: Final = timedelta(microseconds=1)


class Connected:
    """One system that is connected: it is ordered to erase, and its answer is what a look at it found afterwards."""

    def __init__(self, name: str, store: HoldStore, opened: Callable[[], tuple[File, Product]]) -> None:
        """Serve the derived store of this name by its connector, which is opened when it is asked."""
        self.name = name
        self._store = store
        self._opened = opened

    @property
    def reach(self) -> str:
        """What its connector says of itself."""
        try:
            return self._opened()[1].reach
        except (AssentError, OSError) as problem:
            return f"a connected system: {said(problem)}"

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Erase what is left of these conversations there; one of which the home keeps a part is left alone."""
        return self.ask(orders)

    def ask(
        self,
        orders: Sequence[ErasureOrder],
        *,
        maintenance: bool = False,
        on_ids: Callable[[int], None] = lambda _count: None,
    ) -> Mapping[int, Acknowledged]:
        """Erase, with `maintenance` also what needs the system stopped. Raises `Refused` if it still runs then."""
        connector, product = self._opened()
        formats = formats_of(connector, product)
        touched = {order.erasure.id: _touched(order, formats) for order in orders}
        subjects = {name: who for some in touched.values() for name, who in some.items()}
        kept = self._kept(list(subjects))
        going = {own: name for name in subjects if name not in kept and (own := own_id(formats, name)) is not None}
        since = {name: order.erasure.at for order in orders for name in touched[order.erasure.id]}
        prepare(product, {own: (subjects[name], since[name]) for own, name in going.items()}, self._store, self._kept)

        def held_now(ids: Sequence[str]) -> Mapping[str, str]:
            names = {going[own]: own for own in ids}
            found = held(self._store, {name: subjects[name] for name in names}, now=orders[0].now)
            return {names[name]: why for name, why in found.items()}

        done = erase(product, list(going), held_now, maintenance=maintenance, on_ids=on_ids)
        outcomes = {going[outcome.id]: outcome for outcome in done}
        return {
            number: _answer(
                some, outcomes, kept, _sealed(product, number, [outcomes[one] for one in some if one in outcomes])
            )
            for number, some in touched.items()
        }

    def _kept(self, names: Sequence[str]) -> set[str]:
        """Return the conversations that the home still keeps a part of; a system erases whole conversations."""
        return {
            name
            for start in range(0, len(names), BATCH)
            for name, parts in self._store.facts_of_several(names[start : start + BATCH]).items()
            if any(part.data is None or part.data in CONTENT for part in parts)
        }


def _sealed(product: Product, erasure: int, outcomes: Sequence[Outcome]) -> str:
    """Have what a vendor signed about an erasure listed once all of it is gone; empty before, and for other systems."""
    gone = all(one.state == "removed" for one in outcomes)
    return seal(product, erasure, [one.id for one in outcomes]) if gone else ""


def _touched(order: ErasureOrder, formats: Collection[str]) -> dict[str, str | None]:
    """Return the conversations of an erasure that this system may know, each with its person."""
    if not order.erasure.parts:
        return {}
    return {
        stone.conversation: stone.subject
        for stone in order.tombstones()
        if own_id(formats, stone.conversation) is not None
    }


def _answer(
    names: Collection[str], outcomes: Mapping[str, Outcome], kept: Collection[str], sealed: str
) -> Acknowledged:
    """Answer for one erasure: the worst state of all, how many copies of which kind, what a vendor signed; no ids."""
    some = [outcomes[name] for name in names if name in outcomes]
    in_part, stays = sum(name in kept for name in names), sum(one.state == "held" for one in some)
    state = worst("not reachable" if one.state == "held" else one.state for one in some)
    notes = [
        f"{kind}: {', '.join(f'{count:,} {there}' for there, count in sorted(states.items()))}"
        for kind, states in counts(some).items()
    ]
    notes += sorted({one.note for one in some if one.note and one.state != "held"})
    if sealed:
        notes.append(f"statements kept: sha256 {sealed}")
    if stays:
        notes.append(f"{stays:,} held, to be erased there when the hold is released")
    if in_part:
        state = worst((state, "not reachable"))
        notes.append(f"{in_part:,} kept in part, to be erased there when the last part ends")
    return Acknowledged(state, "; ".join(notes) or "nothing of it is there")


def settle_owed(
    store: Erasures,
    connected: Connected,
    *,
    now: datetime,
    maintenance: bool,
    on_ids: Callable[[int], None] = lambda _count: None,
) -> Counter[CopyState]:
    """Ask a connected system once more for everything that it owes, and record the answers; returns how many of each.

    Raises as `Connected.ask` does.
    """
    owed = [one for one in store.overdue_obligations(now + _MOMENT, OWED_AT_ONCE) if one.store == connected.name]
    states: Counter[CopyState] = Counter()
    for start in range(0, len(owed), ASKED_TOGETHER):
        some = {one.erasure: one for one in owed[start : start + ASKED_TOGETHER]}
        orders = [_order(store, number, Acknowledged(one.state, one.note), now) for number, one in some.items()]
        answers = connected.ask(orders, maintenance=maintenance, on_ids=on_ids)
        for number, answer in answers.items():
            store.settle(number, connected.name, answer.state, now, answer.note)
            states[answer.state] += 1
    return states


def _order(store: Erasures, number: int, before: Acknowledged, now: datetime) -> ErasureOrder:
    erasure = store.erasure(number)
    assert erasure is not None  # noqa: S101 - an obligation is one of an erasure
    return ErasureOrder(erasure, (), lambda: store.tombstones_of(number), now, before)


class Connector:
    """One other system. It is asked once, by events that name conversations and parts and nothing else."""

    reach = "another system: it is told by events, and its answer is recorded with `assent derived ack`"

    def __init__(self, name: str, store: Outgoing) -> None:
        """Serve the derived store of this name by events that leave through this store."""
        self.name = name
        self._store = store

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Owe the events to every endpoint that wants them; the answer comes later, if it comes."""
        return {order.erasure.id: self._asked(order) for order in orders}

    def _asked(self, order: ErasureOrder) -> Acknowledged:
        if not order.erasure.parts:
            return Acknowledged("removed", "no part ended: newer texts took the place of older ones")
        if order.before.note:
            return order.before
        for event in self._events(order):
            self._store.add_event(event)
        return Acknowledged("present", f"asked at {format_instant(order.now)}; no answer yet")

    def _events(self, order: ErasureOrder) -> Iterator[Event]:
        number, page = 0, []
        for conversation, stones in groupby(order.tombstones(), key=lambda stone: stone.conversation):
            page.append({"conversation": conversation, "parts": [stone.part for stone in stones]})
            if sum(len(one["parts"]) for one in page) >= PARTS_OF_AN_EVENT:
                yield self._event(order, number, page)
                number, page = number + 1, []
        if page:
            yield self._event(order, number, page)

    def _event(self, order: ErasureOrder, number: int, page: list[dict[str, object]]) -> Event:
        said = {"erasure": order.erasure.id, "store": self.name, "erased": page}
        name = f"erasure-{order.erasure.id}-{self.name}-{number}"
        return Event(name, INTENDED, self.name, json.dumps(said), order.erasure.at)


def acknowledge(
    store: Erasures,
    erasure: int,
    name: str,
    state: CopyState,
    *,
    note: str,
    now: datetime,
    connected: Collection[str] = (),
) -> None:
    """Record what another system answers to an erasure.

    Raises `NotFound` if it owes nothing there, `Refused` for a derived store that answers by
    itself, as each of the `connected` does, `Invalid` for a state that ends nothing.
    """
    if state not in ANSWERS:
        raise Invalid(f"`{state}` is no answer", f"use one of {', '.join(ANSWERS)}")
    kind = next((one.kind for one in store.derived_stores() if one.name == name), None)
    if kind is None:
        raise NotFound(f"there is no derived store `{name}`", "see `assent derived list`")
    if kind != CONNECTOR or name in connected:
        raise Refused(f"`{name}` answers for itself", "run `assent sweep --redo`, which asks it again")
    store.settle(erasure, name, state, now, note)
