"""Issue the receipt of a choice that is in the ledger: as JSON-LD, as a page, and in the older Kantara form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.domain.errors import Refused
from assent.ledger.kantara import kantara
from assent.ledger.proof import parse_proof
from assent.ledger.receipt import Receipt, write_receipt
from assent.ledger.record import parse_record
from assent.services.receipts.page import page_of

if TYPE_CHECKING:
    from assent.ledger.terms import Terms
    from assent.services.ledger.append import Appended


def receipt_of(appended: Appended, terms: Terms) -> dict[str, Any]:
    """Write the receipt of a choice as one JSON-LD document (spec/receipt.md).

    `terms` are those of the notice that was shown. Raises `Refused` where the choice was recorded
    without terms, or with others: a receipt must not say what the person was not shown.
    """
    return write_receipt(_receipt(appended, terms))


def html(appended: Appended, terms: Terms) -> str:
    """Write the receipt as a page that a person can read and print. Raises `Refused` as `receipt_of` does."""
    return page_of(_receipt(appended, terms))


def kantara_of(appended: Appended, terms: Terms) -> dict[str, Any]:
    """Write the choice in the Kantara 1.1 form. Raises `Refused` also for any act but `allow`."""
    receipt = _receipt(appended, terms)
    return kantara(receipt.record, receipt.terms)


def _receipt(appended: Appended, terms: Terms) -> Receipt:
    record = parse_record(appended.record)
    if record.terms != terms.digest:
        reason = "other terms" if record.terms else "no terms"
        raise Refused(
            f"choice `{record.id}` was recorded with {reason}, so there is no receipt for it",
            "its ledger proof still shows when what was chosen",
        )
    return Receipt(record, appended.salt, terms, parse_proof(appended.proof))
