"""Connected systems: which there are, what each has not removed yet, and what it said last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError
from assent.interfaces.web.console.frame import WORKS, shown
from assent.interfaces.web.pages import Pages
from assent.services.connect.ids import formats_of
from assent.services.connect.standing import opened, owed, standing, standings

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()

SHOWN: Final = 50
"""Erasures of a system that are shown, the oldest first."""


@pages.get("/console/connectors", WORKS)
def listed(visit: Visit) -> Response:
    """List connected systems with what a look found last; none of them is asked for this page."""
    found = standings(visit.world.connectors, visit.world.store)
    return shown(visit, "connectors.html", "/console/connectors", found=found)


@pages.get("/console/connectors/{system}", WORKS)
def one(visit: Visit) -> Response:
    """Show one system: what it reaches, and each erasure that it has not finished."""
    world = visit.world
    found = standing(world.connectors, visit.path["system"], world.store)
    try:
        connector, product = opened(world.connectors, found.name)
        reach, formats, plans = product.reach, formats_of(connector, product), connector.shared.plans
    except AssentError:  # its problem is told
        reach, formats, plans = "", (), {}
    return shown(
        visit,
        "connector.html",
        "/console/connectors",
        found=found,
        reach=reach,
        formats=formats,
        plans=plans,
        owed=[(one, world.store.erasure(one.erasure)) for one in owed(world.store, found.name, SHOWN, now=visit.now)],
    )
