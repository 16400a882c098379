"""People: what is known of one, for an officer who says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from assent.domain.errors import NotFound
from assent.interfaces.web.console.frame import OFFICE, shown
from assent.interfaces.web.pages import Pages
from assent.services.choose.standing import acts_of, standings
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()


@pages.get("/console/people", OFFICE)
def look_up(visit: Visit) -> Response:
    """Ask for whom to look up; the page behind it asks why."""
    if subject := visit.query.get("subject", "").strip():
        return visit.redirect(f"/console/people/{quote(subject, safe='')}")
    return shown(visit, "people.html", "/console/people")


@pages.get("/console/people/{subject:path}", OFFICE, sensitive="subject")
def one(visit: Visit) -> Response:
    """Show a person's standings, choices, counts, holds and requests; no title and no content."""
    store, subject = visit.world.store, visit.path["subject"]
    versions = [policy for policy, _ in visit.world.policies]
    account, acts = store.account(subject), acts_of(store, subject)
    conversations = store.conversations(ConversationFilter(subject=subject), visit.paging(50))
    stones = store.tombstones(Page(1), subject=subject).total
    if account is None and not acts and not conversations.total and not stones:
        raise NotFound("nobody of that name is known here", "check the id that the product uses")
    return shown(
        visit,
        "person.html",
        "/console/people",
        subject=subject,
        account=account,
        standings=standings(store, versions, subject, visit.now),
        acts=acts,
        conversations=conversations,
        deleted=store.conversations(ConversationFilter(subject=subject, deleted=True), Page(1)).total,
        flags=store.flags(Page(1), subject=subject).total,
        stones=stones,
        holds=_holds(visit, subject),
        cuts=store.cuts_with_person(subject),
        requests=store.requests(Page(20), subject=subject).items,
    )


def _holds(visit: Visit, subject: str) -> list[tuple[str, str, bool]]:
    """List the standing holds on a person as (id, scope, gag): those told to them, and their own under a gag."""
    store = visit.world.store
    known = {one.hold.id: one.hold for one in store.holds_on(subject)}
    named = {hold.id: hold for hold in store.holds() if hold.target == subject or hold.scope == "everyone"}
    found = [hold for hold in (known | named).values() if hold.released_at is None]
    return [(hold.id, hold.scope, hold.gag) for hold in sorted(found, key=lambda hold: hold.start)]
