"""Rows of asking: notices, every text ever shown, campaigns, and who was prompted when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

PromptKind = Literal["shown", "closed", "timed out", "reminded"]
PROMPT_KINDS: Final[tuple[PromptKind, ...]] = get_args(PromptKind)
"""What can happen on a screen without the person acting. To put off is an act: it is a choice, `defer`."""

CampaignEventKind = Literal["revised", "linted", "scheduled", "unscheduled", "started", "amended", "closed"]
CAMPAIGN_EVENT_KINDS: Final[tuple[CampaignEventKind, ...]] = get_args(CampaignEventKind)

Arm = Literal["", "layout", "client", "surface", "locale"]
"""What people can be told apart by: where they first met the question. Empty: not at all."""

PersonPhase = Literal["unseen", "shown", "deferred", "allowed", "declined", "changed"]
"""How far a person is with one question. `declined` is an act of refusing; `changed`: answered both ways, in turn."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """One version of a notice: its manifest as written, named by its digest, and the policy it speaks for."""

    digest: str
    name: str
    version: str
    policy: str
    document: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Rendering:
    """One text exactly as it was shown, named by its digest. `options` are the acts, in the order shown.

    `deadline` is the one that a campaign set for whoever was shown it; None where the policy's was named.
    """

    digest: str
    notice: str
    surface: str
    locale: str
    layout: str
    options: tuple[str, ...]
    body: str
    added_at: datetime
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignText:
    """A campaign as it was drafted, everything after that is an event.

    `notice` and `policy` are digests; `digest` names the meaning of `document`.
    """

    id: str
    notice: str
    policy: str
    document: str
    digest: str
    by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignEvent:
    """One step of a campaign: the first is number 1. `change` is canonical JSON, `signature` empty unless signed."""

    campaign: str
    number: int
    at: datetime
    kind: CampaignEventKind
    by: str
    change: str = "{}"
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that happened on a screen, or one reminder sent.

    `rendering` is the digest of the text shown (empty for a reminder), `snapshot` the digest of
    the signed snapshot the client was served. One person has one prompt of a kind at an instant.
    """

    campaign: str
    subject: str
    purpose: str
    at: datetime
    kind: PromptKind
    layout: str = ""
    client: str = ""
    surface: str = ""
    locale: str = ""
    rendering: str = ""
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a campaign asks, by facts of accounts. A fact that is unknown and asked for leaves a person out.

    `regions`: in one of these (empty: any); `outside`: in none of these. `opened_before`: the
    account is older than this. `sign_ups_from`: accounts opened from then on are asked too.
    A closed account, and one that moved to a business plan, is never in.
    """

    plans: tuple[str, ...]
    age_from: int
    age_below: int | None = None
    regions: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    signed_in: bool | None = None
    opened_before: datetime | None = None
    sign_ups_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted: one purpose of one campaign, as far as it is known at `until`.

    An act of a person about everything counts as an answer if it was made in the campaign,
    since `since`, or to a text of one of `notices` (digests of this version of the notice).
    """

    campaign: str
    purpose: str
    notices: tuple[str, ...]
    audience: Audience
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class FunnelCell:
    """People who were shown or answered a question, alike in where they first met it and how far they are.

    `standing_allows` tells whether the newest answer is an allow; None without an answer.
    `inside`: they are in the audience now (one may have left it). `left_open` were shown it, closed
    it or let it time out, and have not acted at all.
    """

    layout: str
    client: str
    surface: str
    locale: str
    phase: PersonPhase
    standing_allows: bool | None
    first_allows: bool | None
    inside: bool
    people: int
    shown: int
    left_open: int
    deferred: int
    showings: int


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """The median time from the showing that was answered to the first answer, in seconds, of `people` people.

    They have `value` in common for `kind`; an empty kind is everybody.
    """

    kind: Arm
    value: str
    allows: bool
    people: int
    median_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person of the audience who has not answered: when they were last reminded, shown it, and put it off."""

    subject: str
    opened_at: datetime | None
    reminded_at: datetime | None
    shown_at: datetime | None
    deferred_at: datetime | None
