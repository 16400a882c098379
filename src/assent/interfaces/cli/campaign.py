"""`assent campaign`: draft, lint, schedule, start, amend, close and watch campaigns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid, Place
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.campaign_views import finding_record, say, show_findings, show_problems
from assent.interfaces.cli.campaign_watch import WATCHING

if TYPE_CHECKING:
    from assent.policy.lints.finding import Finding
    from assent.services.campaign.acts import Written
    from assent.services.campaign.machine import Course, Linted
    from assent.wiring import Wiring

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_BY = click.option("--by", required=True, metavar="WHO", help="Who takes this step; it is written down.")
_ID = click.argument("name", metavar="ID")
_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def command() -> None:
    """Ask everybody in an audience by a deadline, and nobody more often than the file says.

    A campaign is one TOML file (spec/campaign.md). It goes from draft to linted, scheduled, live and closed.

    \b
    Examples:
      assent campaign new spring.toml --by "privacy office"
      assent campaign lint spring --by "privacy office"
      assent campaign schedule spring --by "privacy office"
      assent campaign start spring --by "privacy office"
      assent campaign funnel spring --svg funnel.svg
    """


@command.command()
@_FILE
@_BY
@_JSON
@click.pass_obj
def new(wiring: Wiring, file: Path, by: str, *, as_json: bool) -> int:
    """Draft the campaign in FILE, or show everything that is wrong with it. Its notice is on the shelf already.

    Exit status: 0 drafted, 1 the file is not a campaign, 2 its id is taken, 3 no such notice or policy.

    \b
    Example:
      assent campaign new spring.toml --by "privacy office"
    """
    from assent.services.campaign.acts import draft
    from assent.services.campaign.definition import CampaignProblems

    try:
        course = draft(wiring.store, _written(file), wiring.policy_texts, by=by, now=wiring.now())
    except CampaignProblems as broken:
        return show_problems(broken, as_json=as_json)
    say(course, wiring, "drafted", as_json=as_json)
    return 0


@command.command()
@_ID
@_FILE
@_BY
@_JSON
@click.pass_obj
def revise(wiring: Wiring, name: str, file: Path, by: str, *, as_json: bool) -> int:
    """Replace a campaign that has not started by what FILE says now; it has to be linted again.

    \b
    Example:
      assent campaign revise spring spring.toml --by "privacy office"
    """
    from assent.services.campaign.acts import revise as take
    from assent.services.campaign.definition import CampaignProblems

    try:
        course = take(wiring.store, name, _written(file), wiring.policy_texts, by=by, now=wiring.now())
    except CampaignProblems as broken:
        return show_problems(broken, as_json=as_json)
    say(course, wiring, "revised", as_json=as_json)
    return 0


@command.command()
@_ID
@_BY
@_JSON
@click.pass_obj
def lint(wiring: Wiring, name: str, by: str, *, as_json: bool) -> int:
    """Lint the notice of campaign ID, and how both fit together; without errors the campaign is linted.

    Exit status: 0 linted, 2 there are errors.

    \b
    Example:
      assent campaign lint spring --by "privacy office"
    """
    from assent.services.campaign.acts import course_of
    from assent.services.campaign.acts import lint as take

    linted, findings = _linted(wiring, course_of(wiring.store, name))
    if not as_json:
        show_findings(findings)
    if linted.errors and as_json:
        echo_json({"campaign": name, "findings": [finding_record(one) for one in findings]})
        return 2
    course = take(wiring.store, name, linted, by=by, now=wiring.now())
    say(course, wiring, "linted", as_json=as_json, findings=[finding_record(one) for one in findings])
    return 0


@command.command()
@_ID
@_BY
@_JSON
@click.pass_obj
def schedule(wiring: Wiring, name: str, by: str, *, as_json: bool) -> int:
    """Let a linted campaign wait for its start; `unschedule` undoes it.

    \b
    Example:
      assent campaign schedule spring --by "privacy office"
    """
    from assent.services.campaign.acts import schedule as take

    say(take(wiring.store, name, by=by, now=wiring.now()), wiring, "scheduled", as_json=as_json)
    return 0


@command.command()
@_ID
@_BY
@_JSON
@click.pass_obj
def unschedule(wiring: Wiring, name: str, by: str, *, as_json: bool) -> int:
    """Undo `schedule`.

    \b
    Example:
      assent campaign unschedule spring --by "privacy office"
    """
    from assent.services.campaign.acts import unschedule as take

    say(take(wiring.store, name, by=by, now=wiring.now()), wiring, "unscheduled", as_json=as_json)
    return 0


@command.command()
@_ID
@_BY
@_JSON
@click.pass_obj
def start(wiring: Wiring, name: str, by: str, *, as_json: bool) -> int:
    """Begin to ask people, at the start that the file names or later. The notice is linted once more.

    There is no way back from here: a live campaign is amended or closed.

    Exit status: 0 live, 2 refused with the reason.

    \b
    Example:
      assent campaign start spring --by "privacy office"
    """
    from assent.services.campaign.acts import course_of
    from assent.services.campaign.acts import start as take

    linted, _ = _linted(wiring, course_of(wiring.store, name))
    say(take(wiring.store, name, linted, by=by, now=wiring.now()), wiring, "live", as_json=as_json)
    return 0


@command.command()
@_ID
@_FILE
@click.option("--reason", required=True, help="Why; it is signed with the change.")
@_BY
@_JSON
@click.pass_obj
def amend(wiring: Wiring, name: str, file: Path, reason: str, by: str, *, as_json: bool) -> int:
    """Change a live campaign to what FILE says now, signed with the key of the ledger.

    Only what leaves every receipt its meaning may change: the deadline, reminders, weights of layouts, more
    defers, fewer people, corrected words. Everything else is a new campaign.

    Exit status: 0 amended, 1 the file is not a campaign, 2 refused with the reason.

    \b
    Example:
      assent campaign amend spring spring.toml --reason "public holidays" --by "privacy office"
    """
    from assent.services.campaign.acts import amend as take
    from assent.services.campaign.acts import amended_notice, course_of
    from assent.services.campaign.definition import CampaignProblems

    written, course = _written(file), course_of(wiring.store, name)
    try:
        notice = amended_notice(wiring.store, course, written).digest
        linted = None if notice == course.notice else _linted(wiring, course, notice)[0]
        signer = wiring.log.signers[0]
        amended = take(wiring.store, name, written, signer, linted=linted, reason=reason, by=by, now=wiring.now())
    except CampaignProblems as broken:
        return show_problems(broken, as_json=as_json)
    changes = json.loads(wiring.store.campaign_events(name)[-1].change)["changes"]
    if not as_json:
        for change in changes:
            echo_line(f"  {change['key']}: {change['before']} -> {change['after']}")
    say(amended, wiring, f"amended, signed by {signer.name}", as_json=as_json, changes=changes)
    return 0


@command.command()
@_ID
@click.option("--reason", required=True, help="Why; it is written down.")
@_BY
@_JSON
@click.pass_obj
def close(wiring: Wiring, name: str, reason: str, by: str, *, as_json: bool) -> int:
    """Stop asking, for good. What people answered stays as it is, and nobody who was silent has allowed anything.

    \b
    Example:
      assent campaign close spring --reason "everybody was asked" --by "privacy office"
    """
    from assent.services.campaign.acts import close as take

    say(take(wiring.store, name, reason, by=by, now=wiring.now()), wiring, "closed", as_json=as_json)
    return 0


@command.command()
def schema() -> None:
    """Print the JSON Schema of a campaign file, for editors.

    \b
    Example:
      assent campaign schema
    """
    from assent.services.campaign.document import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


for _watching in WATCHING:
    command.add_command(_watching)


def _linted(wiring: Wiring, course: Course, notice: str = "") -> tuple[Linted, list[Finding]]:
    from assent.services.campaign.show import lint_of

    return lint_of(wiring.store, course, notice)


def _written(file: Path) -> Written:
    from assent.services.campaign.acts import Written

    try:
        return Written(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError:
        raise Invalid("this is not UTF-8 text", "save the file as UTF-8", Place(str(file))) from None
