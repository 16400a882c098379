"""Watch cuts: tell other systems when rows of one may not be used any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.digests import canonical, digest
from assent.services.cut.freshness import FreshStore, freshness
from assent.settings import MAX_PAGE_ROWS
from assent.store.port import Outgoing
from assent.store.records import Event, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.cut.freshness import Freshness
    from assent.store.columns import Columns
    from assent.store.records import Cut

STALE: Final = "assent.cut.stale"


class WatchStore(FreshStore, Outgoing, Protocol):
    """What watching asks of a store."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How one cut stands."""

    cut: Cut
    found: Freshness


def live_cuts(store: FreshStore) -> Iterator[Cut]:
    """List the cuts whose purpose is known and that are not retired, newest first."""
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = store.cuts(page)
        yield from (cut for cut in listing.items if cut.retired_at is None and cut.purpose is not None)
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None


def watch(store: WatchStore, columns: Columns, policies: Sequence[Policy], now: datetime) -> list[Watched]:
    """Look at every live cut, and leave an event for each whose stale rows are others than when it was last told.

    The same state is told once: the event's id is made of it.
    """
    found = [Watched(cut, freshness(store, columns, policies, cut, now)) for cut in live_cuts(store)]
    for one in found:
        if not one.found.fresh:
            store.add_event(_event(one))
    return found


def _event(one: Watched) -> Event:
    said = {
        "cut": one.cut.name,
        "number": one.cut.number,
        "manifest": one.cut.manifest,
        "rows": one.found.rows,
        "erased": one.found.erased,
        "stale": dict(one.found.stale),
    }
    about = f"cut/{one.cut.name}/{one.cut.number}"
    return Event(digest(said), STALE, about, canonical(said).decode(), one.found.at)
