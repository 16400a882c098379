"""Flags on a person's conversations, and the way to have one looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import show
from assent.interfaces.web.pages import Pages
from assent.services.centre.asking import Clock, appeals_of
from assent.services.flag.appeal import appeal
from assent.services.rights.exercise import FINAL

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages = Pages()

ON_A_PAGE: Final = 20


@pages.get("/me/flags", PERSON)
def flags(visit: Visit) -> Response:
    """Show what was found in conversations of the person, who found it, and what became of an appeal."""
    store = visit.world.store
    listing = store.flags(visit.paging(ON_A_PAGE), subject=visit.subject)
    kept = store.conversations_of({flag.conversation for flag in listing.items})
    titles = {name: stored.entry.title for name, stored in kept.items()}
    return show(
        visit, "flags", "flags", listing=listing, titles=titles, appeals=appeals_of(store, visit.subject), ended=FINAL
    )


@pages.post("/me/flags/appeal", PERSON)
def appeal_flag(visit: Visit) -> Response:
    """Record an appeal with its clock."""
    world = visit.world
    clock = Clock(visit.now, world.settings.rights_days)
    text, flag = visit.form.get("text", "").strip(), visit.form.get("flag", "")
    appeal(world.store, visit.subject, flag, text, clock, key=world.new_key())
    return visit.redirect("/me/flags", said="flags.said.appealed")
