"""The commands that look at a campaign and change nothing of it: list, show, status, funnel, offer, remind."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line, escaped_text
from assent.interfaces.cli.campaign_views import alarm_record, course_record, funnel_record, shares
from assent.interfaces.cli.options import NAME

if TYPE_CHECKING:
    from assent.services.campaign.funnel import Funnel
    from assent.services.campaign.machine import Course
    from assent.wiring import Wiring

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_ID = click.argument("name", metavar="ID")
_PURPOSE = click.option("--purpose", help="Which question. Default: the first of the campaign.")


@click.command("list")
@_JSON
@click.pass_obj
def list_all(wiring: Wiring, *, as_json: bool) -> None:
    """List campaigns, newest first, with their states.

    \b
    Example:
      assent campaign list
    """
    from assent.services.campaign.acts import course_from
    from assent.store.records import Page

    page = wiring.store.campaigns(Page(limit=wiring.settings.list_page))
    courses = [course_from(wiring.store, kept) for kept in page.items]
    if as_json:
        echo_json([course_record(course, wiring) for course in courses])
        return
    for course in courses:
        made = course.campaign
        state, until = course.state_at(wiring.now()), format_instant(made.deadline)
        echo_line(f"{made.id:20} {state:10} until {until}  {made.title}")
    if not courses:
        click.echo("no campaigns yet: assent campaign new FILE --by WHO")
    elif page.after is not None:
        echo_line(f"and {page.total - len(courses)} older ones")


@click.command()
@_ID
@_JSON
@click.pass_obj
def show(wiring: Wiring, name: str, *, as_json: bool) -> int:
    """Show the file of campaign ID as it is in force, every step, and whether the signatures of amendments hold.

    Exit status: 0 all signatures hold, 1 one does not, 3 no such campaign.

    \b
    Example:
      assent campaign show spring
    """
    from assent.services.campaign.acts import course_of, history
    from assent.services.campaign.amend import check_signature

    course = course_of(wiring.store, name)
    steps, signed = history(wiring.store, name), []
    document = getattr(wiring.store.campaign(name), "document", "")
    for event in wiring.store.campaign_events(name):
        document = json.loads(event.change).get("document", document)
        if event.kind == "amended":
            keys = [signer.verifier for signer in wiring.log.signers]
            signed.append({"step": event.number, "signed_by": list(check_signature(event, keys))})
    if as_json:
        told = [{"at": at, "step": what, "by": by} for at, what, by in steps]
        echo_json({**course_record(course, wiring), "document": document, "steps": told, "signatures": signed})
        return 0
    click.echo(escaped_text(document))
    for at, what, by in steps:
        echo_line(f"{at}  {what:12} by {by}")
    for one in signed:
        echo_line(f"step {one['step']} is signed by {', '.join(one['signed_by'])}")  # type: ignore[arg-type]
    return 0


@click.command()
@_ID
@_JSON
@click.pass_obj
def status(wiring: Wiring, name: str, *, as_json: bool) -> int:
    """Say where campaign ID stands: its state, every person of the audience once, and what leans.

    Exit status: 0 nothing leans, 2 an alarm, 3 no such campaign.

    \b
    Example:
      assent campaign status spring --json
    """
    from assent.services.campaign.acts import course_of

    course = course_of(wiring.store, name)
    funnels = [_funnel(wiring, course, purpose) for purpose in course.campaign.purposes]
    found = [alarm for one in funnels for alarm in one.alarms]
    if as_json:
        told = [{"purpose": one.purpose, "in_audience": one.in_audience, "states": one.states} for one in funnels]
        echo_json(
            {**course_record(course, wiring), "questions": told, "alarms": [alarm_record(alarm) for alarm in found]}
        )
        return 2 if found else 0
    made = course.campaign
    echo_line(f"{made.id} is {course.state_at(wiring.now())}: {made.title}")
    echo_line(f"  from {format_instant(made.start)} until {format_instant(made.deadline)}, no answer: {made.no_answer}")
    for one in funnels:
        told_states = ", ".join(f"{state} {count:,}" for state, count in one.states.items())
        echo_line(f"  {one.purpose}: {one.in_audience:,} in the audience: {told_states}")
    for alarm in found:
        echo_line(f"  alarm: {alarm.says}")
    return 2 if found else 0


@click.command()
@_ID
@_PURPOSE
@click.option("--svg", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Also write a picture here.")
@_JSON
@click.pass_obj
def funnel(wiring: Wiring, name: str, purpose: str | None, picture: Path | None, *, as_json: bool) -> int:
    """Count what asking came to, by layout, client, surface and locale, and raise an alarm where one leans.

    The share that allows is shown to find what steers people. It is no measure of success, and no layout is
    called the best.

    Exit status: 0 nothing leans, 2 an alarm, 3 no such campaign.

    \b
    Examples:
      assent campaign funnel spring
      assent campaign funnel spring --purpose training --svg funnel.svg
    """
    from assent.interfaces.charts.funnel import steps_of, svg
    from assent.services.campaign.acts import course_of

    course = course_of(wiring.store, name)
    made = _funnel(wiring, course, _purpose(course, purpose))
    if picture is not None:
        picture.write_text(svg(made), encoding="utf-8")
    if as_json:
        echo_json(funnel_record(made))
        return 2 if made.alarms else 0
    echo_line(f"{made.campaign}, {made.purpose}, at {format_instant(made.at)}")
    for step, people in steps_of(made):
        echo_line(f"  {step:26} {people:>10,}")
    for arm, figures in made.by.items():
        for one in figures:
            echo_line(f"  {arm} {one.arm or '-'}: {shares(one)}")
    for alarm in made.alarms:
        echo_line(f"  alarm: {alarm.says}")
    if picture is not None:
        echo_line(f"wrote {picture}")
    return 2 if made.alarms else 0


@click.command()
@_ID
@click.argument("subject", type=NAME)
@_JSON
@click.pass_obj
def offer(wiring: Wiring, name: str, subject: str, *, as_json: bool) -> int:
    """Say whether SUBJECT may be asked now, and with which layout and order; nothing is shown or recorded.

    Exit status: 0 may be asked, 2 not now, with the reason.

    \b
    Example:
      assent campaign offer spring p-17
    """
    from assent.services.campaign.acts import course_of
    from assent.services.campaign.offer import NotAsked
    from assent.services.campaign.offer import offer as ask
    from assent.services.campaign.show import order_of

    course, now = course_of(wiring.store, name), wiring.now()
    lot = [0.25, 0.75]
    wiring.shuffle(lot)
    order, adult_age = order_of(wiring.store, course), wiring.settings.adult_age
    made = ask(wiring.store, course, subject, now=now, chance=lot[0], order=order, adult_age=adult_age)
    if isinstance(made, NotAsked):
        if as_json:
            echo_json({"asked": False, "why": made.why, "until": made.until and format_instant(made.until)})
        else:
            echo_line(f"not asked: {made.words()}")
        return 2
    if as_json:
        echo_json({"asked": True, **asdict(made), "deadline": format_instant(made.deadline)})
    else:
        echo_line(f"may be asked for {made.purpose}: layout {made.layout}, options {', '.join(made.options)}")
        echo_line(f"  deadline {format_instant(made.deadline)}, defers left {made.defers_left}")
    return 0


@click.command()
@_ID
@_PURPOSE
@click.option("--after", default="", help="Go on behind this subject.")
@click.option(
    "--limit", type=click.IntRange(1, 5_000), default=1_000, show_default=True, help="People to look through."
)
@click.option("--record", is_flag=True, help="Write down that they are reminded now.")
@_JSON
@click.pass_obj
def remind(
    wiring: Wiring, name: str, purpose: str | None, after: str, limit: int, record: bool, *, as_json: bool
) -> None:
    """List who is due a reminder now. Your product sends it; `--record` writes down that it was sent.

    \b
    Examples:
      assent campaign remind spring
      assent campaign remind spring --record --json
    """
    from assent.services.campaign.acts import course_of
    from assent.services.campaign.funnel import question_of
    from assent.services.campaign.offer import record_prompts
    from assent.services.campaign.remind import due_reminders, reminded

    course, now = course_of(wiring.store, name), wiring.now()
    question = question_of(course, _purpose(course, purpose), now)
    page = due_reminders(wiring.store, course, question, now=now, after=after, limit=limit)
    if record:
        record_prompts(wiring.store, course, [reminded(one, name, now) for one in page.items])
    if as_json:
        items = [{"subject": one.subject, "deadline": format_instant(one.deadline)} for one in page.items]
        echo_json({"purpose": question.purpose, "reminders": items, "after": page.after})
        return
    for one in page.items:
        echo_line(f"{one.subject}  {one.purpose}  deadline {format_instant(one.deadline)}")
    echo_line(f"{len(page.items)} due" + (f"; go on with --after {page.after}" if page.after else ""))


def _funnel(wiring: Wiring, course: Course, purpose: str) -> Funnel:
    from assent.services.campaign.funnel import funnel as count

    return count(wiring.store, course, purpose, wiring.now())


def _purpose(course: Course, purpose: str | None) -> str:
    asked = course.campaign.purposes
    if purpose is not None and purpose not in asked:
        raise Refused(f"this campaign does not ask for `{purpose}`", f"use one of {', '.join(asked)}")
    return purpose or asked[0]


WATCHING = (list_all, show, status, funnel, offer, remind)
"""The commands of this page, for the group."""
