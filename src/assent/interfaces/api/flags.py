"""Flags over HTTP: what waits for reviewers, what they decide, appeals and who decides them. No content is served."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from assent.interfaces.api.access import Product, Safety
from assent.interfaces.api.access import Staff as Reading
from assent.interfaces.api.resource import PLAIN, Input, Instant, Name, Output, problems, resource
from assent.interfaces.api.world import World
from assent.services.centre.asking import MAX_TEXT, Clock
from assent.services.flag.agreement import agreement, rates
from assent.services.flag.appeal import Life, appeal, decide, life_of
from assent.services.flag.queue import queue
from assent.services.flag.review import Said, review
from assent.services.flag.terms import ReviewTerms
from assent.store.records import Candidate

FlagId = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]
Decision = Literal["uphold", "reverse"]


class DecisionIn(Input):
    """What the caller decides, and why, without quoting content."""

    decision: Decision
    reason: Name


class AppealIn(Input):
    """Who appeals, and what they say; the words are kept until the appeal ends."""

    subject: Name
    text: str = Field(default="", max_length=MAX_TEXT)


class CandidateOut(Output):
    """Something that waits for people. `drawn`: it is in the uniform random sample."""

    flag: str
    conversation: str
    band: Literal["flag", "uncertain", "clear"]
    category: str
    severity: int
    detector: str
    queued_at: Instant
    score: float | None
    drawn: bool


class QueueOut(Output):
    """What waits, in the order in which to look at it; `withheld` may not be read for safety at this instant."""

    waiting: list[CandidateOut]
    total: int
    withheld: int


class FlagOut(Output):
    """What has become of a flag. Who decided what is not said: a second look is a look of one's own."""

    flag: str
    state: Literal["queued", "reviewed", "settled", "upheld", "reversed", "appealed", "decided"]
    category: str
    reviews: int
    flagged_at: Instant | None
    reviewed_at: Instant | None
    reversed_at: Instant | None
    answer_by: Instant | None


class AppealOut(Output):
    """An appeal that is open."""

    request: str
    answer_by: Instant


class AgreementOut(Output):
    """How far reviewers agree (Cohen's kappa; null where it says nothing), and rates with 95 % intervals."""

    pairs: int
    agreed: int
    kappa: float | None
    rates: dict[str, Any]


def router(world: World) -> APIRouter:
    """Return the routes of flags."""
    routes = resource("flags")
    terms = ReviewTerms()
    versions = [policy for policy, _ in world.policies]

    @routes.get("/v1/flags")
    def list_waiting(_caller: Safety, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> QueueOut:
        """List what waits for reviewers, dealt out by the declared shares."""
        found = queue(world.store, versions, terms, now=world.now(), limit=limit)
        return QueueOut(waiting=[_waiting(one) for one in found.waiting], total=found.total, withheld=found.withheld)

    @routes.get("/v1/flags/{flag}", responses=problems(404))
    def read_flag(flag: FlagId, _caller: Reading) -> FlagOut:
        """Say what has become of a flag."""
        return _flag(flag, life_of(world.store, flag))

    @routes.post("/v1/flags/{flag}/reviews", responses=problems(404, 409))
    def review_flag(flag: FlagId, what: DecisionIn, caller: Safety) -> FlagOut:
        """Uphold or reverse a flag as the person whose token this is; severe ones take two who agree.

        The same decision again changes nothing.
        """
        review(world.store, versions, Said(flag, caller.name, what.decision, what.reason), terms, now=world.now())
        return _flag(flag, life_of(world.store, flag))

    @routes.post("/v1/flags/{flag}/appeals", status_code=201, responses=problems(404, 409))
    def appeal_flag(flag: FlagId, what: AppealIn, _caller: Product) -> AppealOut:
        """Record that a person appeals against a flag on a conversation of theirs; one that is open stays that one."""
        clock = Clock(world.now(), world.settings.rights_days)
        made = appeal(world.store, what.subject, flag, what.text, clock, key=world.new_key())
        return AppealOut(request=made.id, answer_by=made.expected_by)

    @routes.post("/v1/flags/{flag}/decisions", responses=problems(404, 409))
    def decide_appeal(flag: FlagId, what: DecisionIn, caller: Safety) -> FlagOut:
        """Decide the appeal that is open, as somebody who took no part before."""
        life = decide(world.store, Said(flag, caller.name, what.decision, what.reason), now=world.now())
        return _flag(flag, life)

    @routes.get("/v1/flag-agreement")
    def read_agreement(_caller: Reading) -> AgreementOut:
        """Say how far reviewers agree, and what the random sample says of everything that was scored."""
        reviews = list(world.store.reviews())
        found = agreement(reviews)
        return AgreementOut(pairs=found.pairs, agreed=found.agreed, kappa=found.kappa, rates=asdict(rates(reviews)))

    return routes


def _waiting(one: Candidate) -> CandidateOut:
    told = asdict(one)
    del told["settled_at"]
    return CandidateOut(flag=told.pop("id"), **told)


def _flag(name: str, life: Life) -> FlagOut:
    flag, candidate = life.flag, life.candidate
    return FlagOut(
        flag=name,
        state=life.state,
        category=flag.category if flag is not None else candidate.category if candidate is not None else "",
        reviews=sum(one.stage == "review" for one in life.reviews),
        flagged_at=None if flag is None else flag.at,
        reviewed_at=None if flag is None else flag.reviewed_at,
        reversed_at=None if flag is None else flag.reversed_at,
        answer_by=None if life.appeal is None else life.appeal.expected_by,
    )
