"""`assent cut`: write training sets of what may be used, look after them, and end them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli import cut_audit, cut_views, cut_watch
from assent.interfaces.cli.app import echo_json, echo_line, show_problem
from assent.interfaces.cli.options import INSTANT, read_text_file
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from assent.pipeline.recipe import Recipe
    from assent.services.cut.order import CutOrder
    from assent.services.cut.take import NothingEligible, Taken
    from assent.wiring import Wiring

PLAIN: Final = "none"
STANDARD: Final = "standard"


@click.group()
def command() -> None:
    """Write training sets that hold only what may be in them, look after them, and end them.

    \b
    Examples:
      assent cut create spring --purpose training --out cuts/spring-1
      assent cut show spring
      assent cut refresh spring --out cuts/spring-2
      assent cut verify cuts/spring-2
      assent cut retire spring 1
    """


def _engine(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of whoever writes a cut."""
    folder = click.Path(path_type=Path)
    for option in (
        click.option("--out", "directory", type=folder, metavar="DIR", required=True, help="New or empty folder."),
        click.option("--at", type=INSTANT, help="Instant that counts, ISO 8601 with zone. Default: now."),
        click.option("--keep-excluded", is_flag=True, help="Also list what was left out, by name and reason."),
        click.option(
            "--engine",
            type=click.Choice(("local", "pool", "ray")),
            default="local",
            show_default=True,
            help="Where blocks work: in this process, in processes of this machine, on a Ray cluster.",
        ),
        click.option("--workers", type=click.IntRange(1, 1_024), default=2, show_default=True, help="How many."),
        click.option("--address", default="", metavar="HOST:PORT", help="Ray cluster; none starts one of its own."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ):
        function = option(function)
    return function


@command.command()
@click.argument("name")
@click.option("--purpose", required=True, help="What it is for, as the policy names it (training, safety, ...).")
@click.option(
    "--recipe",
    default=STANDARD,
    show_default=True,
    metavar="FILE",
    help="What is done to the text: a TOML file, `standard`, or `none`.",
)
@click.option("--afresh", is_flag=True, help="Begin again: another key, nothing taken over from earlier numbers.")
@_engine
@click.pass_obj
def create(wiring: Wiring, /, *, recipe: str, as_json: bool, **said: Any) -> int:
    """Write a cut: every part that may be used for a purpose, each decided twice and with its proof.

    The folder holds shards of parts and of chat messages, a manifest with counts and digests, a
    card, a Croissant description and OpenLineage events. Nothing is in it without an act of the
    person (or the flag or feedback that an exception names): a default is no proof. The same NAME
    again is the next number, and costs what changed. One that was killed goes on where it was.

    Exit status: 0 written; 2 nothing is eligible; 1 broken.

    \b
    Examples:
      assent cut create spring --purpose training --out cuts/spring-1
      assent cut create spring --purpose training --out cuts/spring-2 --at 2026-01-01T00:00:00Z
      assent cut create abuse --purpose safety --recipe none --out cuts/abuse --keep-excluded --json
      assent cut create large --purpose training --out cuts/large --engine pool --workers 8
    """
    return cut_and_say(wiring, {**said, "recipe": read_recipe(recipe)}, as_json=as_json)


@command.command()
@click.argument("name")
@_engine
@click.pass_obj
def refresh(wiring: Wiring, /, *, as_json: bool, **said: Any) -> int:
    """Write the next number of a cut, as things stand now: the same purpose, recipe and key.

    It costs what changed, and equals a cut from scratch with the same key. Whoever withdrew, was
    erased or is held since is not in it.

    Exit status: 0 written; 2 nothing is eligible any more; 3 no such cut; 1 broken.

    \b
    Examples:
      assent cut refresh spring --out cuts/spring-2
      assent cut refresh spring --out cuts/spring-3 --engine pool --json
    """
    from assent.services.cut.series import terms_of

    purpose, recipe = terms_of(wiring.settings.home / "cuts", said["name"])
    return cut_and_say(wiring, {**said, "purpose": purpose, "recipe": recipe, "afresh": False}, as_json=as_json)


for view in (cut_views.show, cut_audit.verify, cut_audit.evidence, cut_views.diff, cut_watch.watch, cut_views.retire):
    command.add_command(view)


def read_recipe(named: str) -> Recipe:
    """Read a recipe by its file, or one of those that need none."""
    from assent.pipeline import recipe

    if named in {PLAIN, STANDARD}:
        return recipe.parse_recipe(recipe.PLAIN if named == PLAIN else recipe.STANDARD, named)
    path = Path(named)
    return recipe.parse_recipe(read_text_file(path), path.name)


def cut_and_say(wiring: Wiring, said: Mapping[str, Any], *, as_json: bool = False) -> int:
    """Write a cut as the options in `said` order it, print what became of it, and return the exit status."""
    from assent import __version__
    from assent.policy.versions import by_date
    from assent.services.cut.order import CutOrder
    from assent.services.cut.take import NothingEligible, take
    from assent.services.ledger.seal import seal
    from assent.services.plan import keep_policies

    settings, now = wiring.settings, wiring.now()
    at: datetime = said["at"] or now
    order = CutOrder(
        name=said["name"],
        purpose=said["purpose"],
        at=at,
        now=now,
        directory=said["directory"],
        keys=settings.home / "cuts",
        key=wiring.new_key(),
        salt=wiring.new_key(),
        version=__version__,
        keep_excluded=said["keep_excluded"],
        batch_rows=settings.batch_rows,
        recipe=said["recipe"],
        workers=wiring.cut_workers(said["engine"], said["workers"], said["address"]),
        afresh=said["afresh"],
    )
    keep_policies(wiring.store, wiring.policy_texts, now)
    try:
        taken = take(order, wiring.store, wiring.columns, by_date(wiring.policies), progress)
    except NothingEligible as nothing:
        _say_nothing(order, nothing, as_json=as_json)
        return nothing.exit_code
    seal(wiring.store, wiring.log, now=now)
    if as_json:
        echo_json({"directory": str(order.directory), "digest": taken.digest, **taken.manifest})
    else:
        _say(order, taken)
    return 0


def _say(order: CutOrder, taken: Taken) -> None:
    manifest = taken.manifest
    counts, messages = manifest["counts"], manifest["messages"]
    echo_line(f"cut {manifest['name']} number {manifest['number']} for {manifest['purpose']} at {manifest['at']}")
    whose = f"{counts['conversations']:,} conversations of {counts['people']:,} people"
    echo_line(f"written:    {counts['written']:>10,} parts in {whose}, {counts['bytes']:,} bytes of text")
    echo_line(f"considered: {counts['considered']:>10,} parts")
    _say_reasons("left out", counts["excluded"])
    for split, found in counts["by_split"].items():
        echo_line(f"  {split}: {found['conversations']:,} conversations of {found['people']:,} people")
    _say_tally("skills", counts["by_skill"])
    _say_tally("replaced of people", counts["by_block"].get("redact", {}).get("counts", {}))
    echo_line(f"as messages: {messages['conversations']:,} conversations")
    _say_reasons("left out there", messages["left_out"])
    echo_line(f"folder:   {order.directory}")
    echo_line(f"manifest: {taken.digest}")


def _say_tally(what: str, tally: Mapping[str, int]) -> None:
    if tally:
        listed = (f"{name or 'unknown'} {count:,}" for name, count in tally.items())
        echo_line(f"{what}: {', '.join(listed)}")


def _say_reasons(what: str, reasons: Mapping[str, int], *, err: bool = False) -> None:
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        echo_line(f"  {what}: {count:>10,}  {reason}", err=err)


def _say_nothing(order: CutOrder, nothing: NothingEligible, *, as_json: bool) -> None:
    if as_json:
        counts = {"considered": nothing.excluded.total(), "written": 0, "excluded": dict(nothing.excluded)}
        echo_json({"name": order.name, "purpose": order.purpose, "at": format_instant(order.at), "counts": counts})
    show_problem(nothing)
    if not as_json:
        _say_reasons("left out", nothing.excluded, err=True)
