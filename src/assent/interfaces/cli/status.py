"""`assent status`: count what the store holds, and say whether erasing goes on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.guard.health import Health, health, measure, without_rounds
from assent.services.guard.promise import lead_of

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, as_json: bool) -> int:
    """Count what the store holds, name the policies in force, and say whether erasing goes on.

    Exit status: 0 well, 2 something is overdue or late, a guard stopped the sweep, or the daemon gives no sign of life.

    \b
    Example:
      assent status --json
    """
    counts = asdict(wiring.store.counts())
    policies = [{"policy": policy.name, "digest": policy.digest} for policy in wiring.policies]
    found = _health(wiring)
    if as_json:
        sweeping = {
            "last_round": found.last and format_instant(found.last.ended_at),
            "well": found.well,
            "problems": list(found.problems),
        }
        by_source = dict(counts["by_source"])
        echo_json({**counts, "by_source": by_source, "policies_in_force": policies, "sweeping": sweeping})
        return 0 if found.well else 2
    for name, value in counts.items():
        if name != "by_source":
            echo_line(f"{name.replace('_', ' '):20} {value:>12,}")
    for source, number in counts["by_source"].items():
        echo_line(f"  {source:18} {number:>12,}")
    for policy in policies:
        echo_line(f"policy {policy['policy']}  {policy['digest']}")
    if found.last is not None:
        echo_line(f"last round of sweeping: {format_instant(found.last.ended_at)}, {found.last.stage}")
    for problem in found.problems:
        echo_line(f"not well: {problem}", err=True)
    return 0 if found.well else 2


def _health(wiring: Wiring) -> Health:
    """Judge by the last round; where there never was one, count what is there."""
    found = health(wiring.store, wiring.now())
    if found.last is not None:
        return found
    now, lag = wiring.now(), timedelta(days=wiring.settings.sweep_lag_days)
    lead = lead_of(wiring.settings)
    return without_rounds(measure(wiring.store, wiring.columns, wiring.policies, now, lead=lead, lag=lag), now)
