"""What a vendor can do beyond a product: be told what for, be heard, and show what it signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

FOLDER: Final = "vendors"
"""Where, in a home, what vendors signed is kept."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A conversation that is to be erased at a vendor, by an erasure of `since`.

    `person` is whose it is, only if nothing of theirs is kept any more: some vendors know persons and no conversations.
    """

    id: str
    since: datetime
    person: str | None = None


@runtime_checkable
class Vendor(Protocol):
    """A system outside that nobody can look into. It is a `Product` too, which lists and reads nothing."""

    def prepare(self, wanted: Sequence[Wanted]) -> None:
        """Say what the next orders serve: what the vendor stated about an earlier erasure does not count for them."""
        ...

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what a vendor says by itself; the names of `headers` in lower case.

        Raises `Refused` unless it is signed by the vendor, `NotFound` for an order that was never made. The same again
        changes nothing.
        """
        ...

    def seal(self, erasure: int, ids: Sequence[str]) -> str:
        """Write down what the vendor signed about these conversations, and return the SHA-256 of that list.

        Empty where it signed nothing. The list lies beside the statements and names each by its own digest.
        """
        ...

    def evidence(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield what the vendor signed about these conversations: names that tell nothing, and the kept bytes."""
        ...
