"""Campaigns: where each stands, what asking came to, what the lint says, how the notice looks, and the next step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from assent.domain.errors import Invalid, NotFound, Refused
from assent.interfaces.charts.funnel import arms_of, steps_of, svg
from assent.interfaces.web.console.frame import OFFICE, OFFICER, may, picture, shown
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.visit import POLICY
from assent.services.campaign import acts
from assent.services.campaign.acts import Written, course_from, course_of
from assent.services.campaign.funnel import funnel
from assent.services.campaign.machine import TABLE
from assent.services.campaign.show import lint_of, manifest_of, policy_of
from assent.services.figures.outlook import kept_outlook
from assent.services.notice.render import orders, render

if TYPE_CHECKING:
    from assent.interfaces.web.visit import Visit
    from assent.services.campaign.funnel import Funnel
    from assent.services.campaign.machine import Course
    from assent.store.port import Store
    from assent.store.records import CampaignEventKind

pages: Final = Pages()

STEPS: Final[dict[str, tuple[CampaignEventKind, str, str]]] = {
    "lint": ("linted", "Lint", "The notice is checked once more, and what the check says is written down."),
    "schedule": ("scheduled", "Schedule", "It waits for its start; this can be undone."),
    "unschedule": ("unscheduled", "Unschedule", "It no longer waits for its start."),
    "start": ("started", "Go live", "People are asked from now on. There is no way back: it is amended or closed."),
    "amend": ("amended", "Amend", "What leaves every receipt its meaning may change; it is signed and written down."),
    "close": ("closed", "Close", "Asking stops for good. Who was silent has allowed nothing."),
}
"""Each step: its kind, what its button says, and what it does."""

_FRAMED: Final = "; frame-src 'self'"
_PREVIEW: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; sandbox"


def alarms_kept(store: Store) -> list[tuple[str, str]]:
    """List what leaned in live campaigns when the outlook was worked out last, as (campaign, sentence)."""
    outlook = kept_outlook(store)
    return [] if outlook is None else list(outlook.alarms)


@pages.get("/console/campaigns", OFFICE)
def listed(visit: Visit) -> Response:
    """List campaigns, the newest first."""
    store = visit.world.store
    listing = store.campaigns(visit.paging(visit.world.settings.list_page))
    found = [(course, course.state_at(visit.now)) for course in (course_from(store, kept) for kept in listing.items)]
    return shown(visit, "campaigns.html", "/console/campaigns", found=found, listing=listing, alarms=alarms_kept(store))


@pages.get("/console/campaigns/{campaign}", OFFICE)
def one(visit: Visit) -> Response:
    """Show where a campaign stands, what asking came to, and what may be done next."""
    course = _course(visit)
    made = _funnel(visit, course)
    return shown(
        visit,
        "campaign.html",
        "/console/campaigns",
        course=course,
        state=course.state_at(visit.now),
        history=acts.history(visit.world.store, course.campaign.id),
        document=_document(visit, course),
        made=made,
        steps=steps_of(made),
        arms=arms_of(made),
        next_steps=_next_steps(visit, course),
    )


@pages.get("/console/campaigns/{campaign}/funnel.svg", OFFICE)
def funnel_picture(visit: Visit) -> Response:
    """Draw the funnel."""
    return picture(svg(_funnel(visit, _course(visit))))


@pages.get("/console/campaigns/{campaign}/notice", OFFICE)
def notice(visit: Visit) -> Response:
    """Show what the lint says of the notice, and how it looks on every surface, in every language and layout."""
    course = _course(visit)
    linted, findings = lint_of(visit.world.store, course)
    manifest = manifest_of(visit.world.store, course.notice)
    header = manifest.header
    asked = {
        "surface": visit.query.get("surface", header.surfaces[0]),
        "locale": visit.query.get("locale", manifest.locales[0]),
        "layout": visit.query.get("layout", header.layouts[0]),
    }
    response = shown(
        visit,
        "campaign_notice.html",
        "/console/campaigns",
        course=course,
        linted=linted,
        findings=findings,
        choices={"surface": header.surfaces, "locale": manifest.locales, "layout": header.layouts},
        asked=asked,
    )
    response.headers["Content-Security-Policy"] = POLICY + _FRAMED
    return response


@pages.get("/console/campaigns/{campaign}/preview", OFFICE)
def preview(visit: Visit) -> Response:
    """Draw the question as people see it; nothing in it can be sent."""
    course = _course(visit)
    store = visit.world.store
    manifest, policy = manifest_of(store, course.notice), policy_of(store, course.policy)
    surface = visit.query.get("surface", "html")
    drawn = render(
        manifest,
        policy,
        purpose=course.campaign.purposes[0],
        surface=surface,
        locale=visit.query.get("locale", "en"),
        layout=visit.query.get("layout", ""),
        options=orders(manifest, policy)[0],
        deadline=course.campaign.deadline,
    )
    kind = "text/html" if surface in ("html", "fragment") else "text/plain"
    return Response(drawn.body, 200, {"Content-Security-Policy": _PREVIEW}, f"{kind}; charset=utf-8")


@pages.get("/console/campaigns/{campaign}/{step}", OFFICER)
def confirm(visit: Visit) -> Response:
    """Ask once more before a step is taken."""
    course, step = _course(visit), _step(visit)
    return shown(
        visit,
        "campaign_step.html",
        "/console/campaigns",
        course=course,
        step=step,
        label=STEPS[step][1],
        says=STEPS[step][2],
        document=_document(visit, course),
        state=course.state_at(visit.now),
    )


@pages.post("/console/campaigns/{campaign}/{step}", OFFICER)
def take(visit: Visit) -> Response:
    """Take a step in the name of whoever is signed in."""
    world, name, step = visit.world, visit.path["campaign"], _step(visit)
    told: dict[str, Any] = {"by": visit.name, "now": visit.now}
    if visit.form.get("sure") != "yes":
        raise Invalid("nobody said that they are sure", "tick the box if you are")
    if step in ("lint", "start"):
        linted, _ = lint_of(world.store, course_of(world.store, name))
        (acts.lint if step == "lint" else acts.start)(world.store, name, linted, **told)
    elif step == "close":
        acts.close(world.store, name, _reason(visit), **told)
    elif step == "amend":
        _amend(visit, name)
    else:
        (acts.schedule if step == "schedule" else acts.unschedule)(world.store, name, **told)
    return visit.redirect(f"/console/campaigns/{name}", done=STEPS[step][0])


def _amend(visit: Visit, name: str) -> None:
    world, course = visit.world, _course(visit)
    written = Written(visit.form.get("document", "").replace("\r\n", "\n"), "the text")
    named = acts.amended_notice(world.store, course, written).digest
    linted = None if named == course.notice else lint_of(world.store, course, named)[0]
    signer = world.log.signers[0]
    acts.amend(world.store, name, written, signer, linted=linted, reason=_reason(visit), by=visit.name, now=visit.now)


def _reason(visit: Visit) -> str:
    reason = " ".join(visit.form.get("reason", "").split())
    if not reason:
        raise Invalid("this step needs a reason", "say why; it is written down")
    return reason


def _step(visit: Visit) -> str:
    step = visit.path["step"]
    if step not in STEPS:
        raise NotFound("there is no such step", f"use one of {', '.join(STEPS)}")
    return step


def _next_steps(visit: Visit, course: Course) -> list[tuple[str, str]]:
    state = course.state_at(visit.now)
    if not may(visit, OFFICER):
        return []
    return [(step, label) for step, (kind, label, _) in STEPS.items() if state in TABLE[kind]]


def _course(visit: Visit) -> Course:
    return course_of(visit.world.store, visit.path["campaign"])


def _funnel(visit: Visit, course: Course) -> Funnel:
    purpose = visit.query.get("purpose", course.campaign.purposes[0])
    if purpose not in course.campaign.purposes:
        raise Refused("this campaign does not ask for that", f"use one of {', '.join(course.campaign.purposes)}")
    return funnel(visit.world.store, course, purpose, visit.now)


def _document(visit: Visit, course: Course) -> str:
    """Return the file of a campaign as it is in force."""
    name = course.campaign.id
    document: str = getattr(visit.world.store.campaign(name), "document", "")
    for event in visit.world.store.campaign_events(name):
        document = json.loads(event.change).get("document", document)
    return document
