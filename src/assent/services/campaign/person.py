"""How far one person is with one question of a campaign. Pure: their prompts and acts in, a state out.

Silence is never an act. After the deadline it means that the person is not asked again
(`decline`) or has to answer before going on (`block`); their standing stays what their acts
make it, and without an act nothing of theirs is ever eligible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assent.domain.durations import add
from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assent.services.campaign.definition import Campaign
    from assent.services.campaign.machine import Course
    from assent.store.records import Account, Audience, Choice, PersonPhase, Prompt

Silence = Literal["", "not asked again", "blocked"]
"""What not answering has led to: nothing yet, no further question, or a question that has to be answered first."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person and one purpose at one instant.

    `phase` follows from prompts and acts alone. `defers` were made, `showings` seen, the last
    of either at `asked_at`. `allows` is the newest answer, None without one. `deadline` is the person's own.
    """

    phase: PersonPhase
    defers: int
    showings: int
    asked_at: datetime | None
    allows: bool | None
    deadline: datetime
    silence: Silence

    @property
    def answered(self) -> bool:
        """Tell whether the person has acted one way or the other."""
        return self.allows is not None

    def words(self) -> str:
        """Say it in one sentence."""
        if self.silence == "not asked again":
            return "did not answer by the deadline: is not asked again, and nothing is allowed"
        if self.silence == "blocked":
            return "did not answer by the deadline: answers first, or takes the way out; nothing is allowed"
        said: dict[PersonPhase, str] = {
            "unseen": "has not been shown the question",
            "shown": "was shown the question and has not answered; nothing is allowed",
            "deferred": f"put it off ({self.defers}); nothing is allowed",
            "allowed": "allowed it",
            "declined": "declined it",
            "changed": f"changed the answer; it {'is' if self.allows else 'is not'} allowed now",
        }
        rest = "" if self.answered else f"; deadline {format_instant(self.deadline)}"
        return said[self.phase] + rest


def person_state(
    course: Course,
    purpose: str,
    prompts: Sequence[Prompt],
    acts: Sequence[Choice],
    *,
    opened_at: datetime | None,
    now: datetime,
) -> Person:
    """Derive one person's state from their prompts in the campaign and the acts that answer it (`answering`)."""
    showings = [p.at for p in prompts if p.kind == "shown" and p.purpose == purpose and p.at <= now]
    made = [act for act in acts if act.at <= now]
    defers = [act.at for act in made if act.act == "defer"]
    answers = [act.act == "allow" for act in made if act.act != "defer"]
    deadline = course.campaign.deadline_of(opened_at)
    return Person(
        phase=_phase(answers, deferred=bool(defers), shown=bool(showings)),
        defers=len(defers),
        showings=len(showings),
        asked_at=max([*showings, *defers], default=None),
        allows=answers[-1] if answers else None,
        deadline=deadline,
        silence="" if answers else _silence(course, deadline, now),
    )


def answering(course: Course, purpose: str, acts: Sequence[Choice], texts: Collection[str]) -> list[Choice]:
    """Choose the acts that answer a question of this campaign, or put it off; `texts` are digests of its notice.

    An act about everything counts if it was made in the campaign, since it started, or to this
    version of the notice. Acts come in the order of the store, and stay in it.
    """
    since = course.started_at
    return [
        act
        for act in acts
        if act.purpose == purpose
        and act.scope == "everything"
        and (act.campaign == course.campaign.id or (since is not None and act.at >= since) or act.notice in texts)
    ]


def _phase(answers: list[bool], *, deferred: bool, shown: bool) -> PersonPhase:
    if answers:
        return "changed" if len(set(answers)) > 1 else "allowed" if answers[0] else "declined"
    return "deferred" if deferred else "shown" if shown else "unseen"


def _silence(course: Course, deadline: datetime, now: datetime) -> Silence:
    closed = course.closing_at(now) is not None
    if course.campaign.no_answer == "block":
        # a closed campaign blocks nobody: there is nothing left to answer
        return "blocked" if now >= deadline and course.live_at(now) else ""
    return "not asked again" if closed or now >= deadline else ""


def left_alone_until(campaign: Campaign, person: Person) -> datetime | None:
    """Return until when a person is not asked again after they were last asked; None if never asked."""
    return None if person.asked_at is None else add(person.asked_at, campaign.cool_down)


def inside(audience: Audience, account: Account) -> bool | None:
    """Tell whether an account is in an audience; None if a fact that the audience asks for is unknown."""
    tests: list[bool | None] = [account.closed_at is None and account.moved_to_business_at is None]
    tests.append(None if account.plan is None else account.plan in audience.plans)
    below = 1_000 if audience.age_below is None else audience.age_below
    tests.append(None if account.age is None else audience.age_from <= account.age < below)
    if audience.regions:
        tests.append(None if account.region is None else account.region in audience.regions)
    if audience.outside:
        tests.append(None if account.region is None else account.region not in audience.outside)
    if audience.signed_in is not None:
        tests.append(None if account.signed_in is None else account.signed_in is audience.signed_in)
    if audience.opened_before is not None:
        opened, joins = account.opened_at, audience.sign_ups_from
        tests.append(
            None if opened is None else opened < audience.opened_before or (joins is not None and opened >= joins)
        )
    return False if False in tests else None if None in tests else True
