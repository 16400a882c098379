"""The page of a receipt: what a person reads, prints and keeps. No script, no font, nothing from anywhere else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import segno
from jinja2 import Environment, StrictUndefined, Template

from assent.domain.durations import parse_duration
from assent.ledger.checkpoint import parse_checkpoint
from assent.ledger.dpv import status_of
from assent.ledger.note import split_note
from assent.ledger.receipt import VERSION, Receipt, write_receipt
from assent.ledger.terms import INDEFINITE

if TYPE_CHECKING:
    from datetime import datetime

_ACTS: Final = {
    "allow": "You allowed it.",
    "decline": "You did not allow it.",
    "defer": "You asked to decide later. Nothing was allowed.",
    "withdraw": "You took your permission back.",
}
_SURFACES: Final = {"html": "on a web page", "fragment": "on a web page", "terminal": "in a terminal"}
_SCOPES: Final = {
    "everything": "everything you write in this service",
    "project": "one project",
    "conversation": "one conversation",
}


def page_of(receipt: Receipt) -> str:
    """Write the page. Raises `Refused` if the receipt's terms are not those of its record."""
    evidence = write_receipt(receipt)["evidence"]
    checkpoint = parse_checkpoint(split_note(receipt.proof.checkpoint)[0])
    return _template().render(
        record=receipt.record,
        terms=receipt.terms,
        evidence=evidence,
        answer=_ACTS[receipt.record.act],
        asker=" and ".join(party.name for party in receipt.terms.controllers),
        surface=_SURFACES.get(receipt.record.surface, f"on {receipt.record.surface}"),
        status=status_of(receipt.record),
        scope=_SCOPES[receipt.record.scope],
        when=_when(receipt.record.at),
        kept=_kept(receipt.terms.storage_duration),
        origin=checkpoint.origin,
        size=checkpoint.size,
        number=receipt.proof.index,
        code=segno.make(qr_text(receipt), micro=False, error="m").svg_inline(scale=3, border=4, title="QR code"),
    )


def qr_text(receipt: Receipt) -> str:
    """Say what the QR code holds: four lines that find the choice in the log and tie this page to it.

    No address, so that scanning it tells nobody; no salt, so that a photograph of it proves nothing.
    """
    origin = parse_checkpoint(split_note(receipt.proof.checkpoint)[0]).origin
    return f"{VERSION}\n{origin}\n{receipt.proof.index}\n{receipt.record.digest}"


@cache
def _template() -> Template:
    source = files("assent.services.receipts").joinpath("page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )


def _when(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def _kept(duration: str) -> str:
    return "without an end" if duration == INDEFINITE else parse_duration(duration).words()
