"""`assent status`: count what the store holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_json

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, as_json: bool) -> int:
    """Count what the store holds, and name the policies in force.

    \b
    Example:
      assent status --json
    """
    counts = asdict(wiring.store.counts())
    policies = [{"policy": policy.name, "digest": policy.digest} for policy in wiring.policies]
    if as_json:
        echo_json({**counts, "by_source": dict(counts["by_source"]), "policies_in_force": policies})
        return 0
    for name, value in counts.items():
        if name != "by_source":
            click.echo(f"{name.replace('_', ' '):20} {value:>12,}")
    for source, number in counts["by_source"].items():
        click.echo(f"  {source:18} {number:>12,}")
    for policy in policies:
        click.echo(f"policy {policy['policy']}  {policy['digest']}")
    return 0
