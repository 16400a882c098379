"""`assent policy`: check, lint, compare, show and list policy files, and print their schema."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.domain.errors import Invalid, NotFound, Place
from assent.interfaces.cli.app import echo_json, echo_line, escaped
from assent.interfaces.cli.options import policy_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assent.policy.compare_effect import Effect
    from assent.policy.document import Document
    from assent.policy.lint import Beside
    from assent.policy.lints.finding import Finding
    from assent.policy.parse import PolicyProblems
    from assent.wiring import Wiring

_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group()
def command() -> None:
    """Check, lint, compare and show policy files.

    A FILE is a path, or the name of a policy that ships with assent.

    \b
    Examples:
      assent policy list
      assent policy check policies/*.toml
      assent policy lint new.toml --previous old.toml
      assent policy show anthropic/2025-10-08
    """


@command.command()
@_FILES
@_JSON
@click.pass_obj
def check(wiring: Wiring, files: tuple[str, ...], *, as_json: bool) -> int:
    """Read each FILE and say whether it can decide.

    Prints name, digest and number of rules, or every problem with its place and remedy.

    Exit status: 0 all can decide, 1 some cannot, 3 no such file.

    \b
    Examples:
      assent policy check my-policy.toml
      assent policy check anthropic/2025-10-08 --json
    """
    from assent.policy.build import build
    from assent.policy.parse import PolicyProblems, parse_document

    answers: list[dict[str, Any]] = []
    for path in _paths(wiring, files):
        try:
            document = parse_document(_text(path), str(path))
        except PolicyProblems as broken:
            answers.append({"file": str(path), "problems": [_problem_record(p) for p in broken.problems]})
            if not as_json:
                _show_problems(broken)
            continue
        policy = build(document)
        rules = ("grant", "exception", "cap", "veto", "plans", "purposes", "accepted")
        counts = {name: len(getattr(document, name)) for name in rules}
        answers.append(
            {"file": str(path), "name": policy.name, "digest": policy.digest, "counts": counts, "problems": []}
        )
        if not as_json:
            echo_line(f"{policy.name}  {policy.digest}")
            echo_line("  " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if as_json:
        echo_json(answers)
    return 1 if any(answer["problems"] for answer in answers) else 0


@command.command()
@_FILES
@click.option("--previous", metavar="FILE", help="The version before; the default is the superseded one beside FILE.")
@click.option("--page", type=click.Path(path_type=Path), metavar="PAGE", help="The published page, HTML or text.")
@_JSON
@click.pass_obj
def lint(wiring: Wiring, files: tuple[str, ...], previous: str | None, page: Path | None, *, as_json: bool) -> int:
    """Look for what a policy should not say, or should say and does not (docs/reference/lints.md).

    Several FILEs are also compared with each other. `[[accepted]]` entries in a file turn
    errors into warnings that show the reason.

    Exit status: 0 nothing or only warnings, 2 errors, 1 a file is not readable as a policy, 3 no such file.

    \b
    Examples:
      assent policy lint my-policy.toml
      assent policy lint v2.toml --previous v1.toml --page privacy.html
      assent policy lint policies/acme/*.toml --json
    """
    from assent.policy.lint import lint as lint_text
    from assent.policy.parse import PolicyProblems

    if len(files) > 1 and (previous or page):
        raise click.UsageError("--previous and --page speak of one FILE: give one")
    paths = _paths(wiring, files)
    texts = {path: _text(path) for path in paths}
    findings: list[Finding] = []
    unreadable: list[PolicyProblems] = []
    for path in paths:
        try:
            beside = _beside(wiring, path, texts, previous, page)
            findings += lint_text(texts[path], str(path), beside)
        except PolicyProblems as broken:
            unreadable.append(broken)
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        echo_json(
            {
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [_finding_record(finding) for finding in findings],
                "unreadable": [_problem_record(p) for problems in unreadable for p in problems.problems],
            }
        )
    else:
        for problems in unreadable:
            _show_problems(problems)
        _show_findings(findings, len(paths) - len(unreadable))
    return 1 if unreadable else 2 if errors else 0


def _beside(
    wiring: Wiring, path: Path, texts: dict[Path, str], previous: str | None, page: Path | None
) -> Beside | None:
    """Gather what lints need beside the file. Raises `PolicyProblems` if the file or one beside it is broken."""
    from assent.policy.lint import Beside
    from assent.policy.lints.versions import name
    from assent.policy.parse import PolicyProblems, parse_document, read_shape

    document, _ = read_shape(texts[path], str(path))
    others: list[Document] = []
    for other, text in texts.items():
        if other == path:
            break
        try:
            others.append(read_shape(text, str(other))[0])
        except PolicyProblems:
            continue  # said when that file is linted itself
    before: Document | None = None
    if previous is not None:
        found = policy_path(previous, wiring.policy_library())
        before = parse_document(_text(found), str(found))
    elif document.policy.supersedes:
        neighbour = path.parent / f"{document.policy.supersedes.rpartition('/')[2]}.toml"
        if neighbour.is_file() and neighbour != path:
            candidate = parse_document(_text(neighbour), str(neighbour))
            before = candidate if name(candidate) == document.policy.supersedes else None
    return Beside(before, others, None if page is None else _text(page))


@command.command()
@click.argument("old")
@click.argument("new")
@_JSON
@click.pass_obj
def diff(wiring: Wiring, old: str, new: str, *, as_json: bool) -> None:
    """Say what changes from OLD to NEW: in words, and for whom, by deciding the same facts under both.

    \b
    Examples:
      assent policy diff v1.toml v2.toml
      assent policy diff anthropic/2025-05-01 anthropic/2025-10-08 --json
    """
    from assent.policy.compare import compare
    from assent.policy.parse import parse_document

    paths = (policy_path(named, wiring.policy_library()) for named in (old, new))
    before, after = (parse_document(_text(path), str(path)) for path in paths)
    comparison = compare(before, after)
    if as_json:
        echo_json(comparison.to_record())
        return
    _say(f"{comparison.old} -> {comparison.new}: {', '.join(comparison.directions())}", "bold")
    for change in comparison.changes:
        click.echo("")
        _say(change.text, "bold")
        if change.alone:
            _show_effect(change.effect)
        else:
            click.echo("  stands only together with other changes; see the whole below")
    click.echo("")
    _say("all changes together", "bold")
    _show_effect(comparison.effect)


def _show_effect(effect: Effect) -> None:
    from assent.policy.compare_effect import UNCHANGED

    _say(f"  {', '.join(effect.directions) or UNCHANGED}", "yellow" if effect.directions else None)
    if effect.directions:
        echo_line(f"  affects {effect.affected}")
        echo_line(f"  example: {effect.example}")
        echo_line(f"    before: {effect.before}")
        echo_line(f"    after:  {effect.after}")


@command.command()
@click.argument("file")
@click.option("--plain", is_flag=True, help="Print the statements only, one a line, ready to publish.")
@_JSON
@click.pass_obj
def show(wiring: Wiring, file: str, *, plain: bool, as_json: bool) -> None:
    """Say in plain words what the policy FILE does with whose data, and what it leaves open.

    \b
    Examples:
      assent policy show anthropic/2025-10-08
      assent policy show my-policy.toml --plain > page.txt
    """
    from assent.policy.build import build
    from assent.policy.parse import parse_document
    from assent.policy.render import render

    (path,) = _paths(wiring, (file,))
    document = parse_document(_text(path), str(path))
    policy, statements = build(document), render(document)
    if as_json:
        said = [{"id": s.id, "part": s.part, "text": s.text} for s in statements]
        echo_json({"name": policy.name, "digest": policy.digest, "statements": said})
        return
    part = ""
    for statement in statements:
        if not plain and statement.part != part:
            part = statement.part
            if statement is not statements[0]:
                click.echo("")
            _say(part, "bold")
        echo_line(statement.text if plain else f"  {statement.text}")
    click.echo(f"\n{policy.name}  {policy.digest}")


@command.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors and for other implementations.

    \b
    Example:
      assent policy schema > policy.schema.json
    """
    from assent.policy.document import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@command.command("list")
@_JSON
@click.pass_obj
def list_shipped(wiring: Wiring, *, as_json: bool) -> None:
    """List the policies that ship with assent; each name can stand for a FILE.

    \b
    Example:
      assent policy list --json
    """
    from assent.policy.parse import parse_document

    library = wiring.policy_library()
    found = []
    for path in sorted(library.glob("*/*.toml")):
        name = path.relative_to(library).with_suffix("").as_posix()
        header = parse_document(_text(path), str(path)).policy
        found.append({"name": name, "status": header.status, "title": header.title})
    if as_json:
        echo_json(found)
        return
    width = max((len(item["name"]) for item in found), default=0)
    for item in found:
        echo_line(f"{item['name']:{width}}  {item['status']:10}  {item['title']}")


