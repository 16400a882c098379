"""Watching a connected system: new turns are brought in, and what was deleted there was deleted by its person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from assent.connectors.formats.port import Malformed
from assent.domain.conversation import Conversation
from assent.domain.errors import NotFound
from assent.services.connect.ids import own_id
from assent.store.port import Conversations, Intake

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.port import Change, Product

TOGETHER: Final = 200
"""Changes that are taken before the cursor moves on."""


class WatchingStore(Intake, Conversations, Protocol):
    """What watching asks of a store."""


@dataclass(slots=True)
class Watched:
    """What one look behind the cursor found. `unknown` counts deletions of what the home does not keep."""

    changes: int = 0
    conversations: Counter[str] = field(default_factory=Counter)
    deleted: int = 0
    unknown: int = 0
    malformed: int = 0
    cursor: str = ""


def watch(
    product: Product, store: WatchingStore, cursor: str, keep_cursor: Callable[[str], None], *, now: datetime
) -> Watched:
    """Take every change behind the cursor, and move it on after each batch: what was taken is never lost.

    A deletion counts from the instant it happened, at the latest from `now`, as if the person had asked here.
    """
    found = Watched(cursor=cursor)
    changes = product.watch(cursor)
    while some := list(islice(changes, TOGETHER)):
        _take(product, store, some, found, now)
        found.cursor = some[-1].cursor
        keep_cursor(found.cursor)
    return found


def _take(product: Product, store: WatchingStore, some: list[Change], found: Watched, now: datetime) -> None:
    deleted = {change.id: change.at for change in reversed(some) if change.kind == "deleted"}
    alive = list(dict.fromkeys(change.id for change in some if change.kind != "deleted"))
    found.changes += len(some)
    # one that was deleted later in the same batch is not there to be read any more, which says nothing
    records = list(product.read(alive)) if alive else []
    found.malformed += sum(isinstance(one, Malformed) for one in records)
    kept = [one for one in records if isinstance(one, Conversation)]
    for outcome in store.intake(kept, plan=None, recorded_at=now):
        found.conversations[outcome.status] += 1
    back = {own_id((product.format,), one.id) for one in kept}
    for name, at in deleted.items():
        if name in back:
            continue  # it was deleted and written anew, or by another one's hand: it is there
        try:
            store.request_deletion(f"{product.format}:{name}", min(at, now))
        except NotFound:
            found.unknown += 1
        else:
            found.deleted += 1
