"""Campaigns over HTTP: officers take the steps, products ask who may be asked and log what happened on screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from assent.domain.errors import Refused
from assent.interfaces.api.access import Officer, Product, Staff
from assent.interfaces.api.campaign_form import (
    AlarmOut,
    AmendmentIn,
    CampaignList,
    CampaignOut,
    CampaignWhole,
    DocumentIn,
    FiguresOut,
    FindingOut,
    FunnelOut,
    LintOut,
    Logged,
    OfferIn,
    OfferOut,
    PromptsIn,
    ReasonIn,
    ReminderList,
    ReminderOut,
    StepOut,
)
from assent.interfaces.api.problems import Fault, FaultyError
from assent.interfaces.api.resource import Paged, problems, resource
from assent.interfaces.api.world import World
from assent.services.campaign import acts
from assent.services.campaign.acts import Written
from assent.services.campaign.definition import CampaignProblems
from assent.services.campaign.funnel import Figures, Funnel, funnel, question_of
from assent.services.campaign.intervals import Interval
from assent.services.campaign.machine import Course
from assent.services.campaign.offer import NotAsked, offer, record_prompts
from assent.services.campaign.remind import due_reminders
from assent.services.campaign.show import lint_of
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Prompt

CampaignId = Annotated[str, Path(min_length=1, max_length=100)]
Purpose = Annotated[
    str | None, Query(max_length=100, description="Which question; the first of the campaign if left out.")
]


def router(world: World) -> APIRouter:
    """Return the routes of campaigns."""
    routes = resource("campaigns")
    _look(routes, world)
    _take(routes, world)
    _ask(routes, world)
    return routes


def _look(routes: APIRouter, world: World) -> None:
    @routes.get("/v1/campaigns")
    def list_campaigns(page: Paged, _caller: Staff) -> CampaignList:
        """List campaigns, newest first."""
        found = world.store.campaigns(page)
        items = [_out(world, acts.course_from(world.store, kept)) for kept in found.items]
        return CampaignList(campaigns=items, total=found.total, after=found.after)

    @routes.get("/v1/campaigns/{campaign}", responses=problems(404))
    def read_campaign(campaign: CampaignId, _caller: Staff) -> CampaignWhole:
        """Read where a campaign stands and what led there."""
        told = _out(world, acts.course_of(world.store, campaign))
        steps = [StepOut(at=at, step=step, by=by) for at, step, by in acts.history(world.store, campaign)]
        return CampaignWhole(**told.model_dump(), history=steps)

    @routes.get("/v1/campaigns/{campaign}/funnel", responses=problems(404, 409))
    def read_funnel(campaign: CampaignId, _caller: Staff, purpose: Purpose = None) -> FunnelOut:
        """Count what asking came to, and say what leans.

        The share that allows is shown to find what steers people; it is no measure of success.
        """
        course = acts.course_of(world.store, campaign)
        return _funnel_out(funnel(world.store, course, _purpose(course, purpose), world.now()))


def _take(routes: APIRouter, world: World) -> None:
    @routes.post("/v1/campaigns", status_code=201, responses=problems(404, 409))
    def draft_campaign(what: DocumentIn, caller: Officer) -> CampaignOut:
        """Keep a new campaign as a draft."""
        written, known = Written(what.document, "document"), world.policies
        return _out(world, _read(lambda: acts.draft(world.store, written, known, by=caller.name, now=world.now())))

    @routes.post("/v1/campaigns/{campaign}/revise", responses=problems(404, 409))
    def revise_campaign(campaign: CampaignId, what: DocumentIn, caller: Officer) -> CampaignOut:
        """Replace a campaign that has not started; it is a draft again."""
        acts.course_of(world.store, campaign)
        written, known = Written(what.document, "document"), world.policies
        return _out(
            world, _read(lambda: acts.revise(world.store, campaign, written, known, by=caller.name, now=world.now()))
        )

    @routes.post("/v1/campaigns/{campaign}/lint", responses=problems(404, 409))
    def lint_campaign(campaign: CampaignId, caller: Officer) -> LintOut:
        """Lint the notice of a campaign; without errors the campaign is linted."""
        course = acts.course_of(world.store, campaign)
        linted, findings = lint_of(world.store, course)
        if not linted.errors:
            course = acts.lint(world.store, campaign, linted, by=caller.name, now=world.now())
        told = [FindingOut(severity=one.severity, message=one.message, fix=one.fix) for one in findings]
        return LintOut(errors=linted.errors, findings=told, state=course.state_at(world.now()))

    @routes.post("/v1/campaigns/{campaign}/schedule", responses=problems(404, 409))
    def schedule_campaign(campaign: CampaignId, caller: Officer) -> CampaignOut:
        """Let a linted campaign wait for its start."""
        return _out(world, acts.schedule(world.store, campaign, by=caller.name, now=world.now()))

    @routes.post("/v1/campaigns/{campaign}/unschedule", responses=problems(404, 409))
    def unschedule_campaign(campaign: CampaignId, caller: Officer) -> CampaignOut:
        """Undo the scheduling."""
        return _out(world, acts.unschedule(world.store, campaign, by=caller.name, now=world.now()))

    @routes.post("/v1/campaigns/{campaign}/start", responses=problems(404, 409))
    def start_campaign(campaign: CampaignId, caller: Officer) -> CampaignOut:
        """Begin to ask people; the notice is linted once more."""
        linted, _ = lint_of(world.store, acts.course_of(world.store, campaign))
        return _out(world, acts.start(world.store, campaign, linted, by=caller.name, now=world.now()))

    @routes.post("/v1/campaigns/{campaign}/amend", responses=problems(404, 409))
    def amend_campaign(campaign: CampaignId, what: AmendmentIn, caller: Officer) -> CampaignOut:
        """Change a live campaign, signed with the key of the ledger.

        Only what leaves every receipt its meaning may change; everything else is a new campaign.
        """
        return _out(world, _read(lambda: _amend(world, campaign, what, caller.name)))

    @routes.post("/v1/campaigns/{campaign}/close", responses=problems(404, 409))
    def close_campaign(campaign: CampaignId, what: ReasonIn, caller: Officer) -> CampaignOut:
        """Stop asking, for good."""
        return _out(world, acts.close(world.store, campaign, what.reason, by=caller.name, now=world.now()))


def _ask(routes: APIRouter, world: World) -> None:
    @routes.post("/v1/campaigns/{campaign}/offers", responses=problems(404))
    def offer_question(campaign: CampaignId, what: OfferIn, _caller: Product) -> OfferOut:
        """Say whether a person may be asked now, before anything is put on a screen.

        What is shown, byte for byte, comes from `POST /v1/questions` with the name of this campaign.
        """
        course, now = acts.course_of(world.store, campaign), world.now()
        made = offer(
            world.store, course, what.subject, now=now, chance=world.chance(), adult_age=world.settings.adult_age
        )
        if isinstance(made, NotAsked):
            return OfferOut(asked=False, why=made.why, until=made.until)
        return OfferOut(
            asked=True,
            purpose=made.purpose,
            layout=made.layout,
            defers_left=made.defers_left,
            deadline=made.deadline,
            blocked=made.blocked,
            escape=list(made.escape),
        )

    @routes.post("/v1/campaigns/{campaign}/prompts", responses=problems(404, 409))
    def log_prompts(campaign: CampaignId, what: PromptsIn, _caller: Product) -> Logged:
        """Log what happened on screens. To put off is an act and no prompt: record it as a choice."""
        course, now = acts.course_of(world.store, campaign), world.now()
        if any(one.at > now for one in what.prompts):
            raise Refused("a prompt lies in the future", "check the clock of the client")
        made = [Prompt(campaign=campaign, **dict(one)) for one in what.prompts]
        return Logged(new=record_prompts(world.store, course, made))

    @routes.get("/v1/campaigns/{campaign}/reminders", responses=problems(404, 409))
    def list_reminders(
        campaign: CampaignId,
        _caller: Product,
        purpose: Purpose = None,
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS)] = MAX_PAGE_ROWS,
    ) -> ReminderList:
        """List who is due a reminder now, looking through `limit` people.

        What you sent is logged as prompts of the kind `reminded`.
        """
        course, now = acts.course_of(world.store, campaign), world.now()
        asked = _purpose(course, purpose)
        question = question_of(course, asked, now)
        page = due_reminders(world.store, course, question, now=now, after=after, limit=limit)
        items = [ReminderOut(subject=one.subject, deadline=one.deadline) for one in page.items]
        return ReminderList(purpose=asked, reminders=items, after=page.after)


def _amend(world: World, campaign: str, what: AmendmentIn, by: str) -> Course:
    course, written = acts.course_of(world.store, campaign), Written(what.document, "document")
    notice = acts.amended_notice(world.store, course, written).digest
    linted = None if notice == course.notice else lint_of(world.store, course, notice)[0]
    signer, now = world.log.signers[0], world.now()
    return acts.amend(world.store, campaign, written, signer, linted=linted, reason=what.reason, by=by, now=now)


def _read(step: Callable[[], Course]) -> Course:
    """Take a step that reads a campaign file; every fault of the file is told with its line."""
    try:
        return step()
    except CampaignProblems as broken:
        faults = [
            Fault(
                pointer=f"/document line {one.place.line if one.place and one.place.line else 1}",
                detail=f"{one.message}; {one.fix}",
            )
            for one in broken.problems
        ]
        raise FaultyError(broken.message, broken.fix, faults) from None


def _purpose(course: Course, purpose: str | None) -> str:
    asked = course.campaign.purposes
    if purpose is not None and purpose not in asked:
        raise Refused("the campaign does not ask for this purpose", f"use one of {', '.join(asked)}")
    return purpose or asked[0]


def _out(world: World, course: Course) -> CampaignOut:
    made = course.campaign
    return CampaignOut(
        id=made.id,
        title=made.title,
        state=course.state_at(world.now()),
        notice=course.notice,
        policy=course.policy,
        purposes=list(made.purposes),
        start=made.start,
        deadline=made.deadline,
        no_answer=made.no_answer,
        steps=course.steps,
        digest=made.digest,
    )


def _interval(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()


def _funnel_out(made: Funnel) -> FunnelOut:
    def figures(one: Figures) -> FiguresOut:
        return FiguresOut.model_validate({**asdict(one), "allow_share": _interval(one.allow_share)})

    return FunnelOut(
        campaign=made.campaign,
        purpose=made.purpose,
        at=made.at,
        in_audience=made.in_audience,
        states={str(phase): count for phase, count in made.states.items()},
        left={str(phase): count for phase, count in made.left.items()},
        total=figures(made.total),
        by={str(arm): [figures(one) for one in found] for arm, found in made.by.items()},
        alarms=[AlarmOut.model_validate({**asdict(alarm), "apart": _interval(alarm.apart)}) for alarm in made.alarms],
    )
