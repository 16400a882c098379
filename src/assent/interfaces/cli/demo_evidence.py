"""What `assent demo` leaves for others to check: the funnel, the published log, a receipt, the pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import assent_verify
from assent.domain.errors import AssentError, Refused
from assent.interfaces.charts.funnel import steps_of, svg
from assent.interfaces.cli.options import read_notice
from assent.ledger.note import parse_verifier
from assent.ledger.receipt import encode_receipt
from assent.ledger.verify import verify_receipt
from assent.policy.parse import parse_document
from assent.services.campaign.acts import course_of
from assent.services.campaign.funnel import funnel
from assent.services.demo.asking import ID, NOTICE, PURPOSE
from assent.services.ledger.audit import audit_copy
from assent.services.ledger.prove import prove
from assent.services.ledger.publish import publish
from assent.services.notice.changes import changes_html
from assent.services.notice.pages import pages
from assent.services.notice.parse import parse_manifest
from assent.services.receipts.copy import open_copy
from assent.services.receipts.issue import html, receipt_of
from assent.services.receipts.shown import shown_terms

if TYPE_CHECKING:
    from assent.services.demo.calendar import Showing
    from assent.wiring import Wiring


def show_funnel(here: Wiring, out: Path) -> None:
    """Print and draw what asking came to."""
    made = funnel(here.store, course_of(here.store, ID), PURPOSE, here.now())
    (out / "funnel.svg").write_text(svg(made), "utf-8")
    click.echo("\n== What asking came to")
    for step, people in steps_of(made):
        click.echo(f"  {step:26} {people:>6,}")
    for alarm in made.alarms:
        click.echo(f"  alarm: {alarm.says}")
    if not made.alarms:
        click.echo("  no layout and no kind of device leans")


def publish_ledger(here: Wiring, out: Path) -> str:
    """Write the log as files for any web server, check the copy, and return the log's public key."""
    target = here.tile_store(str(out / "ledger"))
    made = publish(here.store, here.log, target, others=here.note_no_choices)
    trusted = here.log.signers[0].verifier
    audit = audit_copy(target, trusted.name, trusted, lambda _leaves: None)
    if audit.faults:
        raise AssentError(f"the published log is not whole: {audit.faults[0].message}", "report this")
    (out / "log-key.txt").write_text(trusted.vkey + "\n", "utf-8")
    click.echo("\n== The ledger")
    click.echo(f"{made.size:,} acts, receipts of erasures and cuts, each a leaf of the log {trusted.name}")
    click.echo(
        f"published in {1 + made.tiles + made.bundles} files; the copy was recomputed from its leaves and is whole"
    )
    return trusted.vkey


def write_receipt(here: Wiring, out: Path, showing: Showing, vkey: str) -> None:
    """Write one person's receipt, and have it checked by assent, by the single file, and after a forgery."""
    folder = out / "receipts"
    folder.mkdir()
    choice = next(one for one in here.store.choices(showing.subject) if one.at == showing.at)
    proven = prove(here.store, here.log, choice.id)
    terms = shown_terms(here.store, choice)
    data = encode_receipt(receipt_of(proven, terms))
    (folder / "receipt.json").write_bytes(data)
    (folder / "receipt.html").write_text(html(proven, terms), "utf-8")
    program = shutil.copy(assent_verify.__file__, folder / "assent_verify.py")
    click.echo(f"\n== The receipt of {showing.subject}, on a {showing.client}")
    click.echo(f"{showing.did} on {showing.at.day} {showing.at:%B}, leaf {proven.number} of the log")
    found = verify_receipt(data, [parse_verifier(vkey)], log=open_copy(out / "ledger"))
    click.echo("assent verify receipt: valid. It proves:")
    for sentence in found.proven:
        click.echo(f"  - {sentence}")
    command = [sys.executable, program, folder / "receipt.json", "--key", vkey, "--log", out / "ledger"]
    alone = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 - our own file
    if alone.returncode:
        raise AssentError("the verifier in one file does not take the receipt", f"report this: {alone.stderr.strip()}")
    click.echo("assent_verify.py, one file that shares no code with it: valid")
    try:
        verify_receipt(data.replace(b"2025-09", b"2025-08", 1), [parse_verifier(vkey)])
    except Refused as problem:
        click.echo(f"the same receipt with another date in it: invalid, {problem.message}")


def write_pages(here: Wiring, out: Path) -> None:
    """Write what the provider publishes, all of it from one policy and one notice."""
    folder = out / "pages"
    folder.mkdir()
    manifest = parse_manifest(read_notice(NOTICE, here.notice_library()), NOTICE)
    old, new = (parse_document(text, policy.name) for policy, text in here.policy_texts)
    texts = {**pages(manifest, new), "changes.html": changes_html(old, new)}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    click.echo(f"\n== {len(texts)} pages, all from one policy (digest {here.policies[-1].digest[7:19]})")
    click.echo("policy, question and settings help in " + ", ".join(manifest.locales) + ", the changes in plain words")
