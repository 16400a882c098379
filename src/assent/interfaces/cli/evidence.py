"""`assent evidence`: write the archive that an auditor verifies offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import assent_verify
from assent import __version__
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.private import write_for_owner
from assent.services.connect.vendors import folders
from assent.services.evidence.export import EvidenceWorld, write_evidence

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, out: Path, as_json: bool) -> int:
    """Write evidence about this home into FILE: one zip that an auditor verifies without a home.

    It holds the ledger with its keys, policies, notices and every text shown, campaigns, cuts, receipts and tombstones
    of erasures, approvals, holds, sweeps, and who looked at what. It holds no content, and people stand under the
    pseudonyms of their receipts. An existing file is replaced when the new one is whole.

    Exit status: 0 written, 3 the ledger has no checkpoint yet.

    \b
    Examples:
      assent evidence evidence.zip
      assent verify evidence evidence.zip --key VKEY
    """
    new = out.with_name(f".{out.name}.new")
    kept = folders(wiring.connectors, wiring.settings.home)
    world = EvidenceWorld(wiring.store, wiring.log, __version__, Path(assent_verify.__file__).read_bytes(), kept)
    with write_for_owner(new) as stream:
        counts = write_evidence(world, stream, now=wiring.now(), done=_say)
    new.replace(out)
    if as_json:
        echo_json({"file": str(out), "members": counts})
    else:
        echo_line(f"evidence: {out}")
    return 0


def _say(what: str) -> None:
    echo_line(f"  {what}", err=True)
