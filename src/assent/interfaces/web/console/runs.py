"""Training runs: on what they started, what the gate found, what they made, and what has become of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from assent.domain.errors import NotFound
from assent.interfaces.web.console.frame import WORKS, shown
from assent.interfaces.web.pages import Pages

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()


@pages.get("/console/runs", WORKS)
def listed(visit: Visit) -> Response:
    """List runs, the newest first, with what they made."""
    store = visit.world.store
    listing = store.runs(visit.paging(visit.world.settings.list_page))
    found = [(run, store.weights_of(run.id)) for run in listing.items]
    return shown(visit, "runs.html", "/console/runs", found=found, listing=listing)


@pages.get("/console/runs/{run}", WORKS)
def one(visit: Visit) -> Response:
    """Show one run: its cut, its gate, its people in number, its weights, its leaves of the ledger."""
    store = visit.world.store
    run = store.run(visit.path["run"])
    if run is None:
        raise NotFound("there is no such run", "look at the list")
    weights = store.weights_of(run.id)
    return shown(
        visit,
        "run.html",
        "/console/runs",
        run=run,
        gate=json.loads(run.gate),
        weights=weights,
        built_on=[] if weights is None else store.runs_from(weights.digest),
        leaves=store.run_leaves(run.id),
        left_out=sum(1 for _ in store.left_out(run.id)),
    )
