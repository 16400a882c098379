"""May this person be asked now, and if so with which layout and in which order of answers."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, Protocol

from assent.domain.errors import NotFound, Refused
from assent.domain.facts import AGE_WORDS
from assent.domain.instants import format_instant
from assent.services.campaign.person import answering, inside, left_alone_until, person_state
from assent.store.port import Accounts, Acting, Choices, Notices, Prompts
from assent.store.records import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.services.campaign.person import Person
    from assent.store.records import Account, Choice

ADULT: Final = AGE_WORDS["adult"]

Order = Literal["random", "decline first"]
"""How the two answers are ordered: by lot for each showing, or the refusal first (requirements of a notice, R05)."""

Why = Literal[
    "the campaign is not live",
    "no account is known",
    "not in the audience",
    "a fact that the audience asks for is unknown",
    "a guardian has to be there",
    "answered",
    "left alone for a while",
    "asked often enough",
    "did not answer by the deadline",
]
"""Why a person is not asked."""


class Asking(Accounts, Acting, Choices, Notices, Prompts, Protocol):
    """What an offer reads of a store."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """This person is not asked now. `until` says when that may change by itself, None if it does not."""

    why: Why
    until: datetime | None = None

    def words(self) -> str:
        """Say it in one line."""
        return self.why + (f", until {format_instant(self.until)}" if self.until else "")


@dataclass(frozen=True, slots=True)
class Offer:
    """What to show: the question of `purpose` in this layout, with the answers in this order.

    `options` ends in `defer` as long as the person may put it off. `blocked`: the deadline has passed and the person
    answers before going on; `escape` are the ways out that stay open meanwhile.
    """

    campaign: str
    notice: str
    policy: str
    purpose: str
    layout: str
    options: tuple[str, ...]
    defers_left: int
    deadline: datetime
    blocked: bool = False
    escape: tuple[str, ...] = ()


def offer(
    store: Asking,
    course: Course,
    subject: str,
    *,
    now: datetime,
    chance: float,
    order: Order = "random",
    adult_age: int = ADULT,
) -> Offer | NotAsked:
    """Say whether this person may be asked now, and with what.

    `chance` is drawn evenly from [0, 1) by the caller, once for each showing. Somebody below `adult_age`
    is asked only if a guardian was verified. The purposes of
    the campaign are asked one by one, in the order of its file: the first that may be asked is offered.
    """
    if not course.live_at(now):
        return NotAsked("the campaign is not live")
    account = store.account(subject)
    if account is None:
        return NotAsked("no account is known")
    if kept_out := _kept_out(store, course, account, adult_age, now):
        return kept_out
    prompts = [prompt for prompt in store.prompts_of(course.campaign.id, subject) if prompt.at <= now]
    acts = list(store.choices(subject))
    reasons: list[NotAsked] = []
    for purpose in course.campaign.purposes:
        person = _person(store, course, purpose, prompts, acts, opened_at=account.opened_at, now=now)
        why = _why_not(course.campaign, person, now)
        if why is None:
            layout = layout_for(course.campaign, subject, prompts)
            return _offer(course, purpose, person, layout, _order(order, chance))
        reasons.append(why)
    # what may change by itself is worth waiting for
    return next((why for why in reasons if why.until is not None), reasons[0])


def person_of(store: Asking, course: Course, subject: str, purpose: str, *, now: datetime) -> Person:
    """Read how far one person is with one question. Raises `NotFound` without an account, `Refused` for a purpose."""
    account = store.account(subject)
    if account is None:
        raise NotFound("there is no account for this subject", "record the account first")
    _asked(course, purpose)
    prompts, acts = store.prompts_of(course.campaign.id, subject), list(store.choices(subject))
    return _person(store, course, purpose, prompts, acts, opened_at=account.opened_at, now=now)


def record_prompts(store: Prompts, course: Course, prompts: Iterable[Prompt]) -> int:
    """Log what happened on screens and return how much of it was new: the log says what was, even where it was wrong.

    Raises `Refused` for a purpose or layout that the campaign does not have, and before it started.
    """
    taken = list(prompts)
    known = {name for name, _ in course.campaign.layouts}
    for prompt in taken:
        _asked(course, prompt.purpose)
        if prompt.campaign != course.campaign.id:
            raise Refused("the prompt is of another campaign", "log it there")
        if prompt.kind == "shown" and prompt.layout not in known:
            fix = f"use one of {', '.join(sorted(known))}"
            raise Refused(f"campaign `{prompt.campaign}` has no layout `{prompt.layout}`", fix)
        if course.started_at is None or prompt.at < course.started_at:
            raise Refused(f"campaign `{prompt.campaign}` had not started then", "nobody is prompted before the start")
    return store.add_prompts(taken)


def layout_for(campaign: Campaign, subject: str, prompts: Sequence[Prompt]) -> str:
    """Draw a layout by its weight, always the same one for a person; what was once shown is shown again."""
    weights = {name: weight for name, weight in campaign.layouts if weight}
    before = next((prompt.layout for prompt in prompts if prompt.kind == "shown" and prompt.layout in weights), None)
    if before is not None:
        return before
    drawn = int.from_bytes(sha256(f"{campaign.id}\n{subject}".encode()).digest()) % sum(weights.values())
    for name, weight in weights.items():
        drawn -= weight
        if drawn < 0:
            return name
    raise AssertionError  # the weights add up to more than was drawn


def _kept_out(store: Acting, course: Course, account: Account, adult_age: int, now: datetime) -> NotAsked | None:
    known = inside(course.campaign.audience, account)
    if known is None:
        return NotAsked("a fact that the audience asks for is unknown")
    if not known:
        return NotAsked("not in the audience")
    if account.age is not None and account.age < adult_age:
        guardians = store.guardians_of(account.subject)
        if not any(g.verified_at <= now and (g.ended_at is None or now < g.ended_at) for g in guardians):
            return NotAsked("a guardian has to be there")
    return None


def _person(
    store: Notices,
    course: Course,
    purpose: str,
    prompts: Sequence[Prompt],
    acts: Sequence[Choice],
    *,
    opened_at: datetime | None,
    now: datetime,
) -> Person:
    texts = {act.notice for act in acts if act.notice in course.notices}
    # an act since the start counts whatever it quotes: only older ones are looked up
    older = {a.notice for a in acts if a.purpose == purpose and (not course.started_at or a.at < course.started_at)}
    texts |= {
        digest for digest in older if (text := store.rendering(digest)) is not None and text.notice in course.notices
    }
    made = answering(course, purpose, acts, texts)
    return person_state(course, purpose, prompts, made, opened_at=opened_at, now=now)


def _why_not(campaign: Campaign, person: Person, now: datetime) -> NotAsked | None:
    if person.answered:
        return NotAsked("answered")
    if person.silence == "blocked":
        return None
    if person.silence:
        return NotAsked("did not answer by the deadline")
    # at the deadline a campaign that blocks asks again, however often it did before
    again = person.deadline if campaign.no_answer == "block" else None
    if max(person.showings, person.defers) > campaign.max_defers:
        return NotAsked("asked often enough", until=again)
    alone_until = left_alone_until(campaign, person)
    if alone_until is not None and now < alone_until:
        return NotAsked("left alone for a while", until=min(alone_until, again) if again else alone_until)
    return None


def _offer(course: Course, purpose: str, person: Person, layout: str, answers: tuple[str, ...]) -> Offer:
    campaign = course.campaign
    blocked = person.silence == "blocked"
    left = 0 if blocked else max(0, campaign.max_defers - max(person.defers, person.showings))
    return Offer(
        campaign=campaign.id,
        notice=course.notice,
        policy=course.policy,
        purpose=purpose,
        layout=layout,
        options=(*answers, "defer") if left else answers,
        defers_left=left,
        deadline=person.deadline,
        blocked=blocked,
        escape=campaign.escape if blocked else (),
    )


_DECLINE_FIRST: Final = ("decline", "allow")


def _order(order: Order, chance: float) -> tuple[str, ...]:
    if order == "decline first" or chance < 1 / 2:
        return _DECLINE_FIRST
    return _DECLINE_FIRST[::-1]


def _asked(course: Course, purpose: str) -> None:
    asked = course.campaign.purposes
    if purpose not in asked:
        name = course.campaign.id
        raise Refused(f"campaign `{name}` does not ask for `{purpose}`", f"use one of {', '.join(asked)}")
