"""`assent detector` after training: learn from reviews, register, shadow, compare, promote, roll back, watch drift."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.learn.harm.labelled import Labelled
    from assent.services.detector.registry import Version
    from assent.wiring import Wiring

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_FILES = click.option(
    "--labels",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Further labelled texts (NDJSON).",
)


def _act(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command who acts, and why."""
    function = click.option("--reason", required=True, help="Why. It is kept.")(function)
    return click.option("--by", required=True, help="Who acts.")(function)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cut", "cut", required=True, help="Name of a cut for `safety`.")
@click.option("--number", type=click.IntRange(1), required=True, help="Its number.")
@click.option("--name", required=True, help="Name of the detector.")
@click.option("--version", required=True, help="Its version.")
@_FILES
@click.option("--base", default="default", show_default=True, help="Detector whose encoder is taken over.")
@click.option("--without-encoder", is_flag=True, help="Make a detector of the first stage only.")
@click.option("--seeds", type=click.IntRange(1, 9), default=3, show_default=True, help="Trainings to average over.")
@_JSON
@click.pass_obj
def learn(wiring: Wiring, /, *, folder: Path, as_json: bool, **said: Any) -> int:
    """Train a detector into FOLDER from what people decided about the conversations of a cut, and register it.

    The cut is one for `safety` (`assent cut create NAME --purpose safety`), and everything in it may still be used.
    Texts are read from the cut's folder and written nowhere else; the detector's manifest names the cut with the
    digest of its manifest. The package's contrast pairs are learned from too.

    Exit status: 0 trained, 2 the cut is stale or too little is decided, 3 no such cut.

    \b
    Example:
      assent detector learn work/house-2 --cut reviewed --number 4 --name house --version 2
    """
    from assent.learn.harm.cascade import MODEL, SHIPPED, shipped
    from assent.learn.harm.fit import Terms
    from assent.learn.harm.labelled import own
    from assent.learn.harm.manifest import read_files, read_manifest
    from assent.policy.versions import by_date
    from assent.services.detector.benchmark import benchmark
    from assent.services.detector.labels import labelled_cut
    from assent.services.detector.registry import open_detector, register
    from assent.services.detector.train import train, write_measured

    home, now = wiring.settings.home, wiring.now()
    found = labelled_cut(
        wiring.store,
        wiring.columns,
        by_date(wiring.policies),
        (said["cut"], said["number"]),
        open_detector(home, "active"),
        now=now,
    )
    source = shipped() if said["base"] in SHIPPED else Path(said["base"])
    files = dict(read_files(source, read_manifest(source)))
    if said["without_encoder"]:
        files = {name: content for name, content in files.items() if name == "linear.npz"}
    elif MODEL not in files:
        raise click.UsageError("this base has no encoder; say --without-encoder")
    rows = [*own(), *found.rows, *_labelled(said["labels"])]
    licences = {"pairs": "Apache-2.0", "everyday": "Apache-2.0", found.source: "people's own, for safety"}
    made = train(
        folder,
        rows,
        Terms(said["name"], said["version"]),
        files,
        licences=licences,
        seeds=said["seeds"],
        told=lambda line: click.echo(line, err=True),
    )
    judged = benchmark([*found.rows, *_labelled(said["labels"])])
    write_measured(folder, made, judged)
    version = register(home, folder, by="assent detector learn", reason=found.source, now=now)
    told = {"detector": made.manifest.title, "learned_from": found.source, "texts": len(found.rows), **found.kinds}
    if as_json:
        echo_json(told | {"manifest": version.manifest})
    else:
        click.echo(f"{made.manifest.title} learned from {len(found.rows):,} texts of {found.source}")
        click.echo(", ".join(f"{kind} {count:,}" for kind, count in sorted(found.kinds.items())))
    return 0


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_act
@click.pass_obj
def register(wiring: Wiring, folder: Path, by: str, reason: str) -> int:
    """Take a detector that was trained elsewhere into this home, as a candidate. It decides nothing.

    \b
    Example:
      assent detector register work/house-2 --by rita --reason "trained on the lab's machine"
    """
    from assent.services.detector import registry

    made = registry.register(wiring.settings.home, folder, by=by, reason=reason, now=wiring.now())
    click.echo(f"{made.title} is registered, manifest {made.manifest}")
    return 0


