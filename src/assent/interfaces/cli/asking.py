"""What `assent ask` and `assent choose` share: the question of this home, and what an act on it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from assent.domain.choices import project_target
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.domain.facts import Act, Scope
    from assent.services.campaign.offer import NotAsked
    from assent.services.choose.ask import Question
    from assent.services.choose.choose import Outcome
    from assent.services.choose.snapshot import Served
    from assent.store.records import Rendering
    from assent.wiring import Wiring

About = tuple["Scope", str | None]
"""A scope and its target."""


def about_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what an act is about, and who acts for a child."""
    kinds = click.Choice(["project", "conversation"])
    scope = click.option("--scope", nargs=2, type=(kinds, str), default=None, metavar="KIND NAME",
                         help="Only one project or conversation: `--scope project NAME`.")  # fmt: skip
    conversation = click.option("--conversation", metavar="ID", help="Only this conversation.")
    guardian = click.option("--guardian", default="", metavar="WHO", help="The verified guardian who acts here.")
    return scope(conversation(guardian(command)))


def about(scope: tuple[str, str] | None, conversation: str | None) -> About:
    """Read what an act is about. Raises `Invalid` if it is said twice."""
    if scope is not None and conversation is not None:
        raise Invalid("`--scope` and `--conversation` both say what this is about", "give one of them")
    if conversation is not None:
        return "conversation", conversation
    if scope is None:
        return "everything", None
    kind, name = scope
    return cast("Scope", kind), project_target(name) if kind == "project" else name


def question_here(
    wiring: Wiring,
    subject: str,
    purpose: str,
    *,
    what: About,
    guardian: str,
    campaign: str = "",
    locale: str = "",
    also: tuple[Act, ...] = (),
) -> Question | NotAsked:
    """Draw the question of this home's notice for who sits at this terminal, and sign it.

    `also` are acts that can be taken here beside those that the notice offers.
    """
    from assent.services.choose.ask import Moment, Wanted, ask

    wanted = Wanted(
        subject=subject,
        surface="terminal",
        locale=locale or _first_locale(wiring, subject, purpose, campaign),
        client="terminal",
        interactive=wiring.interactive(),
        purpose=purpose,
        scope=what[0],
        target=what[1],
        guardian=guardian,
        campaign=campaign,
        also=also,
    )
    moment = Moment(wiring.now(), wiring.new_id(), wiring.chance())
    return ask(wiring.store, wiring.desk, wanted, policies=wiring.policy_texts, moment=moment)


def text_here(wiring: Wiring, subject: str, purpose: str, locale: str) -> Rendering:
    """Draw the same question for nobody, always with the answers in the same order, and keep it as a text to quote."""
    from assent.services.choose.ask import Moment, Question, Wanted, ask

    wanted = Wanted(
        subject=subject,
        surface="terminal",
        locale=locale or _first_locale(wiring, subject, purpose, ""),
        client="terminal",
        interactive=False,
        purpose=purpose,
    )
    moment = Moment(wiring.now(), wiring.new_id(), 0.0)
    found = ask(wiring.store, wiring.desk, wanted, policies=wiring.policy_texts, moment=moment)
    assert isinstance(found, Question)  # noqa: S101 - only a campaign says that somebody is not asked
    return found.rendering


def _first_locale(wiring: Wiring, subject: str, purpose: str, campaign: str) -> str:
    from assent.services.campaign.acts import course_of
    from assent.services.campaign.show import manifest_of
    from assent.services.choose.shelf import newest_notice
    from assent.services.choose.standing import policy_today

    store = wiring.store
    if campaign:
        notice = course_of(store, campaign).notice
    else:
        notice = newest_notice(store, policy_today(store, wiring.policies, subject, wiring.now()).name, purpose).digest
    return manifest_of(store, notice).locales[0]


def take(wiring: Wiring, served: Served, subject: str, act: Act, guardian: str) -> Outcome:
    """Take the act that answers what was served."""
    from assent.services.choose.choose import Answer, choose

    shown = served.snapshot
    answer = Answer(
        subject=subject,
        purpose=shown.purpose,
        act=act,
        token=served.token,
        scope=shown.scope,
        target=shown.target,
        guardian=guardian,
    )
    return choose(wiring.store, wiring.log, wiring.desk, answer, policies=wiring.policies, now=wiring.now())


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """Write what became of an act as the JSON object that commands print."""
    choice, effects = outcome.choice, outcome.effects
    record: dict[str, Any] = {
        "id": choice.id,
        "act": choice.act,
        "purpose": choice.purpose,
        "at": format_instant(choice.at),
        "scope": choice.scope,
        "target": choice.target,
        "before": outcome.before,
        "after": outcome.after,
        "leaf": outcome.appended.number,
    }
    if effects is not None:
        record["effects"] = {
            "ends": effects.ends,
            "begins": effects.begins,
            "conversations": effects.conversations,
            "looked_at": effects.looked_at,
            "stopped": effects.stopped,
            "revived": effects.revived,
            "erased_at_another_time": effects.moved,
            "earliest": effects.earliest and format_instant(effects.earliest),
            "latest": effects.latest and format_instant(effects.latest),
            "cuts_not_reached": [
                {"name": cut.name, "number": cut.number, "at": format_instant(cut.created_at)} for cut in effects.cuts
            ],
            "policy": effects.taking_back and effects.taking_back._asdict(),
        }
    return record
