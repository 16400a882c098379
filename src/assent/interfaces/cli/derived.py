"""`assent derived`: where copies are that every erasure waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.services.erase.derived.connector import ANSWERS, acknowledge
from assent.services.erase.registry import add as add_store
from assent.services.erase.registry import retire as retire_store

if TYPE_CHECKING:
    from assent.domain.copies import CopyState
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Say where copies of content are, and record what they answer to an erasure.

    Every home has three derived stores that answer for themselves: `database`, `segments` and `cuts`. Another system
    (a search index, a warehouse, the product itself) is told of each erasure by an event to the webhooks, and answers
    with `assent derived ack`; one that is connected (`assent connect`) is asked itself. An erasure has no receipt
    before each has answered.

    \b
    Examples:
      assent derived add search-index
      assent derived ack 12 --store search-index --state removed --note "index job 4711"
      assent derived list
    """


@command.command()
@click.argument("name")
@click.pass_obj
def add(wiring: Wiring, name: str) -> int:
    """Register another system under NAME: every erasure from now on waits for its answer.

    Exit status: 0 registered, 1 no such name is possible, 2 the name is taken.

    \b
    Example:
      assent derived add search-index
    """
    add_store(wiring.store, name, now=wiring.now())
    echo_line(f"every erasure from now on waits for {name}")
    if not any(one.disabled_at is None for one in wiring.store.endpoints()):
        echo_line(f"nobody listens yet: `assent webhook add URL` tells {name} what to erase")
    return 0


@command.command()
@click.argument("name")
@click.pass_obj
def retire(wiring: Wiring, name: str) -> int:
    """Ask NAME no more; what it owes already stays owed.

    Exit status: 0 retired, 2 every home has it, 3 no such derived store.

    \b
    Example:
      assent derived retire search-index
    """
    retire_store(wiring.store, name, now=wiring.now())
    echo_line(f"{name} is not asked from now on")
    return 0


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_(wiring: Wiring, as_json: bool) -> int:
    """List derived stores, what each reaches, and for how many erasures it has not removed its copies yet.

    Exit status: 0.

    \b
    Example:
      assent derived list --json
    """
    served = wiring.erasure_world.derived
    owed = wiring.store.open_obligations()
    for one in wiring.store.derived_stores():
        reach = served[one.name].reach if one.name in served else ""
        left = owed.get(one.name, 0)
        if as_json:
            retired = one.retired_at and format_instant(one.retired_at)
            echo_json({"name": one.name, "kind": one.kind, "reach": reach, "not_removed": left, "retired_at": retired})
        else:
            echo_line(f"{one.name:<20} {left:>6,} not removed   {'retired; ' if one.retired_at else ''}{reach}")
    return 0


@command.command()
@click.argument("erasure", type=int)
@click.option("--store", "name", required=True, help="The derived store that answers.")
@click.option("--state", type=click.Choice(ANSWERS), required=True, help="What became of its copies.")
@click.option("--note", default="", help="For whoever reads the proof; no content, no subject ids.")
@click.pass_obj
def ack(wiring: Wiring, erasure: int, name: str, state: str, note: str) -> int:
    """Record what another system answers to ERASURE. `removed` is final; `assent sweep --redo` writes the receipt.

    Exit status: 0 recorded, 2 it answers for itself, 3 no such derived store, or it owes nothing there.

    \b
    Example:
      assent derived ack 12 --store search-index --state removed --note "index job 4711"
    """
    answers = wiring.connectors.names()
    acknowledge(wiring.store, erasure, name, cast("CopyState", state), note=note, now=wiring.now(), connected=answers)
    echo_line(f"erasure {erasure}: {name} says {state}")
    return 0
