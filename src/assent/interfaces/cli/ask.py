"""`assent ask`: put the question to one person in this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_line
from assent.interfaces.cli.asking import About, about, about_options, question_here, take, text_here
from assent.interfaces.cli.options import NAME

if TYPE_CHECKING:
    from assent.domain.facts import Act
    from assent.services.choose.ask import Question
    from assent.services.choose.choose import Outcome
    from assent.wiring import Wiring

NOBODY_THERE = 4
NOT_NOW = 2


@click.command()
@click.argument("subject", type=NAME)
@click.argument("doing", metavar="[status|change]", default="ask", type=click.Choice(["ask", "status", "change"]))
@click.option("--purpose", help="What the person is asked to allow. Default: training, or what the campaign asks next.")
@about_options
@click.option("--campaign", default="", metavar="ID", help="Ask within this campaign, as it says, if it says so.")
@click.option("--locale", default="", metavar="TAG", help="Language of the text. Default: the first of the notice.")
@click.option("--show", is_flag=True, help="Print the question and its digest, and ask nobody.")
@click.pass_obj
def command(  # noqa: PLR0917 - click passes one argument an option
    wiring: Wiring,
    subject: str,
    doing: str,
    purpose: str | None,
    scope: tuple[str, str] | None,
    conversation: str | None,
    guardian: str,
    campaign: str,
    locale: str,
    show: bool,
) -> int:
    """Ask SUBJECT, who sits at this terminal, by the notice of this home, and record the answer with what was shown.

    There is no default: a bare Enter means later, and the end of input means nothing at all. In CI or
    without a terminal nobody is asked and nothing is recorded. The two answers stand in random order.

    `status` says what holds and asks nobody; `change` puts the question again, whatever was answered.

    Exit status: 0 answered or deferred, 2 the person may not allow it or is not to be asked now, 4 nobody was there
    to ask.

    \b
    Examples:
      assent ask me
      assent ask me status        what holds now, and on whose word
      assent ask me change        the same question, the same steps
      assent ask me --show        the exact text, and its digest
      assent ask me --campaign autumn --locale de
    """
    if doing == "status":
        return _status(wiring, subject, purpose)
    if doing == "change" and campaign:
        raise Invalid("an answer is changed at any time, and a campaign asks once", "leave `--campaign` out")
    wanted = purpose or ("" if campaign else "training")
    if show:
        shown = text_here(wiring, subject, wanted or "training", locale)
        click.echo(shown.body, nl=False)
        echo_line(f"notice: {shown.digest}")
        return 0
    store, adult_age = wiring.store, wiring.settings.adult_age
    if not wiring.interactive():
        click.echo("assent: nobody sits at this terminal, so nothing was asked and nothing recorded", err=True)
        click.echo("  run it in a terminal, or record answers of your product: assent import choices FILE", err=True)
        return NOBODY_THERE
    from assent.services.campaign.offer import NotAsked
    from assent.services.choose.gate import check_may_allow

    # nobody is asked for what they could not give
    check_may_allow(store, subject, guardian, adult_age=adult_age, now=wiring.now())
    what: About = about(scope, conversation)
    question = question_here(wiring, subject, wanted, what=what, guardian=guardian, campaign=campaign, locale=locale)
    if isinstance(question, NotAsked):
        echo_line(f"not asked: {question.words()}")
        return NOT_NOW
    return _ask(wiring, question, subject, guardian)


def _status(wiring: Wiring, subject: str, purpose: str | None) -> int:
    """Say what holds for each purpose that is asked for, and for what was decided apart."""
    from assent.services.choose.standing import standings

    for one in standings(wiring.store, wiring.policies, subject, wiring.now()):
        if purpose in (None, one.purpose):
            where = "" if one.scope == "everything" else f" for one {one.scope}"
            since = f" since {format_instant(one.since)}" if one.since is not None else ""
            words = {"none": "nobody has said anything", "default": "the policy's default"}
            word = words.get(one.source, f"by {one.source}")
            echo_line(f"{one.purpose}{where}: {one.status}{since}, {word}")
    echo_line(f"change it: assent ask {subject} change")
    return 0


def _ask(wiring: Wiring, question: Question, subject: str, guardian: str) -> int:
    """Show the text, which numbers its answers, and take one of them."""
    click.echo(question.rendering.body)
    try:
        typed = input("> ").strip()
    except EOFError:
        click.echo("\nnothing recorded", err=True)
        return NOBODY_THERE
    options = question.rendering.options
    answers = [option for option in options if option != "defer"]
    numbered: dict[str, Act] = {str(number): act for number, act in enumerate(answers, 1)}  # type: ignore[misc]
    if typed not in numbered and "defer" not in options:
        click.echo("nothing recorded, and nothing is used; the question stays open")
        return 0
    outcome = take(wiring, question.served, subject, numbered.get(typed, "defer"), guardian)
    _say(outcome, subject)
    return 0


def _say(outcome: Outcome, subject: str) -> None:
    words = {"allow": "allowed", "decline": "not allowed", "defer": "you decide later; until then nothing is used"}
    choice = outcome.choice
    again = f"assent ask {subject} change, or assent choose {subject} withdraw"
    echo_line(f"recorded: {words[choice.act]}. Change it any time: {again}")
    echo_line(f"your receipt: assent receipt {choice.id} --out receipt.json")
    click.echo('check it:     assent verify receipt receipt.json --key "$(assent ledger key)"')