@click.command()
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw what each version flags (SVG).")
@_JSON
@click.pass_obj
def versions(wiring: Wiring, plot: Path | None, *, as_json: bool) -> int:
    """List the versions of this home and what was done with them.

    --plot scores the frozen benchmark with the detector of the package and with every version, and draws which share
    of its harmless texts each flags where it finds nine in ten harmful ones.

    \b
    Examples:
      assent detector versions --json
      assent detector versions --plot false-flags.svg
    """
    from assent.services.detector.registry import read_registry

    if plot is not None:
        from assent.interfaces.charts.detector import by_version
        from assent.services.detector.benchmark import benchmark
        from assent.services.detector.compare import flagged_by_version

        title = "Harmless texts flagged where nine in ten harmful ones are found"
        plot.write_bytes(by_version(title, flagged_by_version(wiring.settings.home, benchmark())))
        click.echo(f"wrote `{plot}`", err=True)
    found = read_registry(wiring.settings.home)
    if as_json:
        echo_json({"versions": [asdict(one) for one in found.versions], "acts": [asdict(one) for one in found.acts]})
        return 0
    if found.active is None:
        click.echo("the detector of the package decides")
    for version in found.versions:
        click.echo(f"{version.title}  {version.state}  since {version.added_at}")
    for act in found.acts:
        click.echo(f"  {act.at}  {act.act} {act.title} by {act.by}: {act.reason}")
    return 0


@click.command()
@click.argument("title")
@_act
@click.pass_obj
def shadow(wiring: Wiring, title: str, by: str, reason: str) -> int:
    """Run version TITLE (NAME@VERSION) in the shadow: `assent flag score` scores with it too, and counts differences.

    \b
    Example:
      assent detector shadow house@2 --by rita --reason "learned from October's reviews"
    """
    from assent.services.detector.registry import run_in_shadow

    run_in_shadow(wiring.settings.home, title, by=by, reason=reason, now=wiring.now())
    click.echo(f"{title} runs in the shadow; run `assent flag score`")
    return 0


@click.command()
@click.argument("title")
@_FILES
@click.option("--identity", multiple=True, help="Sources of harmless texts that name groups of people.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as a page (HTML) too.")
@_JSON
@click.pass_obj
def compare(
    wiring: Wiring, title: str, labels: tuple[Path, ...], identity: tuple[str, ...], page: Path | None, *, as_json: bool
) -> int:
    """Put version TITLE to the gate against the version that decides, and keep the report beside it.

    On the frozen benchmark (the judging part of the package's texts, and of --labels), at the recall that the
    deciding version has in every set and category with 50 harmful texts or more: recall is not lower (paired
    bootstrap), severe harm is never found less, fewer harmless texts are flagged (McNemar), no set more, those that
    name groups of people neither; calibration and speed hold; three seeds, a run in the shadow, and a cut.

    Exit status: 0 it may decide, 2 it may not, 3 no such version.

    \b
    Examples:
      assent detector compare house@2 --page report.html
      assent detector compare house@2 --labels frozen.ndjson --json
    """
    from assent.learn.harm.probes import IDENTITY
    from assent.services.detector import compare as comparing
    from assent.services.detector.benchmark import benchmark
    from assent.services.detector.gate import GateTerms
    from assent.services.detector.registry import FOLDER, keep_report, read_registry

    home = wiring.settings.home
    version = read_registry(home).named(title)
    found = comparing.compare(
        home,
        wiring.store,
        version,
        _seeds(home / FOLDER / version.folder),
        benchmark(_labelled(labels)),
        terms=GateTerms(identity=frozenset({IDENTITY, *identity})),
        now=wiring.now(),
        ticks=wiring.ticks,
    )
    keep_report(home, version, found.report)
    if page is not None:
        page.write_text(comparing.page(found.report), "utf-8")
    if as_json:
        echo_json(found.report)
    else:
        for check in found.judgement.checks:
            numbers = ", ".join(f"{name} {value:.4g}" for name, value in check.numbers.items())
            click.echo(f"{'holds' if check.passed else 'FAILS'}  {check.rule}: {check.where} ({numbers})")
        click.echo(f"{title} {'may' if found.judgement.passed else 'may not'} decide")
    return 0 if found.judgement.passed else 2


