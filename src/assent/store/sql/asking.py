"""The rooms of asking: the shelf of notices, campaigns, and the log of prompts."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from assent.domain.errors import NotFound, Refused
from assent.store.records import CampaignEvent, CampaignText, Listing, NoticeText, Page, Prompt, Rendering
from assent.store.schema import campaign as campaigns
from assent.store.schema import campaign_event as events
from assent.store.schema import notice as notices
from assent.store.schema import policy as policies
from assent.store.schema import prompt as prompts
from assent.store.schema import rendering as renderings
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, RowMapping

_EVENT = select(*(column for column in events.columns if column.name != "id"))
_PROMPT = select(*(column for column in prompts.columns if column.name != "id"))


class NoticeRoom(Room):
    """The shelf. Nothing on it is ever changed or taken away."""

    def add_notice(self, notice: NoticeText) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(notices.c.digest).where(notices.c.digest == notice.digest)) is None:
                connection.execute(insert(notices).values(asdict(notice)))

    def notice(self, digest: str) -> NoticeText | None:
        def find() -> NoticeText | None:
            with self._database.reading() as connection:
                row = connection.execute(select(notices).where(notices.c.digest == digest)).mappings().one_or_none()
            return None if row is None else NoticeText(**row)

        return self._held_texts.get(NoticeText, digest, find)

    def notices(self) -> list[NoticeText]:
        query = select(notices).order_by(notices.c.added_at, notices.c.digest)
        with self._database.reading() as connection:
            return [NoticeText(**row) for row in connection.execute(query).mappings()]

    def add_rendering(self, rendering: Rendering) -> None:
        with self._database.writing() as connection:
            _must_be_there(connection, rendering.notice)
            found = _found_rendering(connection, rendering.digest)
            if found is None:
                row = asdict(rendering) | {"options": json.dumps(rendering.options)}
                connection.execute(insert(renderings).values(row))
            elif replace(found, added_at=rendering.added_at) != rendering:
                raise _taken("rendering", rendering.digest)

    def rendering(self, digest: str) -> Rendering | None:
        def find() -> Rendering | None:
            with self._database.reading() as connection:
                return _found_rendering(connection, digest)

        return self._held_texts.get(Rendering, digest, find)

    def renderings(self, notice: str, page: Page) -> Listing[Rendering]:
        query = select(renderings).where(renderings.c.notice == notice)
        with self._database.reading() as connection:
            return listing(connection, query, (renderings.c.added_at, renderings.c.digest), page, _rendering)


class CampaignRoom(Room):
    """Campaigns: a draft each, and numbered steps."""

    def add_campaign(self, campaign: CampaignText) -> None:
        with self._database.writing() as connection:
            _must_be_there(connection, campaign.notice)
            if connection.scalar(select(policies.c.digest).where(policies.c.digest == campaign.policy)) is None:
                raise NotFound(f"policy `{campaign.policy}` is not in the store", "add the policy first")
            found = _found_campaign(connection, campaign.id)
            if found is None:
                connection.execute(insert(campaigns).values(asdict(campaign)))
            elif replace(found, by=campaign.by, created_at=campaign.created_at) != campaign:
                raise _taken("campaign", campaign.id)

    def campaign(self, campaign: str) -> CampaignText | None:
        with self._database.reading() as connection:
            return _found_campaign(connection, campaign)

    def campaigns(self, page: Page) -> Listing[CampaignText]:
        order = (campaigns.c.created_at, campaigns.c.id)
        with self._database.reading() as connection:
            return listing(connection, select(campaigns), order, page, _campaign)

    def add_campaign_event(self, event: CampaignEvent) -> None:
        with self._database.writing() as connection:
            if _found_campaign(connection, event.campaign) is None:
                raise _unknown(event.campaign)
            query = _EVENT.where(events.c.campaign == event.campaign, events.c.number == event.number)
            found = connection.execute(query).mappings().one_or_none()
            if found is not None and CampaignEvent(**found) == event:
                return
            last = select(func.max(events.c.number)).where(events.c.campaign == event.campaign)
            if event.number != (connection.scalar(last) or 0) + 1:
                message = f"step `{event.number}` of campaign `{event.campaign}` is not the next one"
                raise Refused(message, "somebody was faster: look at the campaign again, then decide again")
            connection.execute(insert(events).values(asdict(event)))

    def campaign_events(self, campaign: str) -> list[CampaignEvent]:
        query = _EVENT.where(events.c.campaign == campaign).order_by(events.c.number)
        with self._database.reading() as connection:
            return [CampaignEvent(**row) for row in connection.execute(query).mappings()]


class PromptRoom(Room):
    """What happened on screens."""

    def add_prompts(self, items: Iterable[Prompt]) -> int:
        added = 0
        with self._database.writing() as connection:
            for piece in pieces(items):
                added += _append(connection, piece)
        return added

    def prompts_of(self, campaign: str, subject: str) -> list[Prompt]:
        query = _PROMPT.where(prompts.c.campaign == campaign, prompts.c.subject == subject)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(prompts.c.at, prompts.c.id)).mappings()
            return [Prompt(**row) for row in rows]

    def prompts(self, campaign: str, page: Page) -> Listing[Prompt]:
        query = _PROMPT.where(prompts.c.campaign == campaign)
        with self._database.reading() as connection:
            return listing(connection, query, (prompts.c.at, prompts.c.id), page, _prompt)


def _append(connection: Connection, piece: list[Prompt]) -> int:
    named = {prompt.campaign for prompt in piece}
    known = set(connection.scalars(select(campaigns.c.id).where(campaigns.c.id.in_(named))))
    if unknown := named - known:
        raise _unknown(min(unknown))
    query = _PROMPT.where(
        prompts.c.campaign.in_(named),
        prompts.c.subject.in_({prompt.subject for prompt in piece}),
        prompts.c.at.between(min(prompt.at for prompt in piece), max(prompt.at for prompt in piece)),
    )
    kept = {_key(found): found for found in (Prompt(**row) for row in connection.execute(query).mappings())}
    fresh: list[dict[str, Any]] = []
    for prompt in piece:
        before = kept.get(_key(prompt))
        if before is None:
            kept[_key(prompt)] = prompt
            fresh.append(asdict(prompt))
        elif before != prompt:
            message = f"a `{prompt.kind}` prompt of this person at this instant says something else already"
            raise Refused(message, "a prompt is logged once and never changed")
    if fresh:
        connection.execute(insert(prompts), fresh)
    return len(fresh)


def _key(prompt: Prompt) -> tuple[object, ...]:
    return prompt.campaign, prompt.subject, prompt.purpose, prompt.at, prompt.kind


def _rendering(row: RowMapping) -> Rendering:
    values = dict(values_of(row))
    return Rendering(**values | {"options": tuple(json.loads(values["options"]))})


def _campaign(row: RowMapping) -> CampaignText:
    return CampaignText(**values_of(row))


def _prompt(row: RowMapping) -> Prompt:
    return Prompt(**values_of(row))


def _found_rendering(connection: Connection, digest: str) -> Rendering | None:
    row = connection.execute(select(renderings).where(renderings.c.digest == digest)).mappings().one_or_none()
    return None if row is None else _rendering(row)


def _found_campaign(connection: Connection, campaign: str) -> CampaignText | None:
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign)).mappings().one_or_none()
    return None if row is None else _campaign(row)


def _must_be_there(connection: Connection, notice: str) -> None:
    if connection.scalar(select(notices.c.digest).where(notices.c.digest == notice)) is None:
        raise NotFound(f"there is no notice `{notice}` on the shelf", "add the notice first")


def _taken(kind: str, name: str) -> Refused:
    return Refused(f"{kind} `{name}` is there with another meaning", "use a name of its own")


def _unknown(campaign: str) -> NotFound:
    return NotFound(f"there is no campaign `{campaign}`", "list the campaigns to see their ids")
