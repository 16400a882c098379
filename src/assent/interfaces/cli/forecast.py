"""`assent forecast`: draw what will be due when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.chart import bars
from assent.interfaces.cli.options import INSTANT
from assent.services.forecast import Step, forecast

if TYPE_CHECKING:
    from datetime import datetime

    from assent.wiring import Wiring


@click.command()
@click.option("--by", "step", type=click.Choice(["day", "week", "month", "year"]), default="month", show_default=True)
@click.option("--steps", type=click.IntRange(1, 400), default=18, show_default=True, help="How many steps to draw.")
@click.option("--svg", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Also write a picture here.")
@click.option("--at", type=INSTANT, help="Look ahead from here, ISO 8601 with zone. Default: now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, step: str, steps: int, picture: Path | None, at: datetime | None, *, as_json: bool) -> int:
    """Draw how many parts are to be erased when, by the rule that ends them, if nothing changes.

    Those are the days from which a sweep may take them, some days before their end (see `assent plan`).

    \b
    Examples:
      assent forecast
      assent forecast --by week --steps 12
      assent forecast --by year --steps 6 --svg forecast.svg
    """
    instant = at or wiring.now()
    by, lead = cast("Step", step), wiring.lead
    ahead = forecast(wiring.store, wiring.columns, wiring.policies, instant, by, steps, lead=lead)
    if picture is not None:
        from assent.interfaces.charts.forecast import svg

        picture.write_text(svg(ahead), encoding="utf-8")
    if as_json:
        buckets = [{"start": format_instant(b.start), "parts": b.parts} for b in ahead.buckets]
        rest = {"later": ahead.later, "held": ahead.held, "without_end": ahead.endless}
        echo_json({"at": format_instant(instant), "step": step, "buckets": buckets, **rest})
    else:
        click.echo(bars(ahead))
        if picture is not None:
            click.echo(f"wrote {picture}")
    return 0
