"""`assent import`: bring conversations, accounts or choices in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from assent.connectors.formats.port import Source
from assent.connectors.formats.registry import get, importers, sniff
from assent.domain.errors import AssentError, Invalid
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import NAME
from assent.interfaces.cli.progress import progress
from assent.policy.plans import plans_of, unknown_plan
from assent.policy.regions import regions_of
from assent.services import intake
from assent.services.notice import purposes_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assent.policy.model import Policy
    from assent.wiring import Wiring

SHOWN_PROBLEMS = 20

_PUT_RIGHT: Final = "import the same again under the right --plan, which it then takes; the plans are {}"
_PUT_PEOPLE_RIGHT: Final = (
    "import these accounts again under the right plan, and with --plan what came in of them meanwhile; the plans are {}"
)


def _formats() -> str:
    lines = [f"  {name:16} {importer.summary}" for name, importer in importers().items()]
    lines += ["  accounts         people: one JSON object a line: subject, plan, age, region, ..."]
    lines += ["  choices          choices your product recorded: subject, purpose, act, at, notice, surface"]
    lines += ["  auto             look at the source and choose one of the above"]
    return "\b\nFormats:\n" + "\n".join(lines)


@click.command(epilog=_formats())
@click.argument("format_name", metavar="FORMAT")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--subject", type=NAME, help="Whose conversations these are, where the source does not say or says it its own way."
)
@click.option("--plan", help="The plan they were written on, as the policy names it (free, pro, ...).")
@click.option("--age", help="Age of --subject: full years, or `adult`.")
@click.option("--region", help="Region of --subject: ISO 3166-1 code, as `DE`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    wiring: Wiring,
    format_name: str,
    path: Path,
    subject: str | None,
    plan: str | None,
    age: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Bring PATH in. Every record is imported, skipped with a reason, or named with its place; again changes nothing.

    Exit status: 0 all read, 4 some records were malformed (the others are in).

    \b
    Examples:
      assent import claude-ai data-2025-11-01.zip --subject me --plan pro --age adult
      assent import claude-code ~/.claude --subject me --plan max --age 41 --region DE
      assent import chatgpt export.zip --subject p-17 --json
      assent import accounts people.ndjson
      assent import choices answers.ndjson
    """
    if format_name in ("accounts", "choices"):
        return _lines(wiring, format_name, path, as_json=as_json)
    said = {"subject": subject, "plan": plan, "age": age, "region": region}
    return import_and_say(wiring, format_name, path, said, as_json=as_json)


def import_and_say(
    wiring: Wiring, format_name: str, path: Path, said: Mapping[str, str | None], *, as_json: bool = False
) -> int:
    """Import a source of conversations, print what became of it, and return the exit status."""
    importer = get(_sniffed(path) if format_name == "auto" else format_name)
    subject, facts = said.get("subject"), {key: said[key] for key in ("plan", "age", "region") if said.get(key)}
    policies = _policies(wiring)
    if subject is None and facts.keys() - {"plan"}:
        raise Invalid("`--age` and `--region` need a person", "add --subject, or use `assent import accounts FILE`")
    if subject is not None:
        age = facts.get("age")
        record: dict[str, Any] = {**facts, "age": int(age)} if age and age.isdigit() else dict(facts)
        intake.describe_person(wiring.store, subject, record, regions_of(policies))
    plans = plans_of(policies)
    whose = intake.Whose(subject, facts.get("plan"), plans)
    with progress(f"reading {importer.name}", _size(path)) as advance:
        source = Source(path, on_bytes=advance)
        summary = intake.import_source(
            importer, source, wiring.store, whose, now=wiring.now(), batch=wiring.settings.import_batch
        )
    notes = _unknown(whose.plan, plans)
    if as_json:
        echo_json(
            {
                "format": importer.name,
                "imported": summary.imported,
                "skipped": summary.skipped,
                "malformed": summary.malformed,
                "conversations": dict(summary.conversations),
                "parts": summary.parts,
                "corrected": summary.corrected,
                "side_copies": len(source.side_copies),
                "skips": [{"reason": reason, "records": n} for reason, n in summary.skips()],
                "problems": [{"place": w, "problem": p, "records": n} for w, p, n in summary.problems()],
                "notes": [{"note": note, "fix": fix} for note, fix in notes],
            }
        )
    else:
        _say(summary, len(source.side_copies))
        _say_notes(notes)
    return 4 if summary.malformed else 0


