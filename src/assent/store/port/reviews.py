"""Contracts of reviewing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from assent.store.records import (
    Candidate,
    CandidateBand,
    Event,
    Flag,
    Listing,
    Page,
    Review,
    RightsRequest,
    Settlement,
)

Settle = Callable[[Sequence[Review]], Settlement | None]
"""Says what the reviews of a candidate come to, in the order in which they were given; None: somebody else must look.

It is asked inside the transaction that adds a review, so of two who review at once the second sees the first.
"""


class Reviews(Protocol):
    """What people look at, and what they decided. Who they are is compared but for case and spaces."""

    def nominate(self, candidates: Sequence[Candidate], flags: Sequence[Flag] = ()) -> int:
        """Queue conversations for people, and set the flags among them, in one transaction; returns how many are new.

        A conversation that is not kept any more is passed over; a candidate that is there already stays as it is,
        but that it can still come to be `drawn`. A flag that is set by `Flags.add_flag` is queued too.
        """
        ...

    def candidate(self, candidate: str) -> Candidate | None: ...

    def candidates(
        self, page: Page, *, band: CandidateBand | None = None, drawn: bool | None = None
    ) -> Listing[Candidate]:
        """List what waits: the most severe first, of equals what is least sure (nearest to 0.5), then the oldest.

        The place of a page is how many came before: what is settled meanwhile moves the rest up.
        """
        ...

    def candidates_of(self, conversations: Collection[str]) -> dict[str, list[Candidate]]:
        """Read the candidates of these conversations, settled or not; the caller bounds them."""
        ...

    def record_review(self, review: Review, settle: Settle) -> Settlement | None:
        """Add what a person decided, and carry out what the reviews come to: the flag upheld, made or reversed.

        The same decision of the same person again changes nothing and says what it came to. Raises `NotFound` for no
        such candidate, `Refused` for one that is settled or that this person decided otherwise.
        """
        ...

    def decide_appeal(self, review: Review, request: RightsRequest, *, was: str, events: Sequence[Event]) -> bool:
        """Add what was decided on an appeal, end the request whose status is still `was`, and reverse the flag if so.

        All of it or, where the request was changed meanwhile, nothing: then it returns False.
        Raises `NotFound` for no such flag.
        """
        ...

    def reviews_of(self, candidate: str) -> list[Review]:
        """Read what was decided about a candidate, the oldest first; also after its content is gone."""
        ...

    def reviews(self, since: datetime | None = None) -> Iterator[Review]:
        """Read all reviews made at `since` or later, by candidate."""
        ...
