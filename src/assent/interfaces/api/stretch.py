"""Pages of lists that are read whole because they are short: a person's standings, the shelf of notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from assent.domain.errors import Invalid
from assent.store.records import Listing, Page

T = TypeVar("T")


def stretch(rows: Sequence[T], page: Page) -> Listing[T]:
    """Cut a page out of rows. Raises `Invalid` for a place that no page gave out."""
    after = page.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise Invalid("this is no place in this list", "start without one, then pass on what the last page gave")
    start = int(after)
    end = start + page.limit
    return Listing(tuple(rows[start:end]), len(rows), str(end) if end < len(rows) else None)
