"""`assent decide`: facts in, decisions out, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import INSTANT, POLICY
from assent.services.decide import LineProblem, by_reference, decide_lines

if TYPE_CHECKING:
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.wiring import Wiring


@click.command()
@click.option("--policy", "policies", type=POLICY, multiple=True, required=True, help="Policy file, or a name.")
@click.option("--at", type=INSTANT, help="Instant of the decision, ISO 8601 with zone. Default: now.")
@click.option("--engine", type=click.Choice(["reference", "set"]), default="reference", show_default=True)
@click.argument("facts", type=click.File("rb"), default="-")
@click.pass_obj
def command(wiring: Wiring, policies: tuple[Policy, ...], at: datetime | None, engine: str, facts: click.File) -> int:
    """Decide FACTS (NDJSON, one part a line; default standard input) and write one decision a line, in order.

    Several --policy options give the stricter answer. A bad line is named on standard error
    and the others are still decided. Both engines give the same answers; `set` is made for
    millions of lines.

    Exit status: 0 all decided, 4 some lines were bad.

    \b
    Example:
      echo '{"part":"p1","plan":"pro","age":30,"mode":"normal","data":"text","origin":"person",
             "created_at":"2025-10-10T12:00:00Z","last_turn_at":"2025-10-10T12:00:00Z",
             "choices":[{"purpose":"training","act":"allow","at":"2025-10-09T00:00:00Z"}]}' | tr -d '\\n' |
        assent decide --policy anthropic/2025-10-08 --at 2025-11-01T00:00:00Z
    """
    evaluate = wiring.new_columns().decide if engine == "set" else by_reference
    bad = 0
    for answer in decide_lines(facts, policies, at or wiring.now(), evaluate, batch_rows=5_000):  # type: ignore[arg-type]
        if isinstance(answer, LineProblem):
            bad += 1
            click.echo(f"assent: line {answer.line}: {answer.message}\n  {answer.fix}", err=True)
        else:
            echo_json(answer.to_record())
    return 4 if bad else 0
