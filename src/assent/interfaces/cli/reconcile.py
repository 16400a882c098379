"""`assent reconcile`: compute everything again, another way, and look where nothing should be."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_json, echo_line, show_problem

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--mend", is_flag=True, help="Destroy keys that no row and no open erasure names.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, *, mend: bool, as_json: bool) -> int:
    """Decide everything that is kept anew, without the index, and compare rows, bytes, keys, journal and backups.

    Finds what is overdue, what no sweep would find, evaluators that disagree, rows without bytes
    or keys, bytes and keys without rows, erasures that hang or do not follow each other, copies
    that nobody acknowledged, keys past their end in backups, and the markers of tracers (`assent
    tracer`). Reads everything that is kept: run it weekly, when nothing else is in a hurry.

    Exit status: 0 clean, 2 something was found.

    \b
    Examples:
      assent reconcile
      assent reconcile --json
    """
    from assent.domain.errors import AssentError
    from assent.services.reconcile.run import mend as mend_keys
    from assent.services.reconcile.run import reconcile

    world = wiring.reconcile_world
    destroyed = mend_keys(world) if mend else 0
    done = reconcile(world, lambda name: echo_line(f"checking {name}", err=True))
    if as_json:
        findings = [{**asdict(one), "named": list(one.named)} for one in done.findings]
        echo_json({"clean": done.clean, "findings": findings, "unseen": list(done.unseen), "destroyed": destroyed})
        return 0 if done.clean else 2
    if destroyed:
        echo_line(f"{destroyed:,} keys that nothing named are destroyed")
    for one in done.findings:
        named = f" ({', '.join(one.named)})" if one.named else ""
        show_problem(AssentError(f"{one.says}{named}", one.fix))
    for place in done.unseen:
        echo_line(f"not looked at, because it cannot be reached from here: {place}")
    echo_line("clean: nothing was found" if done.clean else f"{len(done.findings)} findings")
    return 0 if done.clean else 2
