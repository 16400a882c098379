"""Erasing: what is overdue and due soon, what went, and what will be due in the next five years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import NotFound
from assent.interfaces.charts.forecast import svg
from assent.interfaces.web.console.frame import READING, WORKERS, WORKS, may, picture, shown, work
from assent.interfaces.web.pages import Pages
from assent.services.explain import explain_conversation
from assent.services.figures.outlook import NAME, kept_outlook, refresh
from assent.services.guard.health import health
from assent.services.guard.permit import target_of
from assent.store.records import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()


@pages.get("/console/erasing", WORKS)
def erasing(visit: Visit) -> Response:
    """Show what is overdue and due soon, by rule and the oldest first, the last rounds and sweeps."""
    store = visit.world.store
    outlook = kept_outlook(store)
    sweeps = store.sweeps(visit.paging(visit.world.settings.list_page))
    return shown(
        visit,
        "erasing.html",
        "/console/erasing",
        outlook=outlook,
        age=None if outlook is None else visit.now - outlook.at,
        health=health(store, visit.now),
        rounds=store.rounds(Page(10)).items,
        sweeps=sweeps,
        found=[(sweep, target_of(sweep.plan)) for sweep in sweeps.items],
        waiting=store.open_obligations(),
        **_refreshing(visit),
    )


@pages.get("/console/sweeps/{sweep}", WORKS)
def sweep(visit: Visit) -> Response:
    """Show one sweep with the erasures it made and what is left of them."""
    store, named = visit.world.store, visit.path["sweep"]
    found = store.sweep(int(named)) if named.isascii() and named.isdecimal() and len(named) < 12 else None
    if found is None:
        raise NotFound("there is no such sweep", "look at the list")
    stones = store.tombstones(visit.paging(visit.world.settings.list_page), sweep=found.id)
    erasures = [store.erasure(number) for number in dict.fromkeys(stone.erasure for stone in stones.items)]
    return shown(
        visit,
        "sweep.html",
        "/console/erasing",
        sweep=found,
        target=target_of(found.plan),
        stones=stones,
        erasures=[(one, store.obligations(one.id)) for one in erasures if one is not None],
    )


@pages.get("/console/forecast", WORKS)
def forecast(visit: Visit) -> Response:
    """Show when everything ends, by the rule that ends it, as a chart with its table."""
    outlook = kept_outlook(visit.world.store)
    return shown(
        visit,
        "forecast.html",
        "/console/forecast",
        outlook=outlook,
        age=None if outlook is None else visit.now - outlook.at,
        **_refreshing(visit),
    )


@pages.get("/console/forecast.svg", WORKS)
def forecast_picture(visit: Visit) -> Response:
    """Draw the forecast that is kept."""
    outlook = kept_outlook(visit.world.store)
    if outlook is None:
        raise NotFound("nothing was worked out yet", "press the button on the page of the forecast")
    return picture(svg(outlook.forecast))


@pages.post("/console/forecast", WORKERS)
def compute(visit: Visit) -> Response:
    """Work the outlook out again, beside the requests."""
    world, now = visit.world, visit.now
    columns, versions = world.new_columns(), [policy for policy, _ in world.policies]
    done = work(visit, NAME, lambda: refresh(world.store, columns, versions, now, lead=world.lead))
    back = "/console/erasing" if visit.form.get("back") == "erasing" else "/console/forecast"
    return visit.redirect(back, done=done)


@pages.get("/console/conversations/{conversation:path}", READING)
def explain(visit: Visit) -> Response:
    """Say what happens to a conversation and why: no title, no content, and not whose it is."""
    versions = [policy for policy, _ in visit.world.policies]
    found = explain_conversation(visit.world.store, versions, visit.path["conversation"], visit.now)
    cuts = visit.world.store.cuts_with(found.entry.id)
    return shown(visit, "conversation.html", "/console/erasing", found=found, cuts=cuts)


def _refreshing(visit: Visit) -> dict[str, Any]:
    background = visit.world.background
    return {
        "computes": may(visit, WORKERS),
        "under_way": background.under_way(NAME),
        "problem": background.problem(NAME),
    }
