"""Holds: what must not be erased, placed by one person at once, released by two."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid, NotFound
from assent.domain.instants import parse_instant
from assent.interfaces.web.console.approvals import state_of
from assent.interfaces.web.console.frame import OFFICE, OFFICER, may, shown
from assent.interfaces.web.pages import Pages
from assent.services.hold.conditions import query_of
from assent.services.hold.place import place
from assent.services.hold.release import approve_release, ask_release
from assent.store.records import HOLD_SCOPES, Hold, Page

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.records import Approval, HoldScope

pages: Final = Pages()

LISTS: Final = ("project", "source", "surface", "mode", "plan", "region")
INSTANTS: Final = ("created_from", "created_to", "last_turn_from", "last_turn_to")
"""The conditions of a query: lists by commas, and days."""

REVIEW: Final = timedelta(days=90)


@pages.get("/console/holds", OFFICE)
def listed(visit: Visit) -> Response:
    """List holds, the standing ones first, and the matters that they serve."""
    store, matter = visit.world.store, visit.query.get("matter", "")
    found = [hold for hold in store.holds() if not matter or hold.matter == matter]
    found.sort(key=lambda hold: (hold.released_at is not None, hold.review_at))
    return shown(
        visit,
        "holds.html",
        "/console/holds",
        found=found,
        matters=list(store.matters()),
        matter=matter,
        scopes=HOLD_SCOPES,
        may_place=may(visit, OFFICER),
    )


@pages.get("/console/holds/new/{scope}", OFFICER)
def new(visit: Visit) -> Response:
    """Show the form of a hold."""
    scope = _scope(visit.path["scope"])
    return shown(visit, "hold_new.html", "/console/holds", scope=scope, lists=LISTS, instants=INSTANTS)


@pages.post("/console/holds/new/{scope}", OFFICER)
def put(visit: Visit) -> Response:
    """Place a hold in the name of whoever is signed in."""
    scope, form, world = _scope(visit.path["scope"]), visit.form, visit.world
    review = form.get("review_at", "")
    hold = Hold(
        world.new_id(),
        form.get("matter", "").strip(),
        scope,
        _target(visit, scope),
        visit.now,
        visit.name,
        form.get("reason", "").strip(),
        parse_instant(f"{review}T00:00:00Z") if review else visit.now + REVIEW,
        gag=form.get("gag") == "yes",
    )
    place(world.store, world.journal, hold)
    return visit.redirect(f"/console/holds/{hold.id}", done="placed")


@pages.get("/console/holds/{hold}", OFFICE)
def one(visit: Visit) -> Response:
    """Show a hold, what it covers now, and how far its release is."""
    found, request = _known(visit), None
    listing = visit.world.store.approvals(Page(1), act="release", target=found.id)
    if listing.items:
        request = listing.items[0]
    state = state_of(request, visit.now) if request is not None else ""
    officer, stands = may(visit, OFFICER), found.released_at is None
    same = request is not None and request.asked_by.casefold() == visit.name.casefold()
    return shown(
        visit,
        "hold.html",
        "/console/holds",
        hold=found,
        covered=visit.world.store.coverage(found.id),
        request=request,
        state=state,
        may_ask=officer and stands and state in ("", "too old"),
        may_approve=officer and stands and state == "waiting" and not same,
        waits_for_other=stands and state == "waiting" and same,
    )


@pages.post("/console/holds/{hold}/ask", OFFICER)
def ask(visit: Visit) -> Response:
    """Ask for the release of a hold."""
    world, found = visit.world, _known(visit)
    days = world.settings.approval_valid_days
    ask_release(
        world.store,
        request=world.new_id(),
        hold=found.id,
        by=visit.name,
        reason=visit.form.get("reason", ""),
        now=visit.now,
        valid=timedelta(days=days),
    )
    return visit.redirect(f"/console/holds/{found.id}", done="asked")


@pages.post("/console/holds/{hold}/release", OFFICER)
def release(visit: Visit) -> Response:
    """Release a hold, as somebody else than asked."""
    world, found = visit.world, _known(visit)
    request = _asked(visit, found)
    approve_release(world.store, world.journal, request.id, by=visit.name, now=visit.now)
    return visit.redirect(f"/console/holds/{found.id}", done="released")


@pages.post("/console/matters/{matter:path}/close", OFFICER)
def close(visit: Visit) -> Response:
    """Close a matter none of whose holds stands."""
    visit.world.store.close_matter(visit.path["matter"], visit.now)
    return visit.redirect("/console/holds", done="closed")


def _asked(visit: Visit, hold: Hold) -> Approval:
    listing = visit.world.store.approvals(Page(1), act="release", target=hold.id)
    if not listing.items:
        raise NotFound("nobody asked for the release of this hold", "ask first, and let somebody else release it")
    return listing.items[0]


def _scope(text: str) -> HoldScope:
    if text not in HOLD_SCOPES:
        raise NotFound("there is no such scope of a hold", f"use one of {', '.join(HOLD_SCOPES)}")
    return text


def _target(visit: Visit, scope: HoldScope) -> str | None:
    if scope == "everyone":
        return None
    if scope != "query":
        target = visit.form.get("target", "").strip()
        if not target:
            raise Invalid("the hold names nobody", "fill in whom or what it covers")
        return target
    lists = {name: tuple(_split(visit.form.get(name, ""))) for name in LISTS}
    instants = {name: _day(visit.form.get(name, "")) for name in INSTANTS}
    said = {**lists, **instants, "flagged": visit.form.get("flagged") == "yes"}
    return query_of(said, [policy for policy, _ in visit.world.policies]).text()


def _split(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def _day(text: str) -> datetime | None:
    return parse_instant(f"{text}T00:00:00Z") if text else None


def _known(visit: Visit) -> Hold:
    found = visit.world.store.hold(visit.path["hold"])
    if found is None:
        raise NotFound("there is no such hold", "look at the list")
    return found
