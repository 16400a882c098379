"""`assent ask`: put the question to one person in this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.services.choose import record_choice
from assent.services.notice import notice_of

if TYPE_CHECKING:
    from assent.domain.facts import Act
    from assent.wiring import Wiring

NOBODY_THERE = 4


@click.command()
@click.argument("subject")
@click.option("--purpose", default="training", show_default=True, help="What the person is asked to allow.")
@click.option("--show", is_flag=True, help="Print the question and its digest, and ask nobody.")
@click.pass_obj
def command(wiring: Wiring, subject: str, purpose: str, show: bool) -> int:
    """Ask SUBJECT, who sits at this terminal, and record the answer with the digest of the text shown.

    There is no default: a bare Enter means later, and the end of input means nothing at all. In CI or
    without a terminal nobody is asked and nothing is recorded.

    Exit status: 0 answered or deferred, 4 nobody was there to ask.

    \b
    Examples:
      assent ask me
      assent ask me --show        the exact text, and its digest
    """
    notice = notice_of(wiring.policies[-1], purpose)
    click.echo(notice.text)
    if show:
        click.echo(f"notice: {notice.digest}")
        return 0
    if not wiring.interactive():
        click.echo("assent: nobody sits at this terminal, so nothing was asked and nothing recorded", err=True)
        click.echo("  run it in a terminal, or record answers of your product: assent import choices FILE", err=True)
        return NOBODY_THERE
    options: list[tuple[str, Act]] = [("Allow", "allow"), ("Don't allow", "decline")]
    wiring.shuffle(options)
    for number, (label, _) in enumerate(options, 1):
        click.echo(f"  {number}  {label}")
    click.echo("  Enter  Decide later")
    try:
        answer = input("> ").strip()
    except EOFError:
        click.echo("\nnothing recorded", err=True)
        return NOBODY_THERE
    act = {str(number): option[1] for number, option in enumerate(options, 1)}.get(answer, "defer")
    record_choice(wiring.store, subject, act, notice, surface="terminal", now=wiring.now())
    words = {"allow": "allowed", "decline": "not allowed", "defer": "you decide later; until then nothing is used"}
    click.echo(f"recorded: {words[act]}. Change it any time: assent ask {subject}, or assent choose {subject} withdraw")
    return 0
