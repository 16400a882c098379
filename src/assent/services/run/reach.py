"""Which runs used a person's conversations: for a person who asks, and for one who takes a permission back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assent.store.port import Runs
    from assent.store.records import Run, Weights


@dataclass(frozen=True, slots=True)
class Reached:
    """A run that had something of theirs to use, or one that went on `after` the weights of such a run.

    `replaced_by` is the run without them whose weights take the place of this one's, if there is one.
    """

    run: Run
    weights: Weights | None
    after: str = ""

    @property
    def replaced_by(self) -> str:
        """The run that took the place of this one, "" if none did."""
        return "" if self.weights is None else self.weights.superseded_by


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
    return sorted(found.values(), key=lambda one: (one.run.started_at or one.run.planned_at, one.run.id))


def _built_on(store: Runs, weights: Weights | None) -> Iterable[Run]:
    return () if weights is None else store.runs_from(weights.digest)


def every_run(store: Runs) -> Iterator[Run]:
    """Read all runs, the one planned last first, page by page."""
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = store.runs(page)
        yield from listing.items
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None
