"""What was erased, with the proof of each erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from assent.domain.errors import Incomplete, NotFound
from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import show
from assent.interfaces.web.pages import Pages
from assent.services.centre.erased import erased_conversation, erased_of
from assent.services.erase.prove import prove

if TYPE_CHECKING:
    from assent.interfaces.web.visit import Visit

pages = Pages()

PARTS_ON_A_PAGE: Final = 100


@pages.get("/me/erased", PERSON)
def erased(visit: Visit) -> Response:
    """Show what was erased of the person, by name and date."""
    listing, t = erased_of(visit.world.store, visit.subject, visit.paging(PARTS_ON_A_PAGE)), visit.words.text
    return show(visit, "gone", "erased", title=t("erased.title"), lead=t("erased.lead"), listing=listing)


@pages.get("/me/erased/proof", PERSON)
def proof(visit: Visit) -> Response:
    """Give the proof that an erasure took a conversation of the person (spec/erasure.md)."""
    store, name, number = visit.world.store, visit.query.get("id", ""), visit.query.get("erasure", "")
    gone = erased_conversation(store, visit.subject, name)
    if number not in {str(one.erasure) for one in gone}:
        raise NotFound("there is no such erasure of this conversation", "look at the list of what was erased")
    erasure = store.erasure(int(number))
    if erasure is None:
        raise NotFound("there is no such erasure of this conversation", "look at the list of what was erased")
    try:
        proven = prove(store, visit.world.erasing(), visit.world.log, erasure, name)
    except Incomplete:
        return visit.redirect("/me/erased", said="erased.said.pending")
    headers = {"Content-Disposition": f'attachment; filename="erasure-{erasure.id}.json"'}
    return Response(proven.proof.encode() + b"\n", 200, headers, "application/json")
