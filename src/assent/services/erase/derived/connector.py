"""Other systems: each is told by an event which conversations to erase, and answers when it has."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.instants import format_instant
from assent.services.erase.derived.port import CONNECTOR, Acknowledged
from assent.store.records import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assent.domain.copies import CopyState
    from assent.services.erase.derived.port import ErasureOrder
    from assent.store.port import Erasures, Outgoing

INTENDED: Final = "assent.erasure.intended"

PARTS_OF_AN_EVENT: Final = 500
"""Parts that one event names: some 40 kB, which every receiver takes."""

ANSWERS: Final[tuple[CopyState, ...]] = ("removed", "pending maintenance", "not reachable")
"""What another system may answer."""


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


def acknowledge(store: Erasures, erasure: int, name: str, state: CopyState, *, note: str, now: datetime) -> None:
    """Record what another system answers to an erasure.

    Raises `NotFound` if it owes nothing there, `Refused` for a derived store that answers by
    itself, `Invalid` for a state that ends nothing.
    """
    if state not in ANSWERS:
        raise Invalid(f"`{state}` is no answer", f"use one of {', '.join(ANSWERS)}")
    kind = next((one.kind for one in store.derived_stores() if one.name == name), None)
    if kind is None:
        raise NotFound(f"there is no derived store `{name}`", "see `assent derived list`")
    if kind != CONNECTOR:
        raise Refused(f"`{name}` answers for itself", "run `assent sweep --redo`, which asks it again")
    store.settle(erasure, name, state, now, note)
