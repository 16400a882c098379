"""`assent sweep`: carry out a plan."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress
from assent.services.sweep import find_plan, require_clean, sweep_plan

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--plan", "named", required=True, help="Digest of the plan, or its first 8 or more digits.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, named: str, as_json: bool) -> int:
    """Erase what a plan names and is still due; each part leaves a tombstone without content.

    Every part is decided again: what was held, flagged or used meanwhile stays. Stopping the
    sweep anywhere is safe: run it again.

    Exit status: 0 done, 2 the plan is too old or the policies changed, 3 no such plan.

    \b
    Example:
      assent sweep --plan 3f9c0d2a71be
    """
    plan = find_plan(wiring.store, named)
    with progress("erasing", sum(plan.counts.values())) as advance:
        report = sweep_plan(
            wiring.store,
            wiring.policies,
            plan,
            now=wiring.now(),
            valid=timedelta(hours=wiring.settings.plan_valid_hours),
            batch_rows=min(wiring.settings.batch_rows, 5_000),
            on_rows=advance,
        )
    if as_json:
        echo_json(asdict(report))
    else:
        click.echo(
            f"sweep {report.sweep}: {report.erased:,} parts erased, {report.kept:,} kept because they are no longer due"
            + (f", {report.gone:,} gone before" if report.gone else "")
        )
    require_clean(report)
    return 0
