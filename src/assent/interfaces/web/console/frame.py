"""What all pages of the console share: who may open which, the navigation, pictures, and messages after an act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import Response

from assent.interfaces.web.audience import staff
from assent.services.figures.radius import RadiusWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.interfaces.web.audience import Audience
    from assent.interfaces.web.visit import Visit

READING: Final = staff("officer", "engineer", "safety", "auditor")
OFFICE: Final = staff("officer", "auditor")
OFFICER: Final = staff("officer")
WORKS: Final = staff("officer", "engineer", "auditor")
WORKERS: Final = staff("officer", "engineer")
SAFETY: Final = staff("safety", "auditor")
REVIEWER: Final = staff("safety")
"""Each task and who has it: an auditor reads everything but content, and sends no form."""

PICTURE: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
"""The policy of a picture: it has styles of its own, and nothing else."""

WAIT_S: Final = 2.0
"""How long a form waits for what it began before it shows that it is under way."""


class Place(NamedTuple):
    """One line of the navigation."""

    title: str
    path: str
    audience: Audience


NAVIGATION: Final = (
    Place("Now", "/console", READING),
    Place("Campaigns", "/console/campaigns", OFFICE),
    Place("Policy", "/console/policy", WORKS),
    Place("Plans", "/console/plans", WORKS),
    Place("Approvals", "/console/approvals", WORKS),
    Place("Erasing", "/console/erasing", WORKS),
    Place("Systems", "/console/connectors", WORKS),
    Place("Forecast", "/console/forecast", WORKS),
    Place("Holds", "/console/holds", OFFICE),
    Place("Requests", "/console/requests", OFFICE),
    Place("People", "/console/people", OFFICE),
    Place("Flags", "/console/flags", SAFETY),
    Place("Cuts", "/console/cuts", WORKS),
    Place("Runs", "/console/runs", WORKS),
    Place("Ledger", "/console/ledger", WORKS),
    Place("Staff and looks", "/console/staff", OFFICE),
    Place("Evidence", "/console/evidence", OFFICE),
)

DONE: Final = {
    "asked": "Asked. Somebody else has to approve it.",
    "approved": "Approved.",
    "released": "The hold is released. What it kept is due at the next sweep that guards allow: make a plan.",
    "placed": "The hold stands. No sweep erases what it covers.",
    "closed": "Closed.",
    "linted": "Linted without errors.",
    "scheduled": "Scheduled.",
    "unscheduled": "No longer scheduled.",
    "started": "The campaign is live.",
    "amended": "Amended, and signed with the key of the ledger.",
    "reviewed": "Upheld. The review is written down.",
    "second": "Written down. The category is severe: somebody else must look too, and agree.",
    "decided": "The appeal is decided, and the person is told.",
    "reversed": "Reversed. The clock for content that is not flagged applies again.",
    "fulfilled": "Carried out.",
    "denied": "Denied.",
    "began": "Under way. Reload this page to see what came of it.",
    "ready": "Worked out.",
}
"""What a page says after an act, by the word that the address carries."""


def shown(visit: Visit, name: str, here: str, /, status: int = 200, **values: Any) -> Response:
    """Draw a page of the console with its navigation; `here` is the path of its line."""
    places = [place for place in NAVIGATION if visit.role in place.audience.roles]
    done = DONE.get(visit.query.get("done", ""), "")
    return visit.page(f"console/{name}", status, places=places, here=here, done=done, **values)


def picture(svg: str) -> Response:
    """Answer with a picture that stands alone."""
    return Response(svg, 200, PICTURE, "image/svg+xml; charset=utf-8")


def may(visit: Visit, audience: Audience) -> bool:
    """Tell whether whoever came may do what this audience may."""
    return visit.role in audience.roles


def work(visit: Visit, name: str, do: Callable[[], object]) -> str:
    """Begin something that may take long; returns what to say: that it is ready, or under way."""
    background = visit.world.background
    background.begin(name, do)
    return "ready" if background.wait(name, WAIT_S) else "began"


def radius_world(visit: Visit) -> RadiusWorld:
    """Return what weighing a plan needs, with a session of the set evaluator of its own."""
    world = visit.world
    return RadiusWorld(world.store, world.new_columns(), world.policies, world.settings, world.lead)
