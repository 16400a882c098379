"""`assent explain`: say what happens to a conversation, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line
from assent.interfaces.cli.options import INSTANT, NAME
from assent.services.explain import explain_conversation
from assent.store.records import ConversationFilter, Page

if TYPE_CHECKING:
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.services.explain import Explanation, Group
    from assent.wiring import Wiring


@click.command()
@click.argument("conversation", required=False)
@click.option("--all", "every", is_flag=True, help="One line for each conversation, newest turn first.")
@click.option("--subject", type=NAME, help="With --all: only this person's.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="With --all: how many.")
@click.option("--at", type=INSTANT, help="Instant to explain for, ISO 8601 with zone. Default: now.")
@click.option("--as-subject", is_flag=True, help="As the person may see it: a hold under a gag is not told.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (with --all: one a line).")
@click.pass_obj
def command(
    wiring: Wiring,
    conversation: str | None,
    every: bool,
    subject: str | None,
    limit: int,
    at: datetime | None,
    as_subject: bool,
    as_json: bool,
) -> int:
    """Say how long CONVERSATION is kept, what it may be used for, and why.

    Exit status: 0 explained, 3 no such conversation.

    \b
    Examples:
      assent explain --all
      assent explain claude-ai:0b1f5c3e-5d0a-4c55-9d5e-2f1f0f4f6a3b
      assent explain --all --json | jq 'select(.eligible | index("training"))'
    """
    instant = at or wiring.now()
    if every:
        return _explain_all(wiring, subject, limit, instant, shown=as_subject, as_json=as_json)
    if conversation is None:
        raise Invalid("which conversation?", "name one, or use --all")
    explanation = explain_conversation(wiring.store, wiring.policies, conversation, instant, shown=as_subject)
    if as_json:
        echo_json(_record(explanation))
    else:
        _say(explanation)
    return 0


def _explain_all(wiring: Wiring, subject: str | None, limit: int, at: datetime, *, shown: bool, as_json: bool) -> int:
    page: str | None = None
    count = total = 0
    while count < limit:
        size = min(limit - count, wiring.settings.list_page)
        listing = wiring.store.conversations(ConversationFilter(subject=subject), Page(size, page))
        for entry in listing.items:
            explanation = explain_conversation(wiring.store, wiring.policies, entry.id, at, shown=shown)
            if as_json:
                echo_json(_record(explanation))
            else:
                echo_line(_line(explanation))
        count, total, page = count + len(listing.items), listing.total, listing.after
        if page is None:
            break
    if not as_json:
        echo_line(f"{count:,} of {total:,} conversations" + ("; --limit shows more" if count < total else ""))
    return 0


def _line(explanation: Explanation) -> str:
    decision = explanation.groups[0].decision
    title = explanation.entry.title or "(no title)"
    title = title if len(title) <= 34 else title[:33] + "…"
    eligible = ", ".join(sorted({p for group in explanation.groups for p in group.decision.eligible})) or "-"
    return f"{explanation.entry.id:48} {title:34} {_kept(decision):22} use: {eligible}"


def _kept(decision: Decision) -> str:
    if decision.held:
        return "held"
    if decision.erase_by is None:
        return "unknown facts" if decision.gap else "no end set"
    return f"{'due since' if decision.due() else 'until'} {decision.erase_by:%Y-%m-%d}"


def _say(explanation: Explanation) -> None:
    entry = explanation.entry
    echo_line(f"{entry.id}  {entry.title}")
    last = f"the person's last turn {format_instant(entry.last_turn_at)}" if entry.last_turn_at else "no times known"
    echo_line(f"{entry.surface}, {entry.mode}, {entry.parts} parts, {last}")
    echo_line(f"as of {format_instant(explanation.at)}:")
    for group in explanation.groups:
        click.echo("")
        _say_group(group)


def _say_group(group: Group) -> None:
    decision = group.decision
    kinds = sorted({f"{part.origin} {part.data}" for part in group.parts})
    echo_line(f"{len(group.parts)} parts ({', '.join(kinds)})")
    if decision.held:
        click.echo("  kept:    a legal hold forbids erasure; nothing else may be done with it")
    elif decision.due():
        echo_line(f"  kept:    no longer; due for erasure since {format_instant(decision.erase_by or decision.at)}")
    elif decision.erase_by is None:
        click.echo("  kept:    no end can be given" + (": facts are missing" if decision.gap else ""))
    else:
        echo_line(f"  kept:    until {format_instant(decision.erase_by)}")
    echo_line(f"  use now: {', '.join(decision.eligible) or 'not for training or any other cut'}")
    for reason in decision.reasons:
        echo_line(f"  - {reason.text}  [{reason.kind} {reason.rule}]")
    echo_line(f"  under {decision.policy} ({decision.digest[:19]}…)")


def _record(explanation: Explanation) -> dict[str, object]:
    entry = explanation.entry
    groups = [
        {
            "parts": [part.id for part in group.parts],
            **{k: v for k, v in group.decision.to_record().items() if k != "part"},
        }
        for group in explanation.groups
    ]
    ends = [group.decision.erase_by for group in explanation.groups]
    return {
        "conversation": entry.id,
        "at": format_instant(explanation.at),
        "last_turn_at": entry.last_turn_at and format_instant(entry.last_turn_at),
        "eligible": sorted({p for group in explanation.groups for p in group.decision.eligible}),
        "erase_by": format_instant(max(e for e in ends if e)) if ends and all(ends) else None,
        "held": any(group.decision.held for group in explanation.groups),
        "groups": groups,
    }
