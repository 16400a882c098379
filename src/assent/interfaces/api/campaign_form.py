"""What the routes of campaigns take and answer."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from assent.interfaces.api.resource import Input, Instant, Name, Output, Word
from assent.services.campaign.machine import State
from assent.services.campaign.offer import Why
from assent.store.records import PromptKind

MAX_DOCUMENT: Final = 200_000
MAX_PROMPTS: Final = 1_000

Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CampaignOut(Output):
    """Where a campaign stands. `notice` and `policy` are digests."""

    id: str
    title: str
    state: State
    notice: str
    policy: str
    purposes: list[str]
    start: Instant
    deadline: Instant
    no_answer: Literal["decline", "block"]
    steps: int
    digest: str


class CampaignList(Output):
    """One page of campaigns, newest first."""

    campaigns: list[CampaignOut]
    total: int
    after: str | None


class StepOut(Output):
    """One step that was taken."""

    at: str
    step: str
    by: str


class CampaignWhole(CampaignOut):
    """A campaign with every step since the draft."""

    history: list[StepOut]


class DocumentIn(Input):
    """A campaign file (spec/campaign.md): the text of a TOML document."""

    document: str = Field(min_length=1, max_length=MAX_DOCUMENT)


class AmendmentIn(DocumentIn):
    """A campaign file as it is to be from now on, and why."""

    reason: Line


class ReasonIn(Input):
    """Why a step is taken."""

    reason: Line


class FindingOut(Output):
    """One thing that the lint of a notice found."""

    severity: Literal["error", "warning"]
    message: str
    fix: str


class LintOut(Output):
    """What the lint found. Without errors the campaign is linted."""

    errors: int
    findings: list[FindingOut]
    state: State


class OfferIn(Input):
    """Who might be asked."""

    subject: Name


class OfferOut(Output):
    """Whether a person may be asked now, or why not. Nothing is shown and nothing is logged by asking this."""

    asked: bool
    why: Why | None = None
    until: Instant | None = None
    purpose: str | None = None
    layout: str | None = None
    defers_left: int | None = None
    deadline: Instant | None = None
    blocked: bool = False
    escape: list[str] = Field(default_factory=list)


class PromptIn(Input):
    """One thing that happened on a screen, or one reminder that was sent."""

    subject: Name
    purpose: Word
    at: Instant
    kind: PromptKind
    layout: Word = ""
    client: Word = ""
    surface: Word = ""
    locale: Word = ""
    rendering: Word = ""
    snapshot: Word = ""


class PromptsIn(Input):
    """What happened on screens, at most a thousand at once."""

    prompts: list[PromptIn] = Field(min_length=1, max_length=MAX_PROMPTS)


class Logged(Output):
    """How many of the prompts were new."""

    new: int


class ReminderOut(Output):
    """One person who is due a reminder."""

    subject: str
    deadline: Instant


class ReminderList(Output):
    """A page of reminders that are due; `after` is where the next page starts, and a page may be empty."""

    purpose: str
    reminders: list[ReminderOut]
    after: str | None


class IntervalOut(Output):
    """A share, or a difference of shares, with its bounds."""

    value: float
    low: float
    high: float


class FiguresOut(Output):
    """Counts of people, each once, that have an arm in common."""

    arm: str
    shown: int
    left_open: int
    deferred: int
    allowed: int
    declined: int
    changed: int
    allow_share: IntervalOut | None
    median_allow_s: float | None
    median_decline_s: float | None


class AlarmOut(Output):
    """Something leans: a layout, a client, or the time that one answer takes."""

    kind: str
    one: str
    other: str
    says: str
    apart: IntervalOut | None


class FunnelOut(Output):
    """What asking came to; no layout is called the best."""

    campaign: str
    purpose: str
    at: Instant
    in_audience: int
    states: dict[str, int]
    left: dict[str, int]
    total: FiguresOut
    by: dict[str, list[FiguresOut]]
    alarms: list[AlarmOut]
