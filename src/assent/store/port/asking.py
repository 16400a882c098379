"""Contracts of asking: the shelf of notices, campaigns, prompts, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from assent.store.records import (
    AnswerTime,
    Audience,
    CampaignEvent,
    CampaignText,
    FunnelCell,
    Listing,
    NoticeText,
    Page,
    Prompt,
    Question,
    Rendering,
    Waiting,
)


class Notices(Protocol):
    """The shelf: every notice and every text ever shown, for ever; a digest never changes its meaning."""

    def add_notice(self, notice: NoticeText) -> None:
        """Keep a notice under its digest; the first one kept under a digest stays."""
        ...

    def notice(self, digest: str) -> NoticeText | None: ...

    def notices(self) -> list[NoticeText]:
        """Read all notices in the order in which they were added."""
        ...

    def add_rendering(self, rendering: Rendering) -> None:
        """Keep a text as shown. The first one kept under a digest stays.

        Raises `NotFound` if its notice is not on the shelf, `Refused` for another body under the same digest.
        """
        ...

    def rendering(self, digest: str) -> Rendering | None: ...

    def renderings(self, notice: str, page: Page) -> Listing[Rendering]:
        """List the texts of a notice, newest first."""
        ...


class Campaigns(Protocol):
    """Campaigns as drafted, and every step since."""

    def add_campaign(self, campaign: CampaignText) -> None:
        """Keep a draft. The same draft again does nothing; another one under its id raises `Refused`.

        Raises `NotFound` if its notice is not on the shelf, or its policy not in the store.
        """
        ...

    def campaign(self, campaign: str) -> CampaignText | None: ...

    def campaigns(self, page: Page) -> Listing[CampaignText]:
        """List campaigns, newest first."""
        ...

    def add_campaign_event(self, event: CampaignEvent) -> None:
        """Append the next step. The same step again does nothing.

        Raises `Refused` if its number is taken by another step or leaves a gap: somebody was
        faster, read again. Raises `NotFound` for an unknown campaign.
        """
        ...

    def campaign_events(self, campaign: str) -> list[CampaignEvent]:
        """Read every step in order."""
        ...


class Prompts(Protocol):
    """Who was prompted when; appended in bulk, counted by the database, never loaded whole."""

    def add_prompts(self, prompts: Iterable[Prompt]) -> int:
        """Append prompts, in one transaction, and return how many were new.

        A prompt that is there already is left alone. Raises `NotFound` for an unknown campaign,
        `Refused` if one says something else about the same kind of prompt at the same instant.
        """
        ...

    def prompts_of(self, campaign: str, subject: str) -> list[Prompt]:
        """Read one person's prompts in one campaign, oldest first."""
        ...

    def prompts(self, campaign: str, page: Page) -> Listing[Prompt]:
        """List the prompts of a campaign, newest first."""
        ...

    def in_audience(self, audience: Audience) -> int:
        """Count the accounts that an audience takes in."""
        ...

    def funnel(self, question: Question) -> list[FunnelCell]:
        """Count everybody who was shown or answered the question, each once, in cells of people who are alike."""
        ...

    def answer_times(self, question: Question) -> list[AnswerTime]:
        """Say how long people took to allow and to decline: everybody, and by each thing that tells them apart."""
        ...

    def waiting(self, question: Question, after: str, limit: int) -> list[Waiting]:
        """Read up to `limit` people behind subject `after` who are in the audience and have not answered."""
        ...
