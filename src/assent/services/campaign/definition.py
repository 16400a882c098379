"""Read a campaign file: TOML text and a policy in, a `Campaign` or problems with file, line, column and fix out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from assent.domain.digests import digest
from assent.domain.durations import Duration, add
from assent.domain.errors import Invalid, Place
from assent.policy.build import REGIONS, RuleProblem, choices_of
from assent.policy.document import NoneOf
from assent.policy.parse import Places
from assent.services.campaign.document import CampaignDocument
from assent.services.campaign.wording import shape_problem
from assent.store.records import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.document import Document

BUSINESS: Final = "business"
"""The group of plans of a policy that no campaign asks."""


class CampaignProblems(Invalid):
    """Everything that is wrong with a campaign file, in file order."""

    def __init__(self, problems: list[Invalid]) -> None:
        """Show the first problem as the message; `problems` holds all."""
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, first.fix, first.place)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with groups expanded and instants in UTC.

    `digest` names its meaning (comments and layout of the file do not count). `grace` is how long after the deadline an
    answer is still taken. `sign_up` is how long new people have, None where they are asked like everybody else.
    """

    id: str
    title: str
    notice: str
    policy: str
    purposes: tuple[str, ...]
    audience: Audience
    start: datetime
    deadline: datetime
    no_answer: Literal["decline", "block"]
    escape: tuple[str, ...]
    grace: Duration | None
    reminders: tuple[Duration, ...]
    max_defers: int
    cool_down: Duration
    layouts: tuple[tuple[str, int], ...]
    sign_up: Duration | Literal["before first use"] | None
    alarm_threshold: int
    alarm_answers: int
    digest: str

    @property
    def closes_at(self) -> datetime | None:
        """When it closes by itself; None if only a person closes it: it blocks, or new people go on to sign up."""
        if self.no_answer == "block" or self.sign_up is not None:
            return None
        return self.until

    @property
    def until(self) -> datetime:
        """The deadline with the grace after it."""
        return add(self.deadline, self.grace) if self.grace else self.deadline

    def deadline_of(self, opened_at: datetime | None) -> datetime:
        """Return the deadline of a person whose account was opened then (None: not known, so not new)."""
        if self.sign_up is None or opened_at is None or opened_at < self.start:
            return self.deadline
        return opened_at if self.sign_up == "before first use" else add(opened_at, self.sign_up)


def campaign_of(text: str, file: str, policy: Document) -> Campaign:
    """Read a campaign file under its policy. Raises `CampaignProblems` naming every fault with its place and fix."""
    document, places = _read(text, file)
    problems = [places.at(problem) for problem in _content(document, policy)]
    if problems:
        raise CampaignProblems(sorted(problems, key=_position))
    return _built(document, policy)


def policy_named(text: str, file: str) -> str:
    """Return the name of the policy that a campaign file is written under. Raises `CampaignProblems`."""
    return _read(text, file)[0].campaign.policy


def _read(text: str, file: str) -> tuple[CampaignDocument, Places]:
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
        raise CampaignProblems([_syntax(reason, text, file)]) from None
    places = Places(text, file)
    try:
        document = CampaignDocument.model_validate(raw, strict=True)
    except ValidationError as error:
        problems = [shape_problem(fault, places.of) for fault in error.errors(include_url=False)]
        unique = {(str(problem.place), problem.message): problem for problem in problems}
        raise CampaignProblems(sorted(unique.values(), key=_position)) from None
    if zoneless := [places.at(problem) for problem in _without_zone(raw, ())]:
        raise CampaignProblems(sorted(zoneless, key=_position))
    return document, places


def _syntax(message: str, text: str, file: str) -> Invalid:
    reason, _, where = message.partition(" (at ")
    numbers = [int(word) for word in where.replace(",", " ").replace(")", " ").split() if word.isdigit()]
    place = Place(file, *numbers[:2]) if numbers else Place(file, text.count("\n") + 1)
    return Invalid(f"this is not TOML: {reason[0].lower()}{reason[1:]}", "correct the syntax here", place)


def _position(problem: Invalid) -> tuple[int, int]:
    return (problem.place.line or 0, problem.place.column or 0) if problem.place else (0, 0)


def _without_zone(value: Any, path: tuple[str | int, ...]) -> Iterator[RuleProblem]:
    if isinstance(value, datetime) and value.tzinfo is None:
        message = f"`{path[-1]}`: `{value.isoformat()}` has no zone"
        yield RuleProblem(path, message, "add `Z` for UTC or an offset such as `+02:00`")
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _without_zone(item, (*path, key))


def _content(document: CampaignDocument, policy: Document) -> Iterator[RuleProblem]:
    """List what the shape alone does not show."""
    yield from _times(document)
    yield from _silence(document)
    yield from _under_the_policy(document, policy)
    yield from _whom(document, policy)
    if not any(document.layouts.values()):
        yield RuleProblem(("layouts",), "no layout has a weight", "give at least one layout a weight above zero")


def _times(document: CampaignDocument) -> Iterator[RuleProblem]:
    header = document.campaign
    if header.deadline <= header.start:
        message = "`deadline` is not after `start`"
        yield RuleProblem(("campaign", "deadline"), message, "give people time to answer")
        return
    seen = set()
    for number, offset in enumerate(header.reminders):
        path = ("campaign", "reminders", number)
        if add(header.start, offset) > header.deadline:
            yield RuleProblem(path, f"`{offset}` before the deadline lies before `start`", "use a shorter length")
        if offset in seen:
            yield RuleProblem(path, f"`{offset}` is there twice", "name each reminder once")
        seen.add(offset)


