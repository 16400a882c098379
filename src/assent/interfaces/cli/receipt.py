"""`assent receipt`: write the receipt of a choice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assent.ledger.terms import Terms
    from assent.services.ledger.append import Appended
    from assent.wiring import Wiring


@click.command()
@click.argument("choice_id")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "html", "kantara"]),
    default="json",
    show_default=True,
    help="The receipt itself, a page to read and print, or the older Kantara 1.1 form (given consent only).",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file. Default: print it.")
@click.pass_obj
def command(wiring: Wiring, choice_id: str, form: str, out: Path | None) -> int:
    """Write the receipt of a choice, with a proof of today.

    Give the file to the person. Anybody can check it with `assent verify receipt` or `assent-verify`.

    Exit status: 0 written, 2 there is no receipt for this choice, 3 no such choice, 4 not under a checkpoint yet.

    \b
    Examples:
      assent receipt 7f0c2f1e-6c1d-4c5e-9b53-1d2f3a4b5c6d --out receipt.json
      assent receipt 7f0c2f1e-6c1d-4c5e-9b53-1d2f3a4b5c6d --format html --out receipt.html
    """
    from assent.services.ledger.prove import prove
    from assent.services.receipts.shown import shown_terms

    proven = prove(wiring.store, wiring.log, choice_id)
    text = _written(proven, shown_terms(wiring.store, proven.choice), form)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
    return 0


def _written(proven: Appended, terms: Terms, form: str) -> str:
    from assent.ledger.receipt import encode_receipt
    from assent.services.receipts.issue import html, kantara_of, receipt_of

    if form == "html":
        return html(proven, terms)
    if form == "kantara":
        return json.dumps(kantara_of(proven, terms), ensure_ascii=False, indent=2) + "\n"
    return encode_receipt(receipt_of(proven, terms)).decode()
