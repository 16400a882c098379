"""`assent train evaluate`: whether training helped, on people who were held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from assent.wiring import Wiring

_POINTS: Final = 1_000
CURVE: Final = "curve.svg"
TABLE: Final = "curve.csv"


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--against", metavar="RUN", help="Compare with another run on the same cut, or on a number of it.")
@click.option("--curve", is_flag=True, help="Measure every checkpoint too; write a picture and a table.")
@click.option(
    "--at-most", type=click.IntRange(1), default=_POINTS, show_default=True, help="Conversations that are read."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Settles samples and questions.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_obj
def evaluate(
    wiring: Wiring, /, *, name: str, against: str | None, curve: bool, at_most: int, seed: int, as_json: bool
) -> int:
    """Measure what RUN made against what it began with, by skill, on people whom its cut held back.

    Files are verified and every row is decided anew: what may not be used any more is not read. Loss is in bits per
    byte of what the assistant said, so models with different tokenizers can be compared; every figure has an interval
    over people (95 %). Questions with one right answer stand beside it: which of four answers belongs to a
    conversation, how a line of code ends, what a sum comes to.

    The report is evaluation.json in the run's folder, and its digest stands with the weights.

    Exit status: 0 evaluated; 2 refused, as nobody was held back or the weights are not those of the run; 3 no such run.

    \b
    Examples:
      assent train evaluate spring-1-9f2c61ab
      assent train evaluate spring-1-9f2c61ab --curve
      assent train evaluate spring-2-11aa07c3 --against spring-1-9f2c61ab --json
    """
    from assent.services.run.evaluating import EvaluationOrder, evaluate
    from assent.services.run.plan import find_run, folder_of

    world = wiring.run_world
    order = EvaluationOrder(name, at_most, seed, against, curve)
    report = evaluate(world, order, progress)
    folder = folder_of(world, find_run(world, name).id)
    if curve:
        _draw(folder, report)
    if as_json:
        echo_json(report)
        return 0
    _say(report)
    if against:
        click.echo(f"\nagainst {report['against']['run']} (before: that run)")
        _table(report["against"])
    if curve:
        click.echo(f"curve:  {folder / CURVE}, {folder / TABLE}")
    click.echo(f"report: {folder / 'evaluation.json'}")
    return 0


def _say(report: Mapping[str, Any]) -> None:
    said = f"{report['conversations']:,} conversations of {report['people']:,} people who were held back"
    click.echo(f"run {report['run']}: {said}")
    if report["not_to_be_used"]:
        click.echo(f"not read: {report['not_to_be_used']:,} conversations of the cut that may not be used any more")
    click.echo(f"model:  {report['parameters'][1]:,} parameters")
    if report["few_people"]:
        click.echo("few people: intervals are narrower than they should be")
    _table(report)


def _table(report: Mapping[str, Any]) -> None:
    click.echo(
        f"{'bits per byte':14}{'people':>8}{'before':>9}{'after':>9}{'change':>9}  {'95 % of change':18}{'p':>8}"
    )
    for name, row in (*report["skills"].items(), *report["splits"].items()):
        if "change" in row:
            before, after = (row[side]["bits_per_byte"]["value"] for side in ("before", "after"))
            change = row["change"]["bits_per_byte"]
            ends = f"{change['value']:>+9.3f}  {_ends(change, '+.3f'):18}{row['change']['p']:>8.3g}"
            click.echo(f"{name:14}{row['people']:>8,}{before:>9.3f}{after:>9.3f}{ends}")
    lines = [*_questions(report)]
    if lines:
        click.echo(f"{'right answers':26}{'asked':>7}{'chance':>8}{'before':>9}{'after':>9}  95 % of change")
        click.echo("\n".join(lines))


def _questions(report: Mapping[str, Any]) -> Iterator[str]:
    for skill, row in report["skills"].items():
        for kind, one in row["questions"].items():
            sides = "".join(f"{one[side]['value']:>9.1%}" for side in ("before", "after"))
            change = _ends(one["change"], "+.1%")
            yield f"{skill + ': ' + kind:26}{one['asked']:>7,}{one['chance']:>8.0%}{sides}  {change}"


def _ends(figure: Mapping[str, float | None], form: str) -> str:
    low, high = figure["low"], figure["high"]
    return "one person" if low is None or high is None else f"{low:{form}} to {high:{form}}"


def _draw(folder: Path, report: Mapping[str, Any]) -> None:
    """Write the picture and the table behind it."""
    from assent.interfaces.charts.training import learning

    rows = report["curve"]
    several = len({row["shard"] for row in rows}) > 2
    names = list(rows[0]["bits_per_byte"])
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        # of several shards each has a line of its own, for all skills together
        shown = (
            {f"shard {row['shard']}": "all"} if several and row["shard"] is not None else {name: name for name in names}
        )
        for line, name in shown.items():
            lines.setdefault(line, []).append((row["step"], row["bits_per_byte"][name]))
    title = f"Loss on {report['conversations']:,} conversations that were held back"
    (folder / CURVE).write_bytes(learning(title, lines))
    table = [["shard", "step", *names]]
    for row in rows:
        shard = "" if row["shard"] is None else str(row["shard"])
        table.append([shard, str(row["step"]), *(f"{row['bits_per_byte'][name]}" for name in names)])
    (folder / TABLE).write_text("".join(",".join(line) + "\n" for line in table), "utf-8")