@click.command()
@click.argument("title")
@_act
@click.pass_obj
def promote(wiring: Wiring, title: str, by: str, reason: str) -> int:
    """Let version TITLE decide. The gate let it through, and a second person agreed.

    Exit status: 0 it decides, 2 the gate or the second person is missing, 3 no such version.

    \b
    Examples:
      assent approve ask promote house@2 --by rita --reason "see its report"
      assent approve 81d2… --by sam
      assent detector promote house@2 --by rita --reason "see its report"
    """
    from assent.services.detector import registry

    home = wiring.settings.home
    made: Version = registry.promote(home, wiring.store, title, by=by, reason=reason, now=wiring.now())
    click.echo(f"{made.title} decides")
    return 0


@click.command()
@_act
@click.pass_obj
def rollback(wiring: Wiring, by: str, reason: str) -> int:
    """Let the version decide again that did before the present one; at the end, the package's own.

    One person may: what comes back has passed the gate before.

    \b
    Example:
      assent detector rollback --by rita --reason "flags recipes since noon"
    """
    from assent.services.detector import registry

    before = registry.rollback(wiring.settings.home, by=by, reason=reason, now=wiring.now())
    click.echo(f"{'the detector of the package' if before is None else before.title} decides again")
    return 0


@click.command()
@click.argument("title", required=False)
@_JSON
@click.pass_obj
def drift(wiring: Wiring, title: str | None, *, as_json: bool) -> int:
    """Say how far the scores of version TITLE (the active one) have moved from those on record.

    The population stability index of the scores in twentieths: below 0.1 steady, from 0.1 to be watched, from 0.25 an
    alarm. Below 200 scores on either side it says nothing.

    Exit status: 0 steady or too few, 2 to be watched or an alarm.

    \b
    Example:
      assent detector drift --json
    """
    from assent.services.detector import watch
    from assent.services.detector.registry import open_detector

    found = watch.drift(wiring.store, title or open_detector(wiring.settings.home, "active").name)
    if as_json:
        echo_json(asdict(found) | {"state": found.state, "watch": watch.WATCH, "alarm": watch.ALARM})
    else:
        index = "-" if found.index is None else f"{found.index:.3f}"
        click.echo(
            f"{found.detector}: {found.state}, index {index}, {found.recent:,} scores against {found.reference:,}"
        )
    return 2 if found.state in {"watch", "alarm"} else 0


def _seeds(folder: Path) -> list[Any]:
    from assent.learn.harm.cascade import load
    from assent.services.detector.train import SEEDS

    with progress("loading", 1):
        return [load(str(path)) for path in sorted((folder / SEEDS).glob("*"))]


def _labelled(files: tuple[Path, ...]) -> list[Labelled]:
    from assent.learn.harm.labelled import read_labelled

    rows: list[Labelled] = []
    for file in files:
        with file.open("rb") as lines:
            rows.extend(read_labelled(lines, file.name))
    return rows


COMMANDS = (learn, register, versions, shadow, compare, promote, rollback, drift)
"""What hangs in the group `assent detector`, beside training and measuring."""
