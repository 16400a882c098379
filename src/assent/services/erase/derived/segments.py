"""The vault's segments: what lies there without a key is noise, and goes within the promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.services.erase.derived.port import SEGMENTS, Acknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from assent.services.erase.derived.port import ErasureOrder
    from assent.services.erase.reclaim import Reclaimed, Yard


class InSegments:
    """Sealed records in files or objects."""

    name = SEGMENTS
    reach = "sealed records in segments; not older versions that an object store was told to keep"

    def __init__(self, yard: Yard, within: timedelta) -> None:
        """Clear this vault; nothing that was erased lies in it for longer than `within`."""
        self._yard = yard
        self._within = within

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Remove and rewrite segments; what is not worth it yet is pending until it is, or until its time is up."""
        overdue = any(order.now - order.erasure.at >= self._within for order in orders)
        slots = None if overdue else sorted({slot for order in orders for slot in order.slots})
        if slots == []:
            return {}
        found = self._yard.reclaim(today=orders[0].now.date(), slots=slots, everything=overdue)
        return {order.erasure.id: self._answer(order, found, overdue=overdue) for order in orders}

    def _answer(self, order: ErasureOrder, found: Reclaimed, *, overdue: bool) -> Acknowledged:
        # of an erasure that has its receipt nobody knows the slots any more: then only a look at everything tells
        unknown = bool(found.left) or not overdue
        here = any(span.holds(order.slots) for span in found.left) if order.slots else unknown
        if not here:
            return Acknowledged("removed")
        until = (order.erasure.at + self._within).date().isoformat()
        return Acknowledged("pending maintenance", f"sealed bytes whose keys are gone lie in a segment until {until}")