def _silence(document: CampaignDocument) -> Iterator[RuleProblem]:
    header = document.campaign
    blocks = header.no_answer == "block"
    if blocks and not header.escape:
        fix = 'add `escape = ["export"]` or `escape = ["read only"]`: nobody is locked out of their own data'
        yield RuleProblem(("campaign", "no_answer"), "`block` names no way out", fix)
    if header.escape and not blocks:
        message, fix = "`escape` without `block` means nothing", 'remove it, or write `no_answer = "block"`'
        yield RuleProblem(("campaign", "escape"), message, fix)
    if document.sign_up is not None and document.sign_up.deadline == "before first use" and not blocks:
        fix = 'use a length such as `P14D`, or `no_answer = "block"`'
        yield RuleProblem(("sign_up", "deadline"), "`before first use` gives no time to stay silent", fix)


def _under_the_policy(document: CampaignDocument, policy: Document) -> Iterator[RuleProblem]:
    header, parameters = document.campaign, policy.parameters
    name = f"{policy.policy.provider}/{policy.policy.version}"
    if header.policy != name:
        yield RuleProblem(("campaign", "policy"), f"`{header.policy}` is not the policy `{name}`", "name the policy")
    rules = [*policy.grant, *policy.exception]
    asked = sorted({choice.purpose for rule in rules for choice in choices_of(rule)})
    for number, purpose in enumerate(header.purposes):
        path = ("campaign", "purposes", number)
        if purpose not in asked:
            fix = f"use one of {', '.join(asked)}" if asked else "this policy asks for nothing"
            yield RuleProblem(path, f"no grant of `{name}` asks for `{purpose}`", fix)
        if purpose in header.purposes[:number]:
            yield RuleProblem(path, f"`{purpose}` is there twice", "name each purpose once")
    if parameters.no_answer in ("decline", "block") and header.no_answer != parameters.no_answer:
        message = f"the policy says `{parameters.no_answer}` for people who do not answer"
        yield RuleProblem(("campaign", "no_answer"), message, "say the same, or change the policy first")
    if document.defers.max > parameters.max_defers:
        message = f"the policy lets people put it off `{parameters.max_defers}` times at most"
        yield RuleProblem(("defers", "max"), message, f"use {parameters.max_defers} or less")
    if add(header.start, document.defers.cool_down) < add(header.start, parameters.defer_cooldown):
        message = f"the policy leaves people alone for `{parameters.defer_cooldown}` after they put it off"
        yield RuleProblem(("defers", "cool_down"), message, f"use {parameters.defer_cooldown} or more")


def _whom(document: CampaignDocument, policy: Document) -> Iterator[RuleProblem]:
    whom = document.audience
    business = set(policy.plans.get(BUSINESS, ()))
    known = {name for group, members in policy.plans.items() for name in (group, *members)}
    for number, plan in enumerate(whom.plans):
        path = ("audience", "plans", number)
        if plan not in known:
            fix = f"use one of {', '.join(sorted(known - business - {BUSINESS}))}"
            yield RuleProblem(path, f"`{plan}` is not a plan of this policy", fix)
        elif plan == BUSINESS or business & {plan, *policy.plans.get(plan, ())}:
            message = f"`{plan}` is a business plan: its people cannot grant anything"
            yield RuleProblem(path, message, "name consumer plans only")
    if whom.ages.below is not None and whom.ages.below <= whom.ages.from_:
        yield RuleProblem(("audience", "ages"), "nobody has these ages", "let `below` be greater than `from`")
    named = whom.regions.not_ if isinstance(whom.regions, NoneOf) else whom.regions or []
    for number, region in enumerate(named):
        if region not in policy.regions and region not in REGIONS and not (len(region) == 2 and region.isupper()):
            message = f"`{region}` is neither a country nor a group of this policy"
            yield RuleProblem(("audience", "regions", number), message, "use ISO 3166-1 codes in capitals, as `DE`")


def _built(document: CampaignDocument, policy: Document) -> Campaign:
    header, whom = document.campaign, document.audience
    regions = whom.regions.not_ if isinstance(whom.regions, NoneOf) else whom.regions or []
    groups: dict[str, Any] = {**REGIONS, **policy.regions}
    codes = tuple(sorted({code for region in regions for code in groups.get(region, [region])}))
    outside = isinstance(whom.regions, NoneOf)
    start = header.start.astimezone(UTC)
    before = whom.created_before.astimezone(UTC) if whom.created_before else None
    audience = Audience(
        plans=tuple(sorted({plan for name in whom.plans for plan in policy.plans.get(name, [name])})),
        age_from=whom.ages.from_,
        age_below=whom.ages.below,
        regions=() if outside else codes,
        outside=codes if outside else (),
        signed_in=whom.signed_in,
        opened_before=before,
        sign_ups_from=start if document.sign_up else None,
    )
    return Campaign(
        id=header.id,
        title=header.title,
        notice=header.notice,
        policy=header.policy,
        purposes=tuple(header.purposes),
        audience=audience,
        start=start,
        deadline=header.deadline.astimezone(UTC),
        no_answer=header.no_answer,
        escape=tuple(header.escape or ()),
        grace=header.grace,
        reminders=tuple(header.reminders),
        max_defers=document.defers.max,
        cool_down=document.defers.cool_down,
        layouts=tuple(sorted(document.layouts.items())),
        sign_up=document.sign_up.deadline if document.sign_up else None,
        alarm_threshold=document.alarm.threshold,
        alarm_answers=document.alarm.answers,
        digest=digest(_plain(document.model_dump(by_alias=True))),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)
