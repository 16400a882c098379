"""Why somebody looks: a sensitive page asks before it shows, and what was said is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from starlette._utils import get_route_path

from assent.domain.errors import Invalid
from assent.interfaces.web.audience import Audience
from assent.interfaces.web.pages import Pages
from assent.store.records import Look

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.pages import Entry
    from assent.interfaces.web.visit import Visit

HOLDS_FOR: Final = timedelta(minutes=30)
"""How long one reason is enough for one page about one person."""

_LONGEST: Final = 500
_SHORTEST: Final = 3


pages = Pages()


@pages.post("/console/reason", Audience("staff"))
def give_reason(visit: Visit) -> Response:
    """Write a reason down, and go on to what it is for."""
    page, about, back = (visit.form.get(name, "")[:_LONGEST] for name in ("page", "about", "back"))
    write_down(visit, page, about, visit.form.get("because", ""))
    return visit.redirect(back)


def asked_first(visit: Visit, entry: Entry) -> Response | None:
    """Return the page that asks for a reason; None where none is needed, or one was given a short while ago.

    The look is written down before anything is shown.
    """
    if not entry.sensitive:
        return None
    about = visit.path[entry.sensitive]
    last = visit.world.store.last_look(visit.name, entry.path, about)
    began = visit.session.began_at if visit.session else visit.now
    if last is not None and last.at >= max(began, visit.now - HOLDS_FOR):
        return None
    return visit.page("reason.html", 200, page=entry.path, about=about, back=get_route_path(visit.request.scope))


def write_down(visit: Visit, page: str, about: str, reason: str) -> None:
    """Write down that somebody is about to look. Raises `Invalid` without a reason."""
    told = " ".join(reason.split())[:_LONGEST]
    if len(told) < _SHORTEST:
        raise Invalid("a look at this needs a reason", "say why, without quoting content")
    visit.world.store.log_look(Look(visit.now, visit.name, visit.role, page, about, told))
