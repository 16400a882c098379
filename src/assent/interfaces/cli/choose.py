"""`assent choose`: record what a person chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from assent.domain.errors import Refused
from assent.domain.facts import ACTS
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.asking import about, about_options, outcome_record, question_here, take
from assent.interfaces.cli.options import NAME
from assent.services.choose.gate import check_may_allow

if TYPE_CHECKING:
    from assent.domain.facts import Act
    from assent.wiring import Wiring


@click.command()
@click.argument("subject", type=NAME)
@click.argument("act", type=click.Choice([*ACTS, "show"]))
@click.option("--purpose", default="training", show_default=True, help="Which permission the act is about.")
@about_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    wiring: Wiring,
    subject: str,
    act: str,
    purpose: str,
    scope: tuple[str, str] | None,
    conversation: str | None,
    guardian: str,
    as_json: bool,
) -> int:
    """Record ACT of SUBJECT: allow, decline, defer or withdraw; `show` says what holds, and lists the acts so far.

    The act answers the newest notice on the shelf that asks for the purpose, so it has a receipt.
    An `allow` needs the person: it is asked for here, in a terminal, and never taken from a script, CI
    or an administrator. What your own product's notice recorded comes in by `assent import choices`.

    Exit status: 0 recorded, 2 refused: nobody was there to allow, or the person may not allow it.

    \b
    Examples:
      assent choose me withdraw
      assent choose me decline --conversation claude-ai:1234   keep this one out
      assent choose me decline --scope project thesis
      assent choose me show
    """
    if act == "show":
        return _show(wiring, subject, as_json=as_json)
    from assent.services.choose.ask import Question

    what = about(scope, conversation)
    if act == "allow":
        if not wiring.interactive():
            fix = "let the person run `assent ask`, or record your product's answers by `assent import choices FILE`"
            raise Refused("an `allow` needs a person at a terminal", fix)
        check_may_allow(wiring.store, subject, guardian, adult_age=wiring.settings.adult_age, now=wiring.now())
    # what gives nothing can be said at any time, whatever the notice offers just now
    question = question_here(wiring, subject, purpose, what=what, guardian=guardian, also=("defer", "withdraw"))
    assert isinstance(question, Question)  # noqa: S101 - only a campaign says that somebody is not asked
    if act == "allow":
        click.echo(question.rendering.body)
        if input("type allow to allow it: ").strip() != "allow":
            click.echo("nothing recorded")
            return 0
    outcome = take(wiring, question.served, subject, cast("Act", act), guardian)
    if as_json:
        echo_json(outcome_record(outcome))
        return 0
    from assent.services.choose.effects import in_words

    choice = outcome.choice
    where = "" if choice.scope == "everything" else f", this {choice.scope} only"
    echo_line(f"recorded: {act} for {purpose}{where} at {format_instant(choice.at)} (leaf {outcome.appended.number})")
    for line in in_words(outcome.effects) if outcome.effects is not None else ():
        echo_line(f"  {line}")
    echo_line(f"your receipt: assent receipt {choice.id} --out receipt.json")
    return 0


def _show(wiring: Wiring, subject: str, *, as_json: bool) -> int:
    found = list(wiring.store.choices(subject))
    if as_json:
        for choice in found:
            echo_json({"act": choice.act, "purpose": choice.purpose, "at": format_instant(choice.at),
                       "notice": choice.notice, "surface": choice.surface, "id": choice.id,
                       "scope": choice.scope, "target": choice.target})  # fmt: skip
        return 0
    for choice in found:
        where = "" if choice.scope == "everything" else f" ({choice.scope})"
        echo_line(f"{format_instant(choice.at)}  {choice.purpose:10} {choice.act:9} on {choice.surface or '?'}{where}")
    if not found:
        click.echo("never asked, or never answered")
    _say_standings(wiring, subject)
    return 0


def _say_standings(wiring: Wiring, subject: str) -> None:
    from assent.services.choose.standing import standings

    for standing in standings(wiring.store, wiring.policies, subject, wiring.now()):
        if standing.choice is not None:
            where = {"everything": ""}.get(standing.scope, f" for one {standing.scope}")
            since = f" since {format_instant(standing.since)}" if standing.since is not None else ""
            echo_line(f"now: {standing.purpose} {standing.status}{where}{since}, by {standing.source}")
