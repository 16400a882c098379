"""The queue: provisional flags, some of the uncertain band, and a random sample, each in its declared share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.services.flag.review import open_to_review
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.flag.review import ReviewStore
    from assent.services.flag.terms import ReviewTerms
    from assent.store.records import Candidate


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits, in the order in which to look at it; how much waits in all, and how much nobody may look at now."""

    waiting: tuple[Candidate, ...]
    total: int
    withheld: int


def queue(store: ReviewStore, policies: Sequence[Policy], terms: ReviewTerms, *, now: datetime, limit: int) -> Queue:
    """Deal out up to `limit` candidates.

    Of each kind the most severe come first, and of equals what is least sure. Kinds take turns so that at every
    place of the queue each has had its share, as far as there is enough of it.
    """
    flagged = store.candidates(Page(limit), band="flag", drawn=False)
    unsure = store.candidates(Page(limit), band="uncertain", drawn=False)
    drawn = store.candidates(Page(limit), drawn=True)
    kinds = ((terms.flag, flagged), (terms.uncertain, unsure), (terms.drawn, drawn))
    listed = [one for _, listing in kinds for one in listing.items]
    able = open_to_review(store, policies, listed, now)
    lines = [[one for one in listing.items if one.conversation in able] for _, listing in kinds]
    dealt = _dealt([share for share, _ in kinds], lines, limit)
    return Queue(tuple(dealt), sum(listing.total for _, listing in kinds), len(listed) - sum(map(len, lines)))


def _dealt(shares: Sequence[float], lines: Sequence[list[Candidate]], limit: int) -> list[Candidate]:
    dealt: list[Candidate] = []
    taken = [0] * len(lines)
    while len(dealt) < limit:
        left = [kind for kind, line in enumerate(lines) if taken[kind] < len(line)]
        if not left:
            break
        behind = max(left, key=lambda kind: (shares[kind] * (len(dealt) + 1) - taken[kind], -kind))
        dealt.append(lines[behind][taken[behind]])
        taken[behind] += 1
    return dealt
