"""Requests with their clock: what agents and people asked for, and how many days are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound, Refused
from assent.interfaces.api.rights import desk_of
from assent.interfaces.web.console.frame import OFFICE, OFFICER, may, shown
from assent.interfaces.web.pages import Pages
from assent.services.centre.asking import APPEAL
from assent.services.rights.exercise import FINAL, REASONS
from assent.store.records import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.port import Rights
    from assent.store.records import RightsRequest

pages: Final = Pages()


def open_requests(store: Rights) -> list[RightsRequest]:
    """List up to 500 requests that wait for an end, the nearest clock first."""
    found = [one for status in ("open", "in_progress") for one in store.requests(Page(250), status=status).items]
    return sorted(found, key=lambda one: one.expected_by)


@pages.get("/console/requests", OFFICE)
def listed(visit: Visit) -> Response:
    """List what waits, the nearest clock first, and below it what ended."""
    store = visit.world.store
    waiting = [(one, (one.expected_by - visit.now).days) for one in open_requests(store)]
    listing = store.requests(visit.paging(visit.world.settings.list_page))
    ended = [one for one in listing.items if one.status in FINAL]
    return shown(visit, "requests.html", "/console/requests", waiting=waiting, ended=ended, listing=listing)


@pages.get("/console/requests/{request}", OFFICE, sensitive="request")
def one(visit: Visit) -> Response:
    """Show one request with what was claimed about the person."""
    found = _known(visit)
    return shown(
        visit,
        "request.html",
        "/console/requests",
        found=found,
        days=(found.expected_by - visit.now).days,
        reasons=REASONS,
        may_end=may(visit, OFFICER) and found.status not in FINAL and found.exercise != APPEAL,
    )


@pages.post("/console/requests/{request}/fulfil", OFFICER)
def fulfil(visit: Visit) -> Response:
    """Carry a request out for the person who was found, or close one that was dealt with elsewhere."""
    found, form = _to_end(visit), visit.form
    subject, details = form.get("subject", "").strip() or None, form.get("details", "").strip() or None
    desk_of(visit.world).fulfil(found.id, subject=subject, details=details)
    return visit.redirect("/console/requests", done="fulfilled")


@pages.post("/console/requests/{request}/deny", OFFICER)
def deny(visit: Visit) -> Response:
    """Close a request without doing what it asks."""
    found, form = _to_end(visit), visit.form
    details = form.get("details", "").strip() or None
    desk_of(visit.world).deny(found.id, form.get("reason", ""), details=details)
    return visit.redirect("/console/requests", done="denied")


def _known(visit: Visit) -> RightsRequest:
    found = visit.world.store.request(visit.path["request"])
    if found is None:
        raise NotFound("there is no such request", "look at the list")
    return found


def _to_end(visit: Visit) -> RightsRequest:
    found = _known(visit)
    if found.exercise == APPEAL:
        raise Refused("an appeal is decided by somebody who took no part before", "decide it with its flag")
    return found
