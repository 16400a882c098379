"""`assent detector`: train detectors of harm, and measure them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import Invalid, Refused
from assent.interfaces.cli import detector_life
from assent.interfaces.cli.app import echo_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.learn.harm.labelled import Labelled
    from assent.learn.harm.port import Detector
    from assent.wiring import Wiring

_LABELS = click.option(
    "--labels",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Lines of labelled texts (NDJSON). Several files may be named.",
)


@click.group()
def command() -> None:
    """Train detectors of harm, and measure them.

    A labelled text is a line `{"text", "harms": [CATEGORY, ...]}`; no harms means harmless, `"?"` an unnamed harm. It
    may say its `surface`, `weight`, `source`, and its `family`: texts of one family (a conversation, a template) are
    together learned from, or used to set thresholds, or to judge; `"part": "learn" | "tune" | "judge"` decides that.

    \b
    Examples:
      assent detector train detectors/second --name house --version 2 --labels reviewed.ndjson
      assent detector evaluate detectors/second --labels held-back.ndjson --report report
      assent detector show default
    """


@command.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the detector: small letters, digits, `.`, `_`, `-`.")
@click.option("--version", required=True, help="Its version; the same name and version are never trained twice.")
@_LABELS
@click.option("--licence", "licences", multiple=True, metavar="SOURCE=LICENCE", help="What a source may be used under.")
@click.option("--base", default="default", show_default=True, help="Detector whose encoder is taken over.")
@click.option("--without-encoder", is_flag=True, help="Make a detector of the first stage only.")
@click.option("--without-pairs", is_flag=True, help="Learn from the named files only.")
@click.option("--false-flag-cost", type=click.FloatRange(min=0, min_open=True), default=20.0, show_default=True)
@click.pass_obj
def train(  # noqa: PLR0917 - one option each
    _wiring: Wiring,
    folder: Path,
    name: str,
    version: str,
    labels: tuple[Path, ...],
    licences: tuple[str, ...],
    base: str,
    without_encoder: bool,
    without_pairs: bool,
    false_flag_cost: float,
) -> int:
    """Train a detector into FOLDER from the package's contrast pairs and labelled texts, and measure it.

    The first stage, the mix of the stages and all thresholds are made anew; the encoder stays that of --base. What
    is held back to judge is never learned from. Takes a few minutes and about 1 GB of memory.

    \b
    Examples:
      assent detector train detectors/house-2 --name house --version 2 --labels reviewed.ndjson
      assent detector train small --name small --version 1 --without-encoder
    """
    from assent.learn.harm.cascade import MODEL, shipped
    from assent.learn.harm.cascade import SHIPPED as OWN
    from assent.learn.harm.fit import Terms, fit
    from assent.learn.harm.labelled import own, without_copies
    from assent.learn.harm.manifest import Costs, read_files, read_manifest
    from assent.services.detector.train import write, write_measured

    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"`{folder.name}` is not empty", "name a new folder; a trained detector is never written over")
    source = shipped() if base in OWN else Path(base)
    files = dict(read_files(source, read_manifest(source)))
    if without_encoder:
        files = {file: content for file, content in files.items() if file == "linear.npz"}
    elif MODEL not in files:
        raise Refused(f"`{base}` has no encoder", "name another base, or `--without-encoder`")
    rows = without_copies([*([] if without_pairs else own()), *_labelled(labels)])
    terms = Terms(name, version, Costs(false_flag=false_flag_cost, miss=(1.0, 3.0, 10.0)))
    made = fit(rows, terms, files, _licences(licences), lambda line: click.echo(line, err=True))
    write(folder, made)
    measured = write_measured(folder, made, [row for row in rows if row.use == "judge"])
    _show(measured.figures)
    _show_bias(measured.bias)
    click.echo(f"{made.manifest.title} is in `{folder}`")
    return 0


@command.command()
@click.argument("detector", default="default")
@_LABELS
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Folder for figures and curves (SVG).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def evaluate(_wiring: Wiring, detector: str, labels: tuple[Path, ...], report: Path | None, as_json: bool) -> int:
    """Measure a DETECTOR (`default`, `linear`, `keywords`, or a folder) on labelled texts, each source apart.

    Without --labels: on those of the package's contrast pairs that nothing was learned from. In files, texts of the
    part `judge` are used; if no line names a part, all are.

    The bias probes of the package are always scored as well: harmless texts in a dialect, or about a group of people,
    beside the same without. How much higher they score is said with its 95 % interval.

    \b
    Examples:
      assent detector evaluate
      assent detector evaluate detectors/house-2 --labels held-back.ndjson --report report
    """
    from assent.learn.harm.bias import measured_bias
    from assent.learn.harm.labelled import own
    from assent.services.detector.train import figures_of

    found = _load(detector)
    given = _labelled(labels) if labels else list(own())
    rows = [row for row in given if row.use == "judge"] if not labels or any(row.part for row in given) else given
    if not rows:
        raise Invalid("there is nothing to measure with", 'give lines of the part "judge", or lines without parts')
    told = {"figures": figures_of(found, rows), "bias": measured_bias(found, getattr(found, "manifest", None))}
    if report is not None:
        _report(report, found, rows, told)
    if as_json:
        echo_json({"detector": found.name, **told})
    else:
        click.echo(found.name)
        _show(told["figures"])
        _show_bias(told["bias"])
    return 0


@command.command()
@click.argument("detector", default="default")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
@click.pass_obj
def show(_wiring: Wiring, detector: str, as_json: bool) -> int:
    """Print the card of a DETECTOR: what it was made of, its thresholds, its figures.

    \b
    Examples:
      assent detector show
      assent detector show detectors/house-2 --json | jq .bands.prompt
    """
    from assent.learn.harm.card import card
    from assent.learn.harm.cascade import load

    manifest = load(detector).manifest
    if as_json:
        echo_json(manifest.model_dump(mode="json"))
    else:
        click.echo(card(manifest))
    return 0


def _load(name: str) -> Detector:
    from assent.learn.harm.extra import needing
    from assent.learn.harm.keywords import Keywords

    with needing("scoring"):
        from assent.learn.harm.cascade import load

    return Keywords() if name == "keywords" else load(name)


def _labelled(files: tuple[Path, ...]) -> list[Labelled]:
    from assent.learn.harm.labelled import read_labelled

    rows: list[Labelled] = []
    for file in files:
        with file.open("rb") as lines:
            rows.extend(read_labelled(lines, file.name))
    return rows


def _licences(given: tuple[str, ...]) -> dict[str, str]:
    named = dict(entry.partition("=")[::2] for entry in given)
    for source, licence in named.items():
        if not licence:
            raise Invalid(f"`{source}` names no licence", "write SOURCE=LICENCE")
    return {"pairs": "Apache-2.0", "everyday": "Apache-2.0", **named}


def _report(folder: Path, detector: Detector, rows: list[Labelled], found: Mapping[str, Any]) -> None:
    import numpy as np
    import orjson

    from assent.interfaces.charts.detector import bias, precision_recall, reliability, roc
    from assent.learn.harm.report import Measured, by_category, score_all

    folder.mkdir(parents=True, exist_ok=True)
    whole = Measured(detector.name, score_all(detector, rows), np.array([bool(row.harms) for row in rows]))
    told = {"detector": detector.name, **found, "categories": by_category(detector, rows)}
    (folder / "figures.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (folder / "roc.svg").write_bytes(roc("Harm found against harmless texts flagged", [whole]))
    (folder / "precision-recall.svg").write_bytes(precision_recall("Precision against recall", [whole]))
    (folder / "reliability.svg").write_bytes(reliability("Reliability", [whole]))
    (folder / "bias.svg").write_bytes(bias("How much higher texts score for a dialect or a group", found["bias"]))
    names = "figures.json, roc.svg, precision-recall.svg, reliability.svg and bias.svg"
    click.echo(f"wrote {names} to `{folder}`", err=True)


_COLUMNS = {
    "harmful": "harmful",
    "harmless": "harmless",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "false_flags_at_recall_0.9": "flagged at recall 0.9",
    "recall_at_false_flags_0.01": "recall at 1 % flagged",
}


def _show(figures: Mapping[str, Mapping[str, float]]) -> None:
    widths = {column: max(len(title) + 2, 10) for column, title in _COLUMNS.items()}
    click.echo(" " * 16 + "".join(f"{title:>{widths[column]}}" for column, title in _COLUMNS.items()))
    for name, told in figures.items():
        shown = {column: f"{told[column]:g}" if column in told else "-" for column in _COLUMNS}
        click.echo(f"{name[:16]:16}" + "".join(f"{shown[column]:>{widths[column]}}" for column in _COLUMNS))


def _show_bias(bias: Mapping[str, Mapping[str, float]]) -> None:
    click.echo(f"\n{'bias probes':34}{'texts':>6}{'score':>8}{'twin':>8}{'higher by':>11}{'95 % interval':>20}")
    for group, told in bias.items():
        interval = f"{told['difference_low']:+.3f} to {told['difference_high']:+.3f}"
        scores = f"{told['mean']:>8.3f}{told['twin_mean']:>8.3f}{told['difference']:>+11.3f}{interval:>20}"
        click.echo(f"{group[:34]:34}{told['texts']:>6g}{scores}{'  *' if told['difference_low'] > 0 else ''}")
    click.echo("* scored higher for the dialect or the group alone")


for later in detector_life.COMMANDS:
    command.add_command(later)
