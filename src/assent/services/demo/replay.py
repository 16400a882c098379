"""Lantern's life against a real store: what the provider would have called, at the instant it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.connectors.formats.port import Source
from assent.domain.errors import NotFound
from assent.services import intake
from assent.services.demo.lantern import account_records, until
from assent.store.records import Flag, Hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from assent.connectors.formats.port import Importer
    from assent.services.demo.exports import Written
    from assent.services.demo.lantern import Lantern
    from assent.store.port import Store


def bring_in(store: Store, importers: Mapping[str, Importer], written: Written, *, now: datetime, batch: int) -> int:
    """Import every export that was written; returns how many records could not be read."""
    malformed = 0
    for export in written.exports:
        summary = intake.import_source(
            importers[export.format],
            Source(export.path),
            store,
            intake.Whose(subject=export.subject),
            now=now,
            batch=batch,
        )
        malformed += summary.malformed
    return malformed


def catch_up(
    store: Store, lantern: Lantern, *, since: datetime, now: datetime, review_after: timedelta,
    new_id: Callable[[], str],
) -> None:  # fmt: skip
    """Tell the store what happened after `since`, up to `now`: accounts, deletions, flags, holds."""
    seen = until(lantern, now)
    store.put_accounts([intake.account_from_record(record) for record in account_records(seen)])
    for deletion in seen.calendar.deletions:
        if deletion.at > since:
            _if_kept(lambda event=deletion: store.request_deletion(event.conversation, event.at))  # type: ignore[misc]
    for flag in seen.calendar.flags:
        name = f"flag-{flag.conversation}"
        if flag.at > since:
            raised = Flag(name, flag.conversation, flag.at, flag.finding, "classifier", "above the threshold")
            _if_kept(lambda raised=raised: store.add_flag(raised))  # type: ignore[misc]
        if flag.reversed_at is not None and since < flag.reversed_at:
            _if_kept(lambda name=name, at=flag.reversed_at: store.reverse_flag(name, at))  # type: ignore[misc]
    for hold in seen.calendar.holds:
        if hold.at > since:
            review = hold.at + review_after
            order = Hold(
                new_id(), hold.case, "person", hold.subject, hold.at, "legal desk", "preservation order", review
            )
            store.place_hold(order)


def _if_kept(act: Callable[[], None]) -> None:
    """Do something about a conversation unless it is erased already: an event may come after the erasure."""
    try:
        act()
    except NotFound:
        return
