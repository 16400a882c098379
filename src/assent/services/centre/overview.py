"""Where everything stands: what holds per purpose, what is asked, and how much is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.services.campaign.acts import course_of
from assent.services.campaign.offer import person_of
from assent.services.campaign.person import inside
from assent.services.centre.chats import list_chats
from assent.services.choose.standing import standings
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.services.centre.rows import Weigher
    from assent.services.choose.standing import Standing
    from assent.store.port import Store

LOOKED_AT: Final = 200
"""How many of the newest conversations are decided for the count of those that may be trained on."""

CAMPAIGNS_LOOKED_AT: Final = 50
"""How many campaigns, newest first, are looked through for one that still asks the person."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A question that is still open to the person, and by when."""

    campaign: str
    purpose: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many conversations. `trainable` and `looked_at`: so many of the newest so many may be trained on.

    `held` are those under the widest hold that the person may know of; `deleted` can still be brought back.
    """

    kept: int
    looked_at: int
    trainable: int
    held: int
    deleted: int


def purposes_standing(
    store: Store, policies: Sequence[Policy], subject: str, now: datetime, awaited: Sequence[Awaited]
) -> list[Standing]:
    """List what holds about everything, one standing a purpose."""
    asked = {one.purpose for one in awaited}
    found = standings(store, policies, subject, now, asked=asked)
    return [one for one in found if one.scope == "everything"]


def amounts(store: Store, weighing: Weigher, subject: str, *, window: timedelta, may_train: bool) -> Amounts:
    """Count, with what a store can count at once. `may_train`: something is allowed at all; else nothing is decided.

    `window` is how long what was deleted can be brought back.
    """
    mine = ConversationFilter(subject=subject)
    since = weighing.now - window
    rows = list_chats(store, weighing, mine, Page(LOOKED_AT)).rows if may_train else ()
    return Amounts(
        kept=store.conversations(mine, Page(1)).total,
        looked_at=len(rows),
        trainable=sum(bool(row.uses) for row in rows),
        held=max((one.conversations for one in store.holds_on(subject) if one.hold.released_at is None), default=0),
        deleted=store.conversations(ConversationFilter(subject=subject, deleted_since=since), Page(1)).total,
    )


def awaited(store: Store, subject: str, now: datetime) -> list[Awaited]:
    """Find the questions of live campaigns that a person has not answered."""
    account = store.account(subject)
    if account is None:
        return []
    found = []
    for text in store.campaigns(Page(CAMPAIGNS_LOOKED_AT)).items:
        course = course_of(store, text.id)
        if course.live_at(now) and inside(course.campaign.audience, account):
            for purpose in course.campaign.purposes:
                person = person_of(store, course, subject, purpose, now=now)
                if not person.answered and not person.silence:
                    found.append(Awaited(text.id, purpose, person.deadline))
    return found
