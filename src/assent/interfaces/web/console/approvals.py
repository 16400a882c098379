"""What takes two people: what waits, who asked, and the word of the second one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound, Refused
from assent.interfaces.web.console.frame import OFFICER, WORKERS, WORKS, may, shown
from assent.interfaces.web.pages import Pages
from assent.services.approve import approve, ask
from assent.services.hold.release import approve_release
from assent.store.records import APPROVAL_ACTS, Page

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.store.port import Approvals
    from assent.store.records import Approval, ApprovalAct

pages: Final = Pages()

ASKED_HERE: Final[tuple[ApprovalAct, ...]] = ("exceed", "loosen", "clock", "undelete")
"""What is asked for by its target; a release is asked for at its hold."""


def waiting(store: Approvals, now: datetime) -> list[Approval]:
    """List what somebody asked for and nobody has approved yet."""
    found = store.approvals(Page(200)).items
    return [one for one in found if one.approved_at is None and now < one.valid_until]


def state_of(one: Approval, now: datetime) -> str:
    """Say how far a request is."""
    if one.used_at is not None:
        return "carried out"
    if now >= one.valid_until:
        return "too old"
    return "waiting" if one.approved_at is None else "approved"


@pages.get("/console/approvals", WORKS)
def listed(visit: Visit) -> Response:
    """List requests, the newest first."""
    listing = visit.world.store.approvals(visit.paging(visit.world.settings.list_page))
    found = [(one, state_of(one, visit.now), _may_approve(visit, one)) for one in listing.items]
    return shown(
        visit,
        "approvals.html",
        "/console/approvals",
        found=found,
        listing=listing,
        acts=ASKED_HERE,
        asks=may(visit, WORKERS),
    )


@pages.get("/console/approvals/{approval}", WORKS)
def one(visit: Visit) -> Response:
    """Show one request, and to a second person the way to approve it."""
    found = _known(visit)
    state = state_of(found, visit.now)
    return shown(visit, "approval.html", "/console/approvals", found=found, state=state, may=_may_approve(visit, found))


@pages.post("/console/approvals", WORKERS)
def request(visit: Visit) -> Response:
    """Ask for an act."""
    act, target = visit.form.get("act", ""), visit.form.get("target", "").strip()
    if act not in ASKED_HERE or not target:
        raise Refused("that cannot be asked for here", f"name a target and one of {', '.join(ASKED_HERE)}")
    made = ask_for(visit, act, target)
    return visit.redirect(f"/console/approvals/{made.id}", done="asked")


@pages.post("/console/approvals/{approval}", WORKERS)
def give(visit: Visit) -> Response:
    """Approve, as somebody else than asked; a release is done at once."""
    found, world = _known(visit), visit.world
    if found.act == "release":
        if not may(visit, OFFICER):
            raise Refused("the release of a hold is approved by an officer", "ask one")
        approve_release(world.store, world.journal, found.id, by=visit.name, now=visit.now)
        return visit.redirect(f"/console/approvals/{found.id}", done="released")
    approve(world.store, found.id, by=visit.name, now=visit.now)
    return visit.redirect(f"/console/approvals/{found.id}", done="approved")


def ask_for(visit: Visit, act: ApprovalAct, target: str) -> Approval:
    """Ask for an act on a target in the name of whoever is signed in."""
    world = visit.world
    return ask(
        world.store,
        id=world.new_id(),
        act=act,
        target=target,
        by=visit.name,
        reason=visit.form.get("reason", ""),
        now=visit.now,
        valid=timedelta(days=world.settings.approval_valid_days),
    )


def _known(visit: Visit) -> Approval:
    found = visit.world.store.approval(visit.path["approval"])
    if found is None or found.act not in APPROVAL_ACTS:
        raise NotFound("there is no such request", "look at the list")
    return found


def _may_approve(visit: Visit, one: Approval) -> bool:
    """Tell whether the page offers it; the store refuses whoever asked, however their name is written."""
    allowed = may(visit, OFFICER if one.act == "release" else WORKERS)
    return allowed and state_of(one, visit.now) == "waiting" and one.asked_by.casefold() != visit.name.casefold()
