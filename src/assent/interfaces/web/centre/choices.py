"""The timeline of a person's answers, and the receipt of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from assent.domain.errors import Invalid, NotFound
from assent.interfaces.web.audience import PERSON
from assent.interfaces.web.centre.frame import show
from assent.interfaces.web.pages import Pages
from assent.ledger.receipt import encode_receipt
from assent.services.choose.standing import source_of
from assent.services.ledger.prove import prove
from assent.services.receipts.issue import html, receipt_of
from assent.services.receipts.shown import shown_terms

if TYPE_CHECKING:
    from assent.interfaces.web.visit import Visit

pages = Pages()

ON_A_PAGE: Final = 25

_RECEIPT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The receipt is one file to keep, with its style inside, and runs nothing."""


@pages.get("/me/choices", PERSON)
def timeline(visit: Visit) -> Response:
    """Show every act of the person, the newest first."""
    store = visit.world.store
    listing = store.newest_choices(visit.subject, visit.paging(ON_A_PAGE))
    kept = {one.notice for one in listing.items if one.notice and store.rendering(one.notice) is not None}
    return show(
        visit,
        "choices",
        "choices",
        listing=listing,
        kept=kept,
        source_of=source_of,
        logged=lambda choice: store.logged(choice.id) is not None,
    )


@pages.get("/me/choices/receipt", PERSON)
def receipt(visit: Visit) -> Response:
    """Give the receipt of an act of the person, as a page or as data, or the bare proof that it is in the ledger."""
    store, name = visit.world.store, visit.query.get("id", "")
    choice = store.choice(name)
    if choice is None or choice.subject != visit.subject:
        raise NotFound("there is no such answer of yours", "look at the list of your answers")
    proven = prove(store, visit.world.log, name)
    form = visit.query.get("form", "html")
    if form == "proof":
        return _file(proven.proof.encode(), "text/plain; charset=utf-8", "answer.tlog-proof")
    terms = shown_terms(store, proven.choice)
    if form == "json":
        return _file(encode_receipt(receipt_of(proven, terms)), "application/ld+json", "receipt.json")
    if form != "html":
        raise Invalid("a receipt has no such form", "choose `html`, `json` or `proof`")
    return Response(html(proven, terms), 200, {"Content-Security-Policy": _RECEIPT_POLICY}, "text/html; charset=utf-8")


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, kind)
