"""`assent tracer`: made-up conversations whose end can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Plant conversations that nobody said, and see whether they are gone where they should be.

    A tracer is deleted by its made-up person at once and erased by the sweep like any other
    conversation. `assent reconcile` reads it while it is here, and looks for its markers in every
    file it can reach, before and after.

    \b
    Examples:
      assent tracer plant --plan pro
      assent tracer list
    """


@command.command()
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 1_000), help="How many.")
@click.option("--plan", required=True, help="The plan of their made-up people, as your policy calls it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a tracer.")
@click.pass_obj
def plant(wiring: Wiring, *, count: int, plan: str, as_json: bool) -> int:
    """Take in made-up conversations whose people ask at once that they be deleted.

    Nobody chose anything for them, so they enter no training set. Plant one a day, and every day's
    erasures have a witness.

    Exit status: 0 planted, 2 no policy here names the plan.

    \b
    Example:
      assent tracer plant --count 3 --plan pro
    """
    from assent.policy.plans import check_plan
    from assent.services.reconcile.tracers import plant as plant_them
    from assent.store.records import Tracer

    check_plan(plan, wiring.policies)
    now = wiring.now()
    tracers = [Tracer(f"tracer:{wiring.new_id()}", wiring.new_key(), now) for _ in range(count)]
    plant_them(wiring.store, tracers, plan=plan, now=now)
    for one in tracers:
        echo_json({"tracer": one.conversation}) if as_json else click.echo(one.conversation)
    return 0


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(wiring: Wiring, *, as_json: bool) -> int:
    """Say of every tracer whether it is here, erased, or lost: gone without a tombstone.

    Exit status: 0 none is lost, 2 one is.

    \b
    Example:
      assent tracer list
    """
    from assent.services.reconcile.tracers import look

    seen = look(wiring.store)
    for one in seen:
        planted = format_instant(one.tracer.planted_at)
        if as_json:
            echo_json({"tracer": one.tracer.conversation, "planted": planted, "state": one.state})
        else:
            echo_line(f"{one.tracer.conversation}  planted {planted}  {one.state}")
    return 2 if any(one.state == "lost" for one in seen) else 0
