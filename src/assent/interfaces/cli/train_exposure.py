"""`assent train exposure`: what weights remember of single conversations, and what may be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.wiring import Wiring

_WORDS: Final = {
    "tested": "de-identified (tested)",
    "re-identifiable": "re-identifiable for enforcement",
    "de-linked": "de-linked",
}


@click.command()
@click.argument("name", metavar="RUN")
@click.option(
    "--claim",
    "word",
    is_flag=False,
    flag_value="tested",
    type=click.Choice(list(_WORDS)),
    help="Measure nothing; record what may be said. Without a word: `tested`.",
)
@click.option("--at-most", type=click.IntRange(1), default=500, show_default=True, help="Conversations of each side.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Settles which are taken.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_obj
def exposure(wiring: Wiring, /, *, name: str, word: str | None, at_most: int, seed: int, as_json: bool) -> int:
    """Measure what RUN remembers of single conversations: canaries, verbatim continuations, and who was in.

    Canaries are made-up secrets that the trainer put among the conversations (`[canaries]` in its file). Their exposure
    tells in bits how much the weights help to guess them; one that was never said has 1.44 in the mean. The report is
    exposure.json in the run's folder, and the ledger keeps its digest.

    Weights are `de-linked` until somebody records more. `--claim` records `de-identified (tested)`, if the newest
    report was made on these weights and every condition holds. That no one can be found in them is never said.

    Exit status: 0 measured, or recorded; 2 the test did not pass, or there is nothing to measure; 3 no such run.

    \b
    Examples:
      assent train exposure spring-1-9f2c61ab
      assent train exposure spring-1-9f2c61ab --claim
      assent train exposure spring-1-9f2c61ab --claim re-identifiable
    """
    from assent.services.run.memorising import ExposureOrder, claim, decided, expose

    world = wiring.run_world
    if word is not None:
        run = claim(world, name, _WORDS[word])  # type: ignore[arg-type]
        if as_json:
            echo_json({"run": run.id, "claim": _WORDS[word]})
        else:
            click.echo(f"run {run.id}: its weights may be called {_WORDS[word]}")
        return 0
    report = expose(world, ExposureOrder(name, at_most, seed), progress)
    found, may = decided(report)
    if as_json:
        told = [one._asdict() for one in found]
        echo_json(report | {"conditions": told, "may_be_called": may})
    else:
        _say(report)
        for one in found:
            shown = "not measured" if one.found is None else f"{one.found:.4g}"
            click.echo(f"  {'holds ' if one.holds else 'BROKEN'}  {one.name}: {shown}, limit {one.limit:.4g}")
        click.echo(f"the weights may be called {may}")
    return 0 if all(one.holds for one in found) else 2


def _say(report: Mapping[str, Any]) -> None:
    canaries = report["canaries"]
    click.echo(f"run {report['run']}")
    click.echo(f"exposure of canaries, of {canaries['bits']:.1f} bits that there are")
    click.echo(f"{'said':>8}{'canaries':>10}{'mean':>8}  {'95 %':16}{'largest':>8}{'recited':>9}{'by sampling':>13}")
    for row in canaries["by_repeats"]:
        mean = row["mean_bits"]
        ends = "" if mean["low"] is None else f"{mean['low']:.2f} to {mean['high']:.2f}"
        last = f"{row['largest_bits']:>8.2f}{row['recited']:>9,}{row['by_sampling']:>13,}"
        click.echo(f"{row['repeats']:>8,}{row['canaries']:>10,}{mean['value']:>8.2f}  {ends:16}{last}")
    for name, one in ((key, one) for key, one in report["continuation"].items() if key != "tokens"):
        tried = f"{one['verbatim']:,} of {one['tried']:,} word for word, longest run {one['longest']} tokens"
        click.echo(f"continued, {name.replace('_', ' ')}: {tried}")
    auc = report["membership"]["auc"]
    ends = "one person" if auc["low"] is None else f"{auc['low']:.3f} to {auc['high']:.3f}"
    click.echo(f"membership by loss: {auc['value']:.3f} ({ends}); 0.5 tells nothing, better attacks exist")
