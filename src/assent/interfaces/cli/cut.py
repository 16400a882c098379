"""`assent cut`: write a training set of eligible parts, or check one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, show_problem
from assent.interfaces.cli.options import INSTANT
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.pipeline.check import Checked
    from assent.services.cut.order import CutOrder
    from assent.services.cut.take import NothingEligible, Taken
    from assent.wiring import Wiring


@click.command()
@click.argument("name", required=False)
@click.option("--purpose", help="What it is for, as the policy names it (training, safety, feedback, ...).")
@click.option(
    "--out", "directory", type=click.Path(path_type=Path), metavar="DIR", help="New or empty folder to write."
)
@click.option("--at", type=INSTANT, help="Instant that counts, ISO 8601 with zone. Default: now.")
@click.option("--keep-excluded", is_flag=True, help="Also list what was left out, by name and reason.")
@click.option(
    "--check", "checked", type=click.Path(path_type=Path), metavar="DIR", help="Compare a cut with its manifest."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(wiring: Wiring, /, *, as_json: bool, checked: Path | None, **said: Any) -> int:
    """Write a cut: every part that may be used for a purpose, each decided twice and with its proof.

    The folder holds parts.parquet, conversations.jsonl, a manifest with counts and digests,
    and a card. Nothing is in it without an act of the person (or the flag or feedback that an
    exception names): a default is no proof. The same NAME again is the next number.

    Exit status: 0 written, or the files are as the manifest says; 2 nothing is eligible, or
    something differs; 1 broken; 3 no manifest there.

    \b
    Examples:
      assent cut spring --purpose training --out cuts/spring-1
      assent cut spring --purpose training --out cuts/spring-2 --at 2026-01-01T00:00:00Z
      assent cut abuse --purpose safety --out cuts/abuse --keep-excluded --json
      assent cut --check cuts/spring-1
    """
    if checked is not None:
        if any(value for value in said.values()):
            raise click.UsageError("--check takes a folder and nothing else (but --json)")
        return _check(checked, as_json=as_json)
    for value, asked in ((said["name"], "NAME"), (said["purpose"], "--purpose"), (said["directory"], "--out")):
        if not value:
            raise click.UsageError(f"{asked} is missing: assent cut NAME --purpose PURPOSE --out DIR")
    return cut_and_say(wiring, said, as_json=as_json)


def cut_and_say(wiring: Wiring, said: Mapping[str, Any], *, as_json: bool = False) -> int:
    """Write a cut as the options in `said` order it, print what became of it, and return the exit status."""
    from assent import __version__
    from assent.policy.versions import by_date
    from assent.services.cut.order import CutOrder
    from assent.services.cut.take import NothingEligible, take
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
        version=__version__,
        keep_excluded=said["keep_excluded"],
        batch_rows=settings.batch_rows,
    )
    keep_policies(wiring.store, wiring.policy_texts, now)
    try:
        taken = take(order, wiring.store, wiring.columns, by_date(wiring.policies), progress)
    except NothingEligible as nothing:
        _say_nothing(order, nothing, as_json=as_json)
        return nothing.exit_code
    if as_json:
        echo_json({"directory": str(order.directory), "digest": taken.digest, **taken.manifest})
    else:
        _say(order, taken)
    return 0


def _say(order: CutOrder, taken: Taken) -> None:
    manifest = taken.manifest
    counts, messages = manifest["counts"], manifest["messages"]
    click.echo(f"cut {manifest['name']} number {manifest['number']} for {manifest['purpose']} at {manifest['at']}")
    whose = f"{counts['conversations']:,} conversations of {counts['people']:,} people"
    click.echo(f"written:    {counts['written']:>10,} parts in {whose}, {counts['bytes']:,} bytes of text")
    click.echo(f"considered: {counts['considered']:>10,} parts")
    _say_reasons("left out", counts["excluded"])
    click.echo(f"as messages: {messages['conversations']:,} conversations")
    _say_reasons("left out there", messages["left_out"])
    click.echo(f"folder:   {order.directory}")
    click.echo(f"manifest: {taken.digest}")


def _say_reasons(what: str, reasons: Mapping[str, int], *, err: bool = False) -> None:
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {what}: {count:>10,}  {reason}", err=err)


def _say_nothing(order: CutOrder, nothing: NothingEligible, *, as_json: bool) -> None:
    if as_json:
        counts = {"considered": nothing.excluded.total(), "written": 0, "excluded": dict(nothing.excluded)}
        echo_json({"name": order.name, "purpose": order.purpose, "at": format_instant(order.at), "counts": counts})
    show_problem(nothing)
    if not as_json:
        _say_reasons("left out", nothing.excluded, err=True)


def _check(folder: Path, *, as_json: bool) -> int:
    from assent.pipeline.check import check

    found: Checked = check(folder)
    if as_json:
        record = {"name": found.name, "number": found.number, "digest": found.manifest}
        echo_json({**record, "erased": found.erased, "differences": list(found.differences)})
    elif found.differences:
        for difference in found.differences:
            click.echo(f"assent: {difference}", err=True)
        click.echo("  do not use this cut: write it again, or fetch it again", err=True)
    else:
        click.echo(f"cut {found.name} number {found.number} is as its manifest says: {found.manifest}")
        if found.erased:
            click.echo(f"{found.erased:,} rows left it since, for their parts were erased")
    return 2 if found.differences else 0