def _say(summary: intake.ImportSummary, side_copies: int) -> None:
    found = ", ".join(f"{n:,} {status}" for status, n in summary.conversations.most_common()) or "none"
    click.echo(f"conversations: {found}; {summary.parts:,} parts added")
    click.echo(f"records: {summary.imported:,} imported, {summary.skipped:,} skipped, {summary.malformed:,} malformed")
    if summary.corrected:
        click.echo(f"plan put right: {summary.corrected:,} conversations were under one that no policy here names")
    for reason, count in summary.skips():
        echo_line(f"  skipped {count:,}: {reason}")
    for place, problem, count in summary.problems()[:SHOWN_PROBLEMS]:
        echo_line(f"  {place or f'{count:,} more'}: {problem}", err=True)
    if len(summary.problems()) > SHOWN_PROBLEMS:
        click.echo(f"  and {len(summary.problems()) - SHOWN_PROBLEMS:,} more; --json lists all", err=True)
    if side_copies:
        click.echo(f"noticed {side_copies:,} side copies of these conversations that an erasure must reach too")


def _policies(wiring: Wiring) -> list[Policy]:
    """Read the policies here; none where they cannot be read, for bringing in needs none."""
    try:
        return wiring.policies
    except AssentError:
        return []


def _unknown(plan: str | None, plans: frozenset[str]) -> list[tuple[str, str]]:
    message = "" if plan is None else unknown_plan(plan, plans)
    if not message:
        return []
    return [
        (
            f"{message}: what came in under it is in no cut, and no end of it can be given",
            _PUT_RIGHT.format(_listed(plans)),
        )
    ]


def _listed(plans: frozenset[str]) -> str:
    return ", ".join(sorted(plans))


def _say_notes(notes: Sequence[tuple[str, str]]) -> None:
    for note, fix in notes:
        echo_line(f"note: {note}", err=True)
        echo_line(f"  {fix}", err=True)


def _sniffed(path: Path) -> str:
    found = sniff(path)
    if len(found) != 1:
        what = f"looks like {', '.join(found)}" if found else "looks like no format that assent knows"
        raise Invalid(f"`{path.name}` {what}", "name the format: assent import FORMAT PATH")
    return found[0]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _lines(wiring: Wiring, kind: str, path: Path, *, as_json: bool) -> int:
    policies = _policies(wiring) if kind == "accounts" else []
    plans = plans_of(policies)

    def choices(lines: Any) -> intake.LinesSummary:
        asked = purposes_asked(wiring.policies)
        return intake.import_choices(lines, wiring.store, wiring.log, now=wiring.now(), purposes=asked)

    def accounts(lines: Any) -> intake.LinesSummary:
        return intake.import_accounts(lines, wiring.store, plans=plans, regions=regions_of(policies))

    read: Callable[[Any], intake.LinesSummary] = choices if kind == "choices" else accounts
    with path.open("rb") as lines:
        summary = read(lines)
    notes = [
        (
            f"{path.name}:{line}: {unknown_plan(plan, plans)} ({count:,} accounts)",
            _PUT_PEOPLE_RIGHT.format(_listed(plans)),
        )
        for plan, (line, count) in summary.unknown_plans.items()
    ]
    if as_json:
        problems = [{"line": n, "problem": problem, "fix": fix} for n, problem, fix in summary.problems]
        counts = {"format": kind, "imported": summary.taken, "malformed": len(problems)}
        echo_json({**counts, "problems": problems, "notes": [{"note": note, "fix": fix} for note, fix in notes]})
    else:
        click.echo(f"{kind}: {summary.taken:,} taken, {len(summary.problems):,} refused")
        for number, problem, fix in summary.problems[:SHOWN_PROBLEMS]:
            echo_line(f"  {path.name}:{number}: {problem}", err=True)
            echo_line(f"    {fix}", err=True)
        _say_notes(notes[:SHOWN_PROBLEMS])
    return 4 if summary.problems else 0
