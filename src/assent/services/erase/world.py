"""What carrying erasures out needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assent.services.erase.derived.port import Derived
from assent.services.erase.journal import Journal
from assent.services.ledger.log import Log
from assent.store.port import Erasures, Ledger


class Keys(Protocol):
    """Where the keys of content are, and where they are destroyed."""

    def destroy(self, slots: Sequence[int]) -> None:
        """Destroy keys for ever; returns when that is durable. A key that is gone already is none to miss."""
        ...

    def opens(self, slots: Sequence[int]) -> set[int]:
        """Return which of these slots still hold a key."""
        ...


class CarryingStore(Erasures, Ledger, Protocol):
    """What carrying out asks of a store."""


@dataclass(frozen=True, slots=True)
class ErasureWorld:
    """What erasing reaches beside the database.

    `contents`: the keys. `derived`: every registered derived store by name. `journal`: what a restore replays.
    `new_salts(n)` draws n times 32 random bytes, in one piece. `log`: signs the ledger that receipts go into; without
    one they wait there for the first checkpoint.
    """

    contents: Keys
    derived: Mapping[str, Derived]
    journal: Journal
    new_salts: Callable[[int], bytes]
    log: Log | None = None
