"""The ledger's health: how long it is, how old its checkpoint, who witnessed it, what the last audit said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from assent.interfaces.web.console.frame import OFFICE, WORKERS, WORKS, may, shown, work
from assent.interfaces.web.pages import Pages
from assent.services.figures.said import keep_said, kept_said
from assent.services.ledger.audit import audit_store
from assent.services.ledger.prove import prove
from assent.services.ledger.seal import keys_ever

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit

pages: Final = Pages()

_AUDIT: Final = "audit of the ledger"


@pages.get("/console/ledger", WORKS)
def ledger(visit: Visit) -> Response:
    """Show the state of the ledger."""
    store, background = visit.world.store, visit.world.background
    head = store.head()
    return shown(
        visit,
        "ledger.html",
        "/console/ledger",
        head=head,
        staged=store.staged(),
        cosignatures=store.cosignatures(head.size) if head is not None else [],
        cosigned=store.cosigned(1),
        keys=keys_ever(store) if head is not None else [],
        told=kept_said(store, _AUDIT),
        under_way=background.under_way(_AUDIT),
        problem=background.problem(_AUDIT),
        works=may(visit, WORKERS),
    )


@pages.post("/console/ledger/audit", WORKERS)
def audit(visit: Visit) -> Response:
    """Recompute every leaf, every tile and the root."""
    world, now = visit.world, visit.now

    def do() -> None:
        found = audit_store(world.store, world.log)
        faults = [f"{fault.place}: {fault.message}" for fault in found.faults]
        told: dict[str, Any] = {"size": found.size, "waiting": found.waiting, "erased": found.erased, "faults": faults}
        keep_said(world.store, _AUDIT, told, now)

    return visit.redirect("/console/ledger", done=work(visit, _AUDIT, do))


@pages.get("/console/receipts", OFFICE)
def look_up(visit: Visit) -> Response:
    """Find a choice by its id, as a receipt names it: it names nobody."""
    if choice := visit.query.get("choice", "").strip():
        return visit.redirect(f"/console/receipts/{quote(choice, safe='')}")
    return shown(visit, "receipts.html", "/console/ledger")


@pages.get("/console/receipts/{choice:path}", OFFICE)
def receipt(visit: Visit) -> Response:
    """Show what the ledger holds of a choice, with its proof of today; the person stands under a pseudonym."""
    appended = prove(visit.world.store, visit.world.log, visit.path["choice"])
    return shown(visit, "receipt.html", "/console/ledger", found=appended, record=appended.record.decode())