def _paths(wiring: Wiring, files: Iterable[str]) -> list[Path]:
    """Find every file, each once, in the order given."""
    return list(dict.fromkeys(policy_path(file, wiring.policy_library()) for file in files))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("this is not UTF-8 text", "save the file as UTF-8", Place(str(path))) from None
    except FileNotFoundError:
        raise NotFound(f"there is no file `{path}`", "correct the path") from None
    except OSError as problem:
        reason = (problem.strerror or "cannot be read").lower()
        raise Invalid(
            f"the file cannot be read: {reason}", "correct the path or its rights", Place(str(path))
        ) from None


def _problem_record(problem: Invalid) -> dict[str, object]:
    place = problem.place
    where = {"file": place.file, "line": place.line, "column": place.column} if place else {}
    return {**where, "message": problem.message, "fix": problem.fix}


def _finding_record(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "file": place and place.file,
        "line": place and place.line,
        "column": place and place.column,
        "lint": finding.lint or None,
        "severity": finding.severity,
        "rule": finding.rule or None,
        "message": finding.message,
        "fix": finding.fix,
        "accepted": finding.accepted or None,
    }


def _show_problems(broken: PolicyProblems) -> None:
    for problem in broken.problems:
        _say(str(problem), "red", err=True)
        if problem.fix:
            echo_line(f"  {problem.fix}", err=True)


def _show_findings(findings: Sequence[Finding], files: int) -> None:
    for finding in findings:
        number = f" {finding.lint}" if finding.lint else ""
        style = "red" if finding.severity == "error" else "yellow"
        _say(f"{finding.place}: {finding.severity}{number}: {finding.message}", style)
        echo_line(f"  accepted: {finding.accepted}" if finding.accepted else f"  {finding.fix}")
    if files:
        counts = Counter(finding.severity for finding in findings)
        said = ", ".join(_counted(counts[kind], kind) for kind in ("error", "warning") if counts[kind])
        echo_line(f"{said or 'nothing found'} in {_counted(files, 'file')}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _say(line: str, style: str | None, *, err: bool = False) -> None:
    """Print a line, in colour if a person reads it in a terminal."""
    stream = sys.stderr if err else sys.stdout
    if style is None or not stream.isatty():
        echo_line(line, err=err)
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=stream, soft_wrap=True).print(Text(escaped(line), style=style))
