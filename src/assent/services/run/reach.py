"""Which runs used a person's conversations: for a person who asks, and for one who takes a permission back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assent.domain.instants import format_instant
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from assent.store.port import Runs
    from assent.store.records import Run, Weights


Model = Literal["none", "stands", "replaced", "destroyed"]


@dataclass(frozen=True, slots=True)
class Reached:
    """A run that had something of theirs to use, or one that went on `after` the weights of such a run.

    `replaced_by` is the run without them whose weights take the place of this one's, if there is one.
    """

    run: Run
    weights: Weights | None
    after: str = ""

    @property
    def started_at(self) -> datetime:
        """When the run started: whatever was acknowledged later did not reach it."""
        return self.run.started_at or self.run.planned_at

    @property
    def replaced_by(self) -> str:
        """The run that took the place of this one, "" if none did."""
        return "" if self.weights is None else self.weights.superseded_by

    @property
    def model(self) -> Model:
        """What has become of what it made: `none` where it made nothing, or nothing yet."""
        if self.weights is None:
            return "none"
        if self.weights.retired_at is not None:
            return "destroyed"
        return "replaced" if self.replaced_by else "stands"

    def to_record(self) -> dict[str, Any]:
        """Write the JSON object for the person, and for those who act for them."""
        return {
            "run": self.run.id,
            "cut": self.run.cut,
            "number": self.run.number,
            "started_at": format_instant(self.started_at),
            "state": self.run.state,
            "model": self.model,
            "replaced_by": self.replaced_by or None,
            "after": self.after or None,
        }


def reached(store: Runs, *, subjects: Sequence[str] = (), conversations: Sequence[str] = ()) -> list[Reached]:
    """List the runs that used anything of these people or conversations, and those that build on them, by start."""
    lists = [store.runs_with_person(one) for one in subjects] + [store.runs_with(one) for one in conversations]
    found: dict[str, Reached] = {}
    for run in (run for runs in lists for run in runs):
        found.setdefault(run.id, Reached(run, store.weights_of(run.id)))
    waiting = list(found.values())
    while waiting:
        one = waiting.pop()
        for later in _built_on(store, one.weights):
            if later.id not in found:
                found[later.id] = Reached(later, store.weights_of(later.id), one.run.id)
                waiting.append(found[later.id])
    return sorted(found.values(), key=lambda one: (one.started_at, one.run.id))


def _built_on(store: Runs, weights: Weights | None) -> Iterable[Run]:
    return () if weights is None else store.runs_from(weights.digest)


def every_run(store: Runs) -> Iterator[Run]:
    """Read all runs, the one planned last first, page by page."""
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = store.runs(page)
        yield from listing.items
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None
