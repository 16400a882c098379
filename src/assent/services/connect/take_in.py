"""Bringing conversations in from a connected system: list, read, keep; what is there already is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from assent.connectors.formats.port import Malformed, Source
from assent.connectors.port import Listed
from assent.services.intake import Whose, account_from_record, import_source
from assent.store.port import Accounts, Intake

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.formats.port import Record
    from assent.connectors.port import Product, Unlisted
    from assent.services.intake import ImportSummary

READ_AT_ONCE: Final = 200
"""Conversations that a system is asked to read in one call."""


class TakingStore(Intake, Accounts, Protocol):
    """What bringing in asks of a store."""


def take_in(
    product: Product,
    plans: Mapping[str, str],
    store: TakingStore,
    *,
    now: datetime,
    batch: int,
    since: datetime | None = None,
    on_read: Callable[[int], None] = lambda _count: None,
) -> ImportSummary:
    """Bring in what a system lists, with `since` what has a turn at or after it. Every entry is accounted for.

    `plans` translates the system's names of plans. What it says of an owner becomes the plan of the account, before
    any conversation is kept; a name that is not in it says nothing, and the plan stays a gap. What is deleted there
    later is found by the first time that it is watched.
    """
    # many systems are watched by comparing: whatever is deleted from now on shall differ from what was there
    next(iter(product.watch()), None)
    listing = _Listing(product, plans, store, since, on_read)
    return import_source(listing, Source(Path(product.name)), store, Whose(), now=now, batch=batch)


class _Listing:
    """A system as a source that can be imported."""

    summary = "a connected system"

    def __init__(
        self,
        product: Product,
        plans: Mapping[str, str],
        store: Accounts,
        since: datetime | None,
        on_read: Callable[[int], None],
    ) -> None:
        self.name = product.format
        self._product = product
        self._plans = plans
        self._store = store
        self._since = since
        self._on_read = on_read
        self._said: dict[str, str] = {}

    def sniff(self, _path: Path) -> bool:
        return False

    def read(self, _source: Source) -> Iterator[Record]:
        waiting: list[str] = []
        for one in self._product.list(self._since):
            if not isinstance(one, Listed):
                yield _malformed(one)
                continue
            self._describe(one)
            waiting.append(one.id)
            if len(waiting) >= READ_AT_ONCE:
                yield from self._read(waiting)
                waiting = []
        yield from self._read(waiting)

    def _read(self, ids: list[str]) -> Iterator[Record]:
        if ids:
            yield from self._product.read(ids)
            self._on_read(len(ids))

    def _describe(self, one: Listed) -> None:
        plan = self._plans.get(one.plan, "")
        if one.owner and plan and self._said.get(one.owner) != plan:
            set_plan(self._store, one.owner, plan)
            self._said[one.owner] = plan


def set_plan(store: Accounts, subject: str, plan: str) -> None:
    """Set the plan of an account, and leave alone what else is known of it."""
    said = account_from_record({"subject": subject, "plan": plan})
    known = store.account(subject)
    if known is None or known.plan != said.plan:
        store.put_accounts([said if known is None else replace(known, plan=said.plan)])


def _malformed(one: Unlisted) -> Malformed:
    return Malformed(one.place, one.problem)
