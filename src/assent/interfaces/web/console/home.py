"""What needs somebody now: a number each, with a way to it. Nothing overdue is the normal case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assent.interfaces.web.console.approvals import waiting
from assent.interfaces.web.console.campaigns import alarms_kept
from assent.interfaces.web.console.frame import NAVIGATION, READING, shown
from assent.interfaces.web.console.requests import open_requests
from assent.interfaces.web.pages import Pages
from assent.services.figures.outlook import SOON, kept_outlook
from assent.services.guard.health import health
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.services.figures.outlook import Outlook
    from assent.store.records import Round

pages: Final = Pages()

_CHECKPOINT_OLD_H: Final = 24


class Tile(NamedTuple):
    """One number that somebody may have to act on. `state`: `good`, `warn` or `bad`, said in words too (`word`)."""

    title: str
    number: str
    path: str
    state: str
    word: str
    says: str


@pages.get("/console", READING)
def home(visit: Visit) -> Response:
    """Show what is overdue, due, stopped, waiting, stale."""
    open_to = {place.path for place in NAVIGATION if visit.role in place.audience.roles}
    tiles = [tile for tile in _tiles(visit) if tile.path in open_to]
    found = health(visit.world.store, visit.now)
    incident = [problem for problem in found.problems if "overdue" in problem]
    return shown(
        visit,
        "home.html",
        "/console",
        tiles=tiles,
        incident=incident,
        problems=[problem for problem in found.problems if problem not in incident],
        last=found.last,
        # counting everything takes long in a large store: what was counted last has to do here
        outlook=kept_outlook(visit.world.store),
    )


def _tiles(visit: Visit) -> Iterator[Tile]:
    store, now = visit.world.store, visit.now
    last, outlook = store.last_round(), kept_outlook(store)
    yield _overdue(visit, last, outlook)
    if outlook is not None:
        told = f"must be gone within {SOON.days} days, as of {visit.words.instant(outlook.at)}"
        yield _tile("Due soon", outlook.soon.parts, "/console/erasing", told, warn=False)
    stopped = last is not None and last.stage == "stopped"
    why = f"by {last.stopped_by}" if last is not None and stopped else "no guard stands in the way"
    yield _tile("Sweeps stopped", int(stopped), "/console/plans", why)
    yield _tile("Waiting for a second person", len(waiting(store, now)), "/console/approvals", "asked, not approved")
    near = [one for one in open_requests(store) if (one.expected_by - now).days < SOON.days]
    yield _tile("Requests near their clock", len(near), "/console/requests", f"{SOON.days} days or less are left")
    yield _tile("Flags to review", store.candidates(Page(1)).total, "/console/flags", "nobody settled them yet")
    stale = [cut for cut in outlook.cuts if cut.stale] if outlook is not None else []
    yield _tile("Stale cuts", len(stale), "/console/cuts", "hold rows that may not be used any more")
    yield _tile("Campaign alarms", len(alarms_kept(store)), "/console/campaigns", "an answer leans to one side")
    yield _checkpoint(visit, now)


def _overdue(visit: Visit, last: Round | None, outlook: Outlook | None) -> Tile:
    known = [(last.ended_at, last.overdue)] if last is not None else []
    known += [(outlook.at, outlook.overdue.parts)] if outlook is not None else []
    if not known:
        return Tile("Overdue", "?", "/console/erasing", "warn", "not known", "nothing was counted yet")
    at, parts = max(known)
    word = "an incident" if parts else "as it must be"
    return Tile(
        "Overdue",
        visit.words.number(parts),
        "/console/erasing",
        "bad" if parts else "good",
        word,
        f"past their end and here, counted {visit.words.instant(at)}",
    )


def _tile(title: str, number: int, path: str, says: str, *, warn: bool = True) -> Tile:
    state = "warn" if number and warn else "good" if not number else ""
    word = {"warn": "look at it", "good": "nothing to do"}.get(state, "for your information")
    return Tile(title, f"{number:,}", path, state, word, says)


def _checkpoint(visit: Visit, now: datetime) -> Tile:
    head = visit.world.store.head()
    if head is None:
        return Tile("Checkpoint", "none", "/console/ledger", "warn", "look at it", "the ledger was never signed")
    hours = int((now - head.signed_at).total_seconds() // 3600)
    waits = visit.world.store.staged() - head.size
    fresh = hours < _CHECKPOINT_OLD_H or not waits
    says = f"{waits:,} leaves wait for one" if waits else f"covers all {head.size:,} leaves"
    state, word = ("good", "nothing to do") if fresh else ("warn", "look at it")
    return Tile("Age of the checkpoint", f"{hours:,} h", "/console/ledger", state, word, says)
