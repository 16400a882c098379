"""Staff and looks: who may come in, which programs may call, and who looked at something sensitive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.interfaces.web.console.frame import OFFICE, shown
from assent.interfaces.web.pages import Pages
from assent.store.records import Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()


@pages.get("/console/staff", OFFICE)
def staff(visit: Visit) -> Response:
    """List staff with their open sessions, tokens, and the newest looks and readings."""
    store, now = visit.world.store, visit.now
    members = [
        (one, sum(s.kind == "staff" and s.ends_at > now for s in store.sessions_of(one.name))) for one in store.staff()
    ]
    return shown(
        visit,
        "staff.html",
        "/console/staff",
        members=members,
        tokens=list(store.tokens()),
        looks=store.looks(Page(20)),
        accesses=store.accesses(Page(20)),
    )


@pages.get("/console/looks", OFFICE)
def looks(visit: Visit) -> Response:
    """List every look at something sensitive, the newest first."""
    by = visit.query.get("by", "").strip()
    listing = visit.world.store.looks(visit.paging(visit.world.settings.list_page), by=by or None)
    return shown(visit, "looks.html", "/console/staff", listing=listing, by=by)
