"""`assent disclose`: publish what a model was trained on, as the law asks it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import Invalid, NotFound, Place
from assent.interfaces.cli.app import echo_json
from assent.interfaces.cli.options import read_text_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.services.disclose.document import Disclosure
    from assent.services.disclose.facts import DisclosureFacts
    from assent.wiring import Wiring


@click.group()
def command() -> None:
    """Answer what the law asks about training data, from the cuts a model was trained on.

    What no cut knows stands in a file of facts; `facts` prints one to fill in. Each answer says
    whether it is from the cuts or from that file, and a statement that the cuts contradict is refused.

    \b
    Examples:
      assent disclose facts > facts.toml
      assent disclose eu --cut cuts/spring-1 --facts facts.toml --out public
      assent disclose california --cut cuts/spring-1 --cut cuts/summer-1 --facts facts.toml --out public
    """


def _disclosing(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that both laws need."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the disclosure as one JSON object too."),
        click.option(
            "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to."
        ),
        click.option("--facts", required=True, type=click.Path(path_type=Path), help="What no cut knows (TOML)."),
        click.option(
            "--cut",
            "cuts",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="A cut this version was trained on. Name every one of them.",
        ),
        click.option(
            "--run",
            "runs",
            multiple=True,
            metavar="RUN",
            help="A training run of this home that made it: its cuts, and those of the runs it went on from.",
        ),
        click.pass_obj,
    ):
        function = option(function)
    return function


@command.command()
@_disclosing
def eu(wiring: Wiring, /, *, facts: Path, out: Path, as_json: bool, **lineage: tuple[Any, ...]) -> int:
    """Write the summary of Article 53(1)(d) of the EU AI Act, as HTML and JSON.

    Sections 1.1 to 1.3 and 2.4 are answered. The answer to "data from user interactions with the
    AI model" cannot be "No" if a cut holds one part of a conversation.

    Exit status: 0 written, 2 the cuts contradict the facts, 1 broken, 3 no such cut or file.

    \b
    Example:
      assent disclose eu --cut cuts/spring-1 --facts facts.toml --out public
    """
    from assent.services.disclose.eu import disclose_eu

    found = disclose_eu(_manifests(wiring, **lineage), _facts(facts), wiring.now().date())
    return _write(found, "eu", out, as_json=as_json)


@command.command()
@_disclosing
def california(wiring: Wiring, /, *, facts: Path, out: Path, as_json: bool, **lineage: tuple[Any, ...]) -> int:
    """Write the documentation of section 3111 of the Civil Code of California, as HTML and JSON.

    All twelve items are answered. "No personal information" and "all public domain" are refused
    if a cut holds what people wrote.

    Exit status: 0 written, 2 the cuts contradict the facts, 1 broken, 3 no such cut or file.

    \b
    Example:
      assent disclose california --cut cuts/spring-1 --facts facts.toml --out public
    """
    from assent.services.disclose.california import disclose_california

    found = disclose_california(_manifests(wiring, **lineage), _facts(facts), wiring.now().date())
    return _write(found, "california", out, as_json=as_json)


@command.command("facts")
def example() -> None:
    """Print a file of facts with every key, to fill in.

    \b
    Example:
      assent disclose facts > facts.toml
    """
    from assent.services.disclose.facts import EXAMPLE

    click.echo(EXAMPLE, nl=False)


def _manifests(wiring: Wiring, cuts: tuple[Path, ...], runs: tuple[str, ...]) -> list[dict[str, Any]]:
    """Read the manifests of cuts, and of the cuts of runs."""
    from assent.services.disclose.training import read_manifests
    from assent.services.run.lineage import folders, lineage
    from assent.services.run.plan import find_run

    if not cuts and not runs:
        raise Invalid("no cut and no run is named", "name all that it was trained on: --cut DIR or --run RUN")
    found = [*cuts]
    for name in runs:
        found += folders(wiring.store, lineage(wiring.store, find_run(wiring.run_world, name)))
    return read_manifests(found)


def _facts(path: Path) -> DisclosureFacts:
    from assent.services.disclose.facts import EXAMPLE, parse_facts

    if not path.is_file():
        raise NotFound(f"there is no file `{path.name}`", "`assent disclose facts > facts.toml` begins one")
    facts = parse_facts(read_text_file(path), path.name)
    if facts.provider == parse_facts(EXAMPLE, path.name).provider:
        problem = "`[provider]` is the made-up company of the template"
        raise Invalid(problem, "write who places the model on the market, and check every other line", Place(path.name))
    return facts


def _write(disclosure: Disclosure, law: str, out: Path, *, as_json: bool) -> int:
    """Write one file for people and one for programs, named after law, model, version and version of the summary."""
    from assent.services.disclose.page import page

    name = "-".join((law, disclosure.model, disclosure.version, f"v{disclosure.summary_version}"))
    path = out / re.sub(r"[^a-z0-9.-]+", "-", name.lower())
    record = disclosure.to_record()
    out.mkdir(parents=True, exist_ok=True)
    written = json.dumps(record, ensure_ascii=False, indent=2)
    path.with_name(f"{path.name}.json").write_text(f"{written}\n", encoding="utf-8")
    path.with_name(f"{path.name}.html").write_text(page(disclosure), encoding="utf-8")
    if as_json:
        echo_json(record)
        return 0
    empty = [section.number for section in disclosure.sections if not section.items]
    click.echo(f"written: {path}.html, {path}.json")
    if empty:
        click.echo(f"no cut answers these sections; write them in [sections] of the facts: {', '.join(empty)}")
    return 0
