"""`assent canary`: made-up conversations that no cut may hold."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import NotFound
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.services.canary.check import Looked
    from assent.store.records import Choice
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Plant conversations of made-up people whose data may never be used, and look for them in a cut.

    Each canary has a reason to stay out: its person declined, withdrew, never answered or deleted it, its time is over,
    it is held, was said in private mode, or belongs to a business plan. A cut that holds one has a hole.

    \b
    Examples:
      assent canary plant --plan pro --region DE
      assent canary check cuts/spring-1
    """


@command.command()
@click.option("--plan", required=True, help="A plan of private people, as your policy calls it.")
@click.option("--region", help="Where they are (ISO 3166-1), if your policy asks for it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def plant(wiring: Wiring, *, plan: str, region: str | None, as_json: bool) -> int:
    """Take in one made-up conversation for every reason that your policies know. None can be used at any moment.

    They are kept and erased like any other, so plant anew before each cut. They count as people and conversations
    in `assent status`, the one under a hold as a hold of the matter `canaries`; the one whose time is over is due at
    once and goes with the next sweep.

    \b
    Example:
      assent canary plant --plan pro --region DE
    """
    from assent.policy.regions import check_region, regions_of
    from assent.services.canary.marks import kind_of
    from assent.services.canary.plant import KINDS, Garden, Seed, Ways
    from assent.services.canary.plant import plant as plant_them
    from assent.services.hold.place import place

    now, store = wiring.now(), wiring.store
    where = None if region is None else check_region(region, regions_of(wiring.policies))
    garden = Garden(wiring.policies, plan=plan, region=where, now=now)
    seeds = {kind: Seed(wiring.new_id(), wiring.new_key()) for kind in KINDS}
    ways = Ways(_enter(wiring), lambda hold: place(store, wiring.journal, hold))
    planted = plant_them(store, garden, seeds, ways, now=now)
    if as_json:
        found = [{"canary": one.conversation, "kind": kind_of(one)} for one in planted.canaries]
        echo_json({"planted": found, "left_out": list(planted.left_out)})
        return 0
    for one in planted.canaries:
        click.echo(f"{kind_of(one):<12}{one.conversation}")
    for kind in planted.left_out:
        click.echo(f"{kind:<12}left out: under your policies such data may be used, or there is no such plan")
    return 0


def _enter(wiring: Wiring) -> Callable[[Sequence[Choice]], object]:
    """Take acts as those of people are taken: into the ledger, where there is one."""
    try:
        wiring.log  # noqa: B018 - raises where there is no key
    except NotFound:
        return partial(_add, wiring)
    return wiring.appending()


def _add(wiring: Wiring, choices: Sequence[Choice]) -> None:
    for choice in choices:
        wiring.store.add_choice(choice)


@command.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check(wiring: Wiring, *, folder: Path, as_json: bool) -> int:
    """Look for every canary in every file of the cut in DIR: by its name, its marker and its sentences.

    Exit status: 0 none is in it, 2 one is, 3 there is no cut, 4 no canary stood when the cut was taken.

    \b
    Example:
      assent canary check cuts/spring-1
    """
    from assent.services.canary.check import look_for_canaries

    looked = look_for_canaries(folder, wiring.store, wiring.policies)
    if as_json:
        leaks = [leak._asdict() for leak in looked.leaks]
        said = {"cut": looked.cut, "number": looked.number, "standing": dict(looked.standing)}
        echo_json(said | {"void": list(looked.void), "files": looked.files, "leaks": leaks})
    else:
        _say(looked)
    return looked.exit_code


def _say(looked: Looked) -> None:
    for leak in looked.leaks:
        click.echo(f"assent: `{leak.canary}` is in `{leak.file}`, by its {leak.how}", err=True)
    if looked.leaks:
        click.echo("  do not use this cut, and find out how it got in: assent explain", err=True)
    for name in looked.void:
        click.echo(f"{name} may be used by now, so it shows nothing", err=True)
    kinds = ", ".join(sorted(looked.standing))
    if not looked.standing:
        click.echo("no canary stood when this cut was taken: plant some before the next one", err=True)
    elif not looked.leaks:
        whole = f"none of {looked.standing.total():,} canaries is in any of {looked.files:,} files"
        click.echo(f"{whole} of cut {looked.cut} number {looked.number}: {kinds}")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a canary.")
@click.pass_obj
def list_(wiring: Wiring, *, as_json: bool) -> int:
    """List every canary that was planted, oldest first, and whether it is still here.

    \b
    Example:
      assent canary list
    """
    from assent.services.canary.marks import kind_of
    from assent.services.canary.plant import canaries

    for one in canaries(wiring.store):
        here = wiring.store.conversation(one.conversation) is not None
        planted = format_instant(one.planted_at)
        if as_json:
            echo_json({"canary": one.conversation, "kind": kind_of(one), "planted": planted, "here": here})
        else:
            click.echo(f"{kind_of(one):<12}{one.conversation}  planted {planted}  {'here' if here else 'erased'}")
    return 0
