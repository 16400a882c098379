"""Deliver what is owed: each event to each endpoint until it was taken, tried again later and later, then given up.

An attempt that was made and not recorded, because the process died in between, is made
again: receivers know a repeated event by its `webhook-id`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError
from assent.services.events.envelope import body_of, headers_of
from assent.services.events.sending import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from assent.services.events.sending import Sender
    from assent.store.port import Outgoing
    from assent.store.records import Delivery

PAUSES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long to wait after the first failed attempt, the second, and so on (Standard Webhooks 1.0, retry schedule)."""

GONE: Final = 410
"""The status by which a receiver says that it wants nothing more: its endpoint is disabled."""

LONGEST_WAIT: Final = timedelta(days=1)
"""More than this a receiver cannot ask for by `Retry-After`."""


@dataclass(frozen=True)
class Desk:
    """What delivering needs: a way out, the secrets of an endpoint by the name of its file, and whose events they are.

    Two secrets in a file, one a line, sign both while receivers change from one to the other.
    """

    send: Sender
    secrets_of: Callable[[str], tuple[str, ...]]
    source: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many deliveries one round took through, put off and gave up."""

    taken: int = 0
    put_off: int = 0
    given_up: int = 0


def deliver(store: Outgoing, desk: Desk, now: Callable[[], datetime], *, limit: int) -> Delivered:
    """Make one attempt at each of up to `limit` deliveries that are due."""
    count = Delivered()
    gone: set[str] = set()
    for owed in store.due_deliveries(now(), limit):
        if owed.endpoint.id in gone:
            continue
        at = now()
        answer = _attempt(owed, desk, at)
        after = _after(owed, answer, at)
        store.record_delivery(after)
        if answer.status == GONE:
            gone.add(owed.endpoint.id)
            store.put_endpoint(replace(owed.endpoint, disabled_at=at))
        if after.delivered_at is not None:
            count = replace(count, taken=count.taken + 1)
        elif after.next_at is not None:
            count = replace(count, put_off=count.put_off + 1)
        else:
            count = replace(count, given_up=count.given_up + 1)
    return count


def _attempt(owed: Delivery, desk: Desk, at: datetime) -> Answer:
    try:
        body = body_of(owed.event, desk.source)
        headers = headers_of(owed.event, body, desk.secrets_of(owed.endpoint.secret), at)
        return desk.send(owed.endpoint.url, headers, body)
    except AssentError as problem:
        return Answer(0, problem.message)


def _after(owed: Delivery, answer: Answer, at: datetime) -> Delivery:
    tried = replace(owed, attempts=owed.attempts + 1)
    if 200 <= answer.status < 300:
        return replace(tried, next_at=None, delivered_at=at, problem="")
    problem = answer.problem or f"answered {answer.status}"
    if answer.status == GONE or owed.attempts >= len(PAUSES):
        return replace(tried, next_at=None, problem=problem)
    asked = min(timedelta(seconds=answer.wait_s), LONGEST_WAIT)
    return replace(tried, next_at=at + max(PAUSES[owed.attempts], asked), problem=problem)
