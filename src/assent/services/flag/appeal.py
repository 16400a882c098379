"""Appeals: the person asks for another look, and somebody who took no part before decides.

An appeal is a request of the person (services/centre/asking.py): its words lie in the request, which has a clock, and
go when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.domain.people import plain_name
from assent.services.centre import asking
from assent.services.centre.asking import APPEAL
from assent.services.flag.events import APPEALED, DECIDED, event_of
from assent.store.port import Reviews
from assent.store.records import Page, Review

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assent.services.flag.review import Said
    from assent.store.port import Rights
    from assent.store.records import Candidate, Flag, RightsRequest

FlagState = Literal["queued", "reviewed", "settled", "upheld", "reversed", "appealed", "decided"]


class AppealStore(asking.WishStore, Reviews, Protocol):
    """What appeals ask of a store."""


@dataclass(frozen=True, slots=True)
class Life:
    """One flag, from what was scored to what was decided on an appeal; what it never came to is None."""

    state: FlagState
    candidate: Candidate | None
    flag: Flag | None
    reviews: tuple[Review, ...]
    appeal: RightsRequest | None


def appeal(store: AppealStore, subject: str, flag: str, text: str, clock: asking.Clock, *, key: bytes) -> RightsRequest:
    """Record that a person appeals against a flag, and tell of it; an appeal that is still open stays that one.

    Raises `NotFound` for a flag that is not theirs, `Refused` if it was overturned, `Invalid` for a text too long.
    """
    made = asking.appeal(store, subject, flag, text, clock, key=key)
    found = store.flag(flag)
    if found is not None:
        store.add_event(event_of(APPEALED, found, made.received_at, of=made.id))
    return made


def decide(store: AppealStore, said: Said, *, now: datetime) -> Life:
    """Decide the appeal that is open against a flag: `reverse` overturns the flag, `uphold` lets it stand.

    Whoever flagged, reviewed or decided on it before is refused. The flag, the request and the event change
    together. Doing it again changes nothing. Raises `NotFound` where no appeal is open.
    """
    if not said.by.strip() or not said.reason.strip():
        raise Invalid("a decision needs somebody who decides and a reason", "say who and why, without quoting content")
    flag = store.flag(said.candidate)
    if flag is None:
        raise NotFound(f"there is no flag `{said.candidate}`", "list the flags to see their ids")
    before = store.reviews_of(flag.id)
    request = open_appeal(store, flag.id)
    if request is None:
        if any(one.stage == "appeal" and _same(one, said) for one in before):
            return life_of(store, flag.id)
        raise NotFound(f"no appeal against flag `{flag.id}` is open", "list them with `assent flag queue --appeals`")
    if plain_name(said.by) in {plain_name(name) for name in (flag.by, *(one.reviewer for one in before))}:
        raise Refused("an appeal is decided by somebody who took no part before", "let somebody else decide")
    overturned = said.decision == "reverse"
    ended = replace(
        request,
        status="fulfilled" if overturned else "denied",
        reason=None if overturned else "other",
        claims="",
        details="the flag was overturned" if overturned else "somebody else looked again, and the flag stands",
        changed_at=max(now, request.changed_at),
    )
    made = Review(flag.id, said.by, now, said.decision, said.reason, "appeal", category=flag.category)
    events = [event_of(DECIDED, flag, now, said.decision, of=request.id), asking.changed(ended)]
    if not store.decide_appeal(made, ended, was=request.status, events=events):
        raise Refused("the appeal was changed meanwhile", "look at it again")
    return life_of(store, flag.id)


def open_appeals(store: Rights) -> Iterator[RightsRequest]:
    """Read the appeals that wait, page by page; `agent_request` of each names the flag."""
    for status in ("open", "in_progress"):
        page: Page | None = Page(1_000)
        while page is not None:
            listing = store.requests(page, status=status)
            yield from (one for one in listing.items if one.exercise == APPEAL)
            page = Page(1_000, listing.after) if listing.after else None


def open_appeal(store: Rights, flag: str) -> RightsRequest | None:
    """Return the appeal that waits against a flag, or None."""
    return next((one for one in open_appeals(store) if one.agent_request == flag), None)


def life_of(store: AppealStore, flag: str) -> Life:
    """Tell what has become of a flag or candidate. Raises `NotFound` for what never was, or is forgotten."""
    candidate, found, reviews = store.candidate(flag), store.flag(flag), tuple(store.reviews_of(flag))
    if candidate is None and found is None:
        raise NotFound(f"there is no flag `{flag}`", "list the flags to see their ids")
    waiting = None if found is None else open_appeal(store, flag)
    return Life(_state(candidate, found, reviews, waiting), candidate, found, reviews, waiting)


def _state(
    candidate: Candidate | None, flag: Flag | None, reviews: tuple[Review, ...], waiting: RightsRequest | None
) -> FlagState:
    if waiting is not None:
        return "appealed"
    if any(one.stage == "appeal" for one in reviews):
        return "decided"
    if flag is None:
        return "settled" if candidate is not None and candidate.settled_at else "reviewed" if reviews else "queued"
    if flag.reversed_at is not None:
        return "reversed"
    return "upheld" if flag.reviewed_at is not None else "reviewed" if reviews else "queued"


def _same(review: Review, said: Said) -> bool:
    return review.decision == said.decision and plain_name(review.reviewer) == plain_name(said.by)
