"""Plans: what a sweep would do, who agreed to it, and carrying it out by two people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import Refused
from assent.interfaces.web.console.approvals import ask_for, state_of
from assent.interfaces.web.console.frame import WORKERS, WORKS, may, radius_world, shown, work
from assent.interfaces.web.pages import Pages
from assent.services.approve import approve
from assent.services.figures.outlook import refresh
from assent.services.figures.radius import kept_radius, plan_name, plan_radius
from assent.services.guard.permit import target_of
from assent.services.guard.two_people import asked_for, require_two
from assent.services.sweep import find_plan
from assent.store.records import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import Plan, Sweep

pages: Final = Pages()

_MAKING: Final = "making a plan"


@pages.get("/console/plans", WORKS)
def listed(visit: Visit) -> Response:
    """List plans, the newest first, and what stopped the last round."""
    store = visit.world.store
    listing = store.plans(visit.paging(visit.world.settings.list_page))
    background = visit.world.background
    return shown(
        visit,
        "plans.html",
        "/console/plans",
        listing=listing,
        found=[(plan, target_of(plan.digest), sum(plan.counts.values())) for plan in listing.items],
        last=store.last_round(),
        making=background.under_way(_MAKING),
        problem=background.problem(_MAKING),
        makes=may(visit, WORKERS),
    )


@pages.post("/console/plans", WORKERS)
def make(visit: Visit) -> Response:
    """Make a plan for now; nothing is erased."""
    world, now, by = radius_world(visit), visit.now, visit.name
    done = work(visit, _MAKING, lambda: plan_radius(world, now, by=by))
    newest = visit.world.store.plans(Page(1)).items
    if done == "ready" and newest:
        return visit.redirect(f"/console/plans/{target_of(newest[0].digest)}", done=done)
    return visit.redirect("/console/plans", done=done)


@pages.get("/console/plans/{plan}", WORKS)
def one(visit: Visit) -> Response:
    """Show a plan: by rule, newly due, a sample, the guards, and who agreed."""
    store, plan = visit.world.store, find_plan(visit.world.store, visit.path["plan"])
    request = asked_for(store, plan)
    background, name = visit.world.background, _carrying(plan)
    state = state_of(request, visit.now) if request is not None else ""
    works = may(visit, WORKERS)
    same = request is not None and request.asked_by.casefold() == visit.name.casefold()
    return shown(
        visit,
        "plan.html",
        "/console/plans",
        plan=plan,
        target=target_of(plan.digest),
        due=sum(plan.counts.values()),
        radius=kept_radius(store, plan_name(plan.digest)),
        request=request,
        state=state,
        may_ask=works and state in ("", "too old"),
        may_approve=works and state == "waiting" and not same,
        may_carry_out=works and state in ("approved", "carried out") and not _finished(visit, plan),
        under_way=background.under_way(name),
        problem=background.problem(name),
        sweeps=_sweeps(visit, plan),
    )


@pages.post("/console/plans/{plan}/ask", WORKERS)
def ask(visit: Visit) -> Response:
    """Ask a second person to let this plan be carried out."""
    plan = find_plan(visit.world.store, visit.path["plan"])
    ask_for(visit, "exceed", target_of(plan.digest))
    return visit.redirect(f"/console/plans/{target_of(plan.digest)}", done="asked")


@pages.post("/console/plans/{plan}/approve", WORKERS)
def give(visit: Visit) -> Response:
    """Let this plan be carried out, as somebody else than asked."""
    store, plan = visit.world.store, find_plan(visit.world.store, visit.path["plan"])
    request = asked_for(store, plan)
    if request is None:
        raise Refused("nobody asked to carry this plan out", "ask first, and let somebody else approve")
    approve(store, request.id, by=visit.name, now=visit.now)
    return visit.redirect(f"/console/plans/{target_of(plan.digest)}", done="approved")


@pages.post("/console/plans/{plan}/carry-out", WORKERS)
def carry_out(visit: Visit) -> Response:
    """Erase exactly what the plan names and is still due, by the steps of `assent sweep --plan`."""
    world, now = visit.world, visit.now
    plan = find_plan(world.store, visit.path["plan"])
    by_hand = world.by_hand()
    versions = [policy for policy, _ in world.policies]

    def do() -> None:
        require_two(world.store, plan, now)
        by_hand.sweep(plan, now, lambda _rows: None)
        refresh(world.store, by_hand.columns, versions, now, lead=world.lead)

    done = work(visit, _carrying(plan), do)
    return visit.redirect(f"/console/plans/{target_of(plan.digest)}", done=done if done == "began" else "")


def _carrying(plan: Plan) -> str:
    return f"carrying out {target_of(plan.digest)}"


def _sweeps(visit: Visit, plan: Plan) -> list[Sweep]:
    return [sweep for sweep in visit.world.store.sweeps(Page(200)).items if sweep.plan == plan.digest]


def _finished(visit: Visit, plan: Plan) -> bool:
    return any(sweep.finished_at is not None for sweep in _sweeps(visit, plan))
