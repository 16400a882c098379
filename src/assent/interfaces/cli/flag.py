"""`assent flag`: flag a conversation, list flags; what people decide about them is in `flag_review`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli import flag_review
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import NAME
from assent.services.flag.scores import forget_scores
from assent.store.records import Flag, Page

if TYPE_CHECKING:
    from assent.wiring import Wiring


class _ByDefaultOn(click.Group):
    """Takes what is no sub-command for a conversation to flag, or for options of `on`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["on", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ByDefaultOn)
def command() -> None:
    """Flag conversations, and let people look at what was flagged; `assent flag CONVERSATION ...` is short for `on`.

    A flag that nobody looked at is provisional: the policy says how long it keeps a conversation. Whoever reviews it
    upholds or reverses it, two people where the category is severe; the person may appeal, and somebody else decides.

    \b
    Examples:
      assent flag chatgpt:6710… --category fraud --score 0.97 --by "detector 3"
      assent flag score
      assent flag queue
      assent flag show 5f0c… --by rita --reason "first look"
      assent flag review 5f0c… --uphold --by rita --reason "asks for working malware"
      assent flag decide 5f0c… --reverse --by sam --reason "it is fiction"
      assent flag --list --subject p-17
    """


@command.command("on")
@click.argument("conversation", required=False)
@click.option("--category", help="What was found, in the words of your taxonomy.")
@click.option("--by", "by", help="Who or what found it, reviewed it or reverses it.")
@click.option("--reason", default="", help="Why, without quoting content.")
@click.option("--score", type=click.FloatRange(0, 1), help="How sure the detector was, from 0 to 1.")
@click.option("--review", is_flag=True, help="CONVERSATION is a flag's id: somebody looked at it.")
@click.option("--reverse", is_flag=True, help="CONVERSATION is a flag's id: the finding was wrong.")
@click.option("--list", "listed", is_flag=True, help="List the flags of CONVERSATION, or all, newest first.")
@click.option("--subject", type=NAME, help="With --list: the flags of this person, also of what is erased.")
@click.option("--forget", is_flag=True, help="End findings whose time is over (`flag_score_days`).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def on(
    wiring: Wiring,
    *,
    conversation: str | None,
    category: str | None,
    by: str | None,
    reason: str,
    score: float | None,
    review: bool,
    reverse: bool,
    listed: bool,
    subject: str | None,
    forget: bool,
    as_json: bool,
) -> int:
    """Flag CONVERSATION as violating policy. Its clocks follow the policy's rules for flagged content.

    What was found has a clock of its own: it stays when the content is erased, until `flag_score_days` have passed.
    A flag that was reversed ends with its content.

    \b
    Examples:
      assent flag on chatgpt:6710… --category fraud --score 0.97 --by "detector 3"
      assent flag on 5f0c… --review --by "review team"
      assent flag on 5f0c… --reverse --by "appeal desk"
      assent flag on --list --subject p-17
      assent flag on --forget
    """
    now = wiring.now()
    if listed:
        return _show(wiring, conversation, subject, as_json=as_json)
    if forget:
        gone = forget_scores(wiring.store, now=now, days=wiring.settings.flag_score_days)
        echo_json({"forgotten": gone}) if as_json else echo_line(f"{gone:,} findings ended")
        return 0
    if not conversation or not by:
        raise click.UsageError("a flag needs a conversation and --by")
    if review or reverse:
        return _reviewed(wiring, conversation, by, reason, reverse=reverse)
    if not category:
        raise click.UsageError("a flag needs --category")
    from assent.services.flag import review as reviewing

    flag = Flag(wiring.new_id(), conversation, now, category, by, reason, score=score)
    reviewing.raise_flag(wiring.store, flag)
    echo_json({"flag": flag.id, "at": format_instant(now)}) if as_json else echo_line(f"flag {flag.id}")
    return 0


def _reviewed(wiring: Wiring, flag: str, by: str, reason: str, *, reverse: bool) -> int:
    """Do what `assent flag review` does, with a reason of our own if none is given; also where content is gone."""
    from assent.services.flag import review as reviewing
    from assent.services.flag.terms import ReviewTerms

    now = wiring.now()
    if wiring.store.candidate(flag) is None:
        (wiring.store.reverse_flag if reverse else wiring.store.review_flag)(flag, now)
    else:
        said = reviewing.Said(flag, by, "reverse" if reverse else "uphold", reason or "no reason was given")
        found = reviewing.review(wiring.store, wiring.policies, said, ReviewTerms(), now=now)
        if found.settled is None:
            click.echo("recorded; somebody else must look too")
            return 0
    after = "; the policy's clock for unflagged content applies again" if reverse else ""
    echo_line(f"{'reversed' if reverse else 'reviewed'} at {format_instant(now)}{after}")
    return 0


def _show(wiring: Wiring, conversation: str | None, subject: str | None, *, as_json: bool) -> int:
    page = Page(wiring.settings.list_page)
    while True:
        found = wiring.store.flags(page, conversation, subject=subject)
        for one in found.items:
            state = "reversed" if one.reversed_at else "reviewed" if one.reviewed_at else "open"
            record = {"flag": one.id, "conversation": one.conversation, "at": format_instant(one.at)}
            record |= {"category": one.category, "by": one.by, "state": state}
            if as_json:
                echo_json(record | {"score": one.score})
            else:
                echo_line(f"{one.id}  {one.at:%Y-%m-%d}  {one.category}  {one.conversation}  {state}")
        if found.after is None:
            return 0
        page = Page(wiring.settings.list_page, found.after)


for part in (
    flag_review.score,
    flag_review.queue,
    flag_review.show,
    flag_review.review,
    flag_review.appeal,
    flag_review.decide,
    flag_review.agreement,
):
    command.add_command(part)
