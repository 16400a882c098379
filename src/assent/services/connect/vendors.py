"""Vendors outside: what they are told before an order, what they say by themselves, and where what they signed lies."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from assent.connectors.opendsr.port import FOLDER, Vendor, Wanted
from assent.domain.errors import AssentError, NotFound
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.connectors.port import Product
    from assent.services.connect.files import Connectors
    from assent.store.port import Conversations

_AT_ONCE: Final = 200


def prepare(
    product: Product,
    going: Mapping[str, tuple[str | None, datetime]],
    store: Conversations,
    kept: Callable[[Sequence[str]], Collection[str]],
) -> None:
    """Tell a vendor whose conversations it will be ordered to erase, and since when; other systems are told nothing.

    `kept` says of which conversations the home keeps something. A person is named only if there is none of theirs.
    """
    if not isinstance(product, Vendor):
        return
    left = {person: _has_left(store, person, kept) for person in {one for one, _ in going.values() if one}}
    product.prepare(
        [Wanted(name, at, None if person is None or left[person] else person) for name, (person, at) in going.items()]
    )


def seal(product: Product, erasure: int, ids: Sequence[str]) -> str:
    """Have a vendor's statements about an erasure listed; return the SHA-256 of the list, empty where there is none."""
    return product.seal(erasure, ids) if isinstance(product, Vendor) else ""


def _has_left(store: Conversations, person: str, kept: Callable[[Sequence[str]], Collection[str]]) -> bool:
    page: Page | None = Page(_AT_ONCE)
    while page is not None:
        listing = store.conversations(ConversationFilter(subject=person), page)
        if kept([one.id for one in listing.items]):
            return True
        page = Page(_AT_ONCE, listing.after) if listing.after else None
    return False


def receive(connectors: Connectors, name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take what a vendor says by itself. Raises as `Vendor.receive`, and `NotFound` where no vendor has this name."""
    product: object = None
    if name in connectors.names():
        with suppress(AssentError):  # what is wrong with its file is nothing for a stranger
            product = connectors.open(name)
    if not isinstance(product, Vendor):
        raise NotFound("there is no such vendor", "check the address that it was given")
    product.receive(headers, body)


def folders(connectors: Connectors, home: Path) -> tuple[Path, ...]:
    """Return every folder with what vendors signed: that of the home, and others that connector files name."""
    found = [home / FOLDER]
    for name in connectors.names():
        try:
            other = getattr(connectors.read(name).settings, "evidence_dir", None)
        except AssentError:
            continue
        if other is not None and other not in found:
            found.append(other)
    return tuple(found)
