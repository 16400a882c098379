"""The campaign of Lantern, and its people before the question.

Everything goes the way of a real product: the campaign says who is asked, the question is drawn
and signed, an act quotes what was shown. Only the people are made up, and their devices say so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from assent.services.campaign.acts import Written, amend, close, course_of, draft, lint, schedule, start
from assent.services.campaign.funnel import question_of
from assent.services.campaign.offer import NotAsked, record_prompts
from assent.services.campaign.remind import due_reminders, reminded
from assent.services.campaign.show import lint_of
from assent.services.choose.ask import Moment, Wanted, ask
from assent.services.choose.choose import Answer, choose
from assent.store.records import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assent.domain.facts import Act
    from assent.policy.model import Policy
    from assent.services.choose.ask import Question
    from assent.services.choose.desk import Desk
    from assent.services.demo.calendar import Showing
    from assent.services.demo.lantern import Lantern
    from assent.services.ledger.log import Log
    from assent.store.port import Store
    from assent.store.records import PromptKind

NOTICE: Final = "lantern/2025-10-08"
"""The shipped notice by which Lantern asks."""
ID: Final = "autumn"
PURPOSE: Final = "training"
OFFICE: Final = "privacy office of Lantern"
CAMPAIGN: Final = """\
assent = 1

[campaign]
id = "autumn"
title = "Training, asked of every consumer"
notice = "lantern-training/1"
policy = "anthropic/2025-10-08"
purposes = ["training"]
start = 2025-09-01T00:00:00Z
deadline = 2025-10-08T00:00:00Z
no_answer = "block"
escape = ["export"]
reminders = ["P7D"]

[audience]
plans = ["consumer"]
ages = { from = 18 }

[defers]
max = 3
cool_down = "P1D"

[layouts]
stacked = 1
side-by-side = 1

[alarm]
threshold = 10
answers = 100
"""
_AMENDED: Final = CAMPAIGN.replace('["P7D"]', '["P7D", "P1D"]')
_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Provider:
    """What Lantern works with. `new_id` gives fresh ids, `chance` a number drawn evenly from [0, 1)."""

    store: Store
    log: Log
    desk: Desk
    policies: Sequence[tuple[Policy, str]]
    new_id: Callable[[], str]
    chance: Callable[[], float]


def play(provider: Provider, lantern: Lantern, *, since: datetime, now: datetime) -> Counter[str]:
    """Let the campaign and its people act after `since`, up to `now`, in order of time; counts what happened."""
    told: Counter[str] = Counter()
    left: list[Prompt] = []
    steps: list[tuple[datetime, Callable[[datetime], Iterator[str]]]] = [
        (at, lambda at, step=step: step(provider, at))  # type: ignore[misc]
        for at, step in _OFFICE
    ]
    steps += [
        (showing.at, lambda _at, showing=showing: _before(provider, showing, left))  # type: ignore[misc]
        for showing in lantern.calendar.showings
    ]
    for at, step in sorted(steps, key=lambda one: one[0]):
        if since < at <= now:
            told.update(step(at))
    if left:
        record_prompts(provider.store, course_of(provider.store, ID), left)
    return told


# -- people -----------------------------------------------------------------------------------------


def _before(provider: Provider, showing: Showing, left: list[Prompt]) -> Iterator[str]:
    """Put the question before somebody, and do what they do; who does nothing leaves a prompt, and never an act."""
    wanted = Wanted(
        subject=showing.subject,
        surface=showing.surface,
        locale=showing.locale,
        client=showing.client,
        interactive=True,
        purpose=PURPOSE,
        campaign=ID if showing.place == "campaign" else "",
    )
    moment = Moment(showing.shown_at, provider.new_id(), provider.chance())
    found = ask(provider.store, provider.desk, wanted, policies=provider.policies, moment=moment)
    if isinstance(found, NotAsked):
        yield f"not asked: {found.why}"
        return
    yield f"shown by {showing.place}"
    yield showing.did
    if showing.did in ("closed", "timed out"):
        left.append(_left(showing, found))
        return
    answer = Answer(
        subject=showing.subject,
        purpose=PURPOSE,
        act=cast("Act", showing.did),
        token=found.served.token,
        explain=False,
    )
    versions = [policy for policy, _ in provider.policies]
    choose(provider.store, provider.log, provider.desk, answer, policies=versions, now=showing.at)


def _left(showing: Showing, question: Question) -> Prompt:
    return Prompt(
        campaign=ID,
        subject=showing.subject,
        purpose=PURPOSE,
        at=showing.at,
        kind=cast("PromptKind", showing.did),
        layout=question.rendering.layout,
        client=showing.client,
        surface=showing.surface,
        locale=showing.locale,
        rendering=question.rendering.digest,
    )


# -- the privacy office -----------------------------------------------------------------------------


def _prepare(provider: Provider, at: datetime) -> Iterator[str]:
    draft(provider.store, Written(CAMPAIGN, "autumn.toml"), provider.policies, by=OFFICE, now=at)
    linted, _ = lint_of(provider.store, course_of(provider.store, ID))
    lint(provider.store, ID, linted, by=OFFICE, now=at)
    schedule(provider.store, ID, by=OFFICE, now=at)
    yield "campaign drafted, linted and scheduled"


def _start(provider: Provider, at: datetime) -> Iterator[str]:
    linted, _ = lint_of(provider.store, course_of(provider.store, ID))
    start(provider.store, ID, linted, by=OFFICE, now=at)
    yield "campaign live"


def _amend(provider: Provider, at: datetime) -> Iterator[str]:
    (signer, *_) = provider.log.signers
    reason = "one more reminder, a day before the deadline"
    written = Written(_AMENDED, "autumn.toml")
    amend(provider.store, ID, written, signer, linted=None, reason=reason, by=OFFICE, now=at)
    yield "campaign amended and signed"


def _remind(provider: Provider, at: datetime) -> Iterator[str]:
    course, after = course_of(provider.store, ID), ""
    question = question_of(course, PURPOSE, at)
    while True:
        page = due_reminders(provider.store, course, question, now=at, after=after, limit=_ONCE)
        record_prompts(provider.store, course, [reminded(one, ID, at) for one in page.items])
        yield from ["reminded"] * len(page.items)
        if page.after is None:
            return
        after = page.after


def _close(provider: Provider, at: datetime) -> Iterator[str]:
    close(provider.store, ID, "the deadline has passed; nobody stays blocked", by=OFFICE, now=at)
    yield "campaign closed"


_OFFICE: Final[tuple[tuple[datetime, Callable[[Provider, datetime], Iterator[str]]], ...]] = (
    (datetime(2025, 8, 28, 9, tzinfo=UTC), _prepare),
    (datetime(2025, 9, 1, tzinfo=UTC), _start),
    (datetime(2025, 9, 26, 9, tzinfo=UTC), _amend),
    (datetime(2025, 10, 1, 8, tzinfo=UTC), _remind),
    (datetime(2025, 10, 7, 8, tzinfo=UTC), _remind),
    (datetime(2025, 10, 20, 9, tzinfo=UTC), _close),
)
"""What the office does, and when."""
