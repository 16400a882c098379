"""Choices become events: a walk over the ledger's leaves from where the last walk ended.

The ledger is the one source: nobody who records a choice writes an event too, and none can be
forgotten. An event has the id of its choice, so a walk that was cut off, or two at once, tell
everything once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson

from assent.domain.instants import format_instant
from assent.store.port import Ledger, Outgoing
from assent.store.records import Event

if TYPE_CHECKING:
    from assent.services.receipts.record import Identity
    from assent.store.records import Choice

RECORDED: Final = "assent.choice.recorded"

AT_ONCE: Final = 100
"""Leaves told in one transaction: some 5 ms, so that choices which arrive meanwhile hardly wait."""


class TellStore(Ledger, Outgoing, Protocol):
    """What telling asks of a store."""


def tell_choices(store: TellStore, identity: Identity, *, at_once: int = AT_ONCE) -> int:
    """Turn up to `at_once` further choices under the newest checkpoint into events; returns how many leaves it read."""
    first, head = store.told(), store.head()
    count = min(at_once, (0 if head is None else head.size) - first)
    if count <= 0:
        return 0
    leaves = store.leaves(first, count)
    events = [_event(choice, leaf.number, identity) for choice, leaf in leaves if choice is not None]
    store.tell(events, first + len(leaves))
    return len(leaves)


def _event(choice: Choice, number: int, identity: Identity) -> Event:
    data = {
        "choice": choice.id,
        "purpose": choice.purpose,
        "act": choice.act,
        "scope": choice.scope,
        "at": format_instant(choice.at),
        "leaf": number,
        "policy": choice.policy,
        "campaign": choice.campaign,
    }
    return Event(choice.id, RECORDED, identity.pseudonym(choice.subject), orjson.dumps(data).decode(), choice.at)
