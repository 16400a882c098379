"""`assent cut watch`: look at every cut again and again, and tell other systems what may not be used any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import LENGTH

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--every", type=LENGTH, help="Look again and again, such as PT1M. Default: once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a cut.")
@click.pass_obj
def watch(wiring: Wiring, /, *, every: timedelta | None, as_json: bool) -> int:
    """Decide every row of every cut anew, and leave an event `assent.cut.stale` where some may not be used.

    `assent serve` and `assent webhook deliver` send it. A consumer that would rather ask reads /v1/cuts of the API,
    or runs `assent cut show`. Stop it with Ctrl-C.

    Exit status: 0 every row of every cut may be used; 2 some may not.

    \b
    Examples:
      assent cut watch
      assent cut watch --every PT1M --json
    """
    from assent.policy.versions import by_date
    from assent.services.cut.watch import watch as look

    while True:
        found = look(wiring.store, wiring.columns, by_date(wiring.policies), wiring.now())
        for one in found:
            if as_json:
                said = {"rows": one.found.rows, "erased": one.found.erased, "stale": dict(one.found.stale)}
                at = format_instant(one.found.at)
                echo_json({"name": one.cut.name, "number": one.cut.number, "at": at, **said})
            elif not one.found.fresh:
                reasons = ", ".join(f"{rows:,} {reason}" for reason, rows in one.found.stale.items())
                click.echo(f"cut {one.cut.name} number {one.cut.number} is stale: {reasons}")
        if every is None:
            return 0 if all(one.found.fresh for one in found) else 2
        wiring.wait(every)
