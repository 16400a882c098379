"""What a person asked for, by when it is to be answered, and the deletion of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from assent.domain.errors import Invalid
from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import show, window_of
from assent.interfaces.web.pages import Pages
from assent.services.centre.asking import PERSON as OWN
from assent.services.centre.asking import WISHES, Clock, Wish, ask_for, own_requests, standing_deletion, take_back
from assent.services.rights.exercise import FINAL
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import RightsRequest

pages = Pages()

ON_A_PAGE: Final = 20

_KINDS: Final = {"access:categories": "access", "access:specific": "access", "training:opt-out": "objection"}
_KNOWN: Final = (*WISHES, "appeal")
_OFFERED: Final = tuple(wish for wish in WISHES if wish != "deletion")


@pages.get("/me/requests", PERSON)
def requests(visit: Visit) -> Response:
    """Show requests with their clock, and a form for a new one."""
    listing = own_requests(visit.world.store, visit.subject, visit.paging(ON_A_PAGE), visit.now)
    return show(
        visit,
        "requests",
        "requests",
        listing=listing,
        kind_of=_kind,
        ended=FINAL,
        own_agent=OWN,
        wishes=_OFFERED,
        now=visit.now,
        window=window_of(visit),
    )


@pages.post("/me/requests/open", PERSON)
def open_request(visit: Visit) -> Response:
    """Take a request that a person of the staff answers."""
    wish = visit.form.get("wish", "")
    if wish not in _OFFERED:
        raise Invalid("nothing was chosen to ask for", "choose one of the kinds of request")
    text = visit.form.get("text", "").strip()
    ask_for(visit.world.store, visit.subject, cast("Wish", wish), _clock(visit), text=text, key=visit.world.new_key())
    return visit.redirect("/me/requests", said="requests.said.sent")


@pages.post("/me/requests/take-back", PERSON)
def take_request_back(visit: Visit) -> Response:
    """Take a request back; with the deletion of everything, what was deleted by it comes back."""
    take_back(visit.world.store, visit.subject, visit.form.get("request", ""), _clock(visit), window=window_of(visit))
    return visit.redirect("/me/requests", said="requests.said.taken_back")


@pages.get("/me/delete-everything", PERSON)
def everything(visit: Visit) -> Response:
    """Say what deleting everything does, and ask for one word."""
    store = visit.world.store
    asked = standing_deletion(store, visit.subject)
    mine = ConversationFilter(subject=visit.subject, deleted=False)
    until = (asked.received_at if asked else visit.now) + window_of(visit)
    return show(
        visit,
        "delete_all",
        "home",
        asked=asked,
        open_still=visit.now < until,
        total=store.conversations(mine, Page(1)).total,
        until=until,
    )


@pages.post("/me/delete-everything", PERSON)
def delete_everything(visit: Visit) -> Response:
    """Delete every conversation of the person, if the word was typed."""
    word = str(visit.words.text("delete.all_word"))
    if visit.form.get("word", "").strip().casefold() != word.casefold():
        return visit.redirect("/me/delete-everything", said="delete.said.wrong")
    ask_for(visit.world.store, visit.subject, "deletion", _clock(visit), key=visit.world.new_key())
    return visit.redirect("/me/delete-everything", said="delete.said.all")


def _clock(visit: Visit) -> Clock:
    return Clock(visit.now, visit.world.settings.rights_days)


def _kind(request: RightsRequest) -> str:
    kind = _KINDS.get(request.exercise, request.exercise)
    return kind if kind in _KNOWN else "other"
