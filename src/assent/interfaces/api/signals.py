"""Signals: what browsers say by themselves, and what is said on content that people share."""

from __future__ import annotations

from datetime import date
from typing import Annotated, cast

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from assent.domain.errors import NotFound
from assent.interfaces.api.access import Product
from assent.interfaces.api.resource import PLAIN, Input, Name, Output, problems, resource
from assent.interfaces.api.world import World
from assent.services.choose.standing import standing_before
from assent.services.notice import purposes_asked
from assent.services.signals.content_usage import Preference, emit, of_standing
from assent.services.signals.gpc import WELL_KNOWN, read_header, support_resource
from assent.services.signals.record import record_sighting
from assent.services.signals.rule import Outcome, Sighting, SignalRule

_TRAINING = "training"


class SignalIn(Input):
    """What a request of a person carried."""

    subject: Name
    surface: Name
    sec_gpc: list[Annotated[str, StringConstraints(max_length=100, pattern=PLAIN)]] = Field(
        max_length=20, description="The values of the header `Sec-GPC` as received; empty if there was none."
    )


class SignalOut(Output):
    """What the signal came to, by purpose."""

    present: bool
    effects: dict[str, Outcome]


class GpcOut(Output):
    """Whether this site honours Global Privacy Control, and since which day it says so."""

    gpc: bool
    lastUpdate: date  # noqa: N815 - the name that the specification gives it


class ContentUsageOut(Output):
    """What to say where a conversation is shared: the value of `Content-Usage`, and the same as an object."""

    content_usage: str
    preferences: dict[str, Preference]
    standing: str


def router(world: World) -> APIRouter:
    """Return the routes of signals."""
    routes = resource("signals")
    policies = [policy for policy, _ in world.policies]

    @routes.post("/v1/signals", responses=problems(404))
    def record_signal(what: SignalIn, _caller: Product) -> SignalOut:
        """Record what a person's browser said by itself.

        It never allows anything. Where the setting `gpc` says so it declines for a person, until they allow it after
        the signal was seen.
        """
        sighting = Sighting(read_header(what.sec_gpc))
        found = record_sighting(
            world.store,
            world.log,
            sighting,
            subject=what.subject,
            surface=what.surface,
            purposes=purposes_asked(policies),
            rule=cast("SignalRule", world.settings.gpc),
            now=world.now(),
        )
        return SignalOut(
            present=sighting.present, effects={purpose: effect.outcome for purpose, effect in found.items()}
        )

    @routes.get(WELL_KNOWN, responses=problems(404))
    async def read_gpc() -> GpcOut:
        """Read whether this site honours Global Privacy Control."""
        told = world.settings
        if not told.gpc_since:
            raise NotFound("this site says nothing about Global Privacy Control", "set `gpc_since` in its settings")
        since = date.fromisoformat(told.gpc_since)
        return GpcOut.model_validate(
            support_resource(honoured=told.gpc == "decline", since=since) | {"lastUpdate": since}
        )

    @routes.get("/v1/conversations/{conversation}/content-usage", responses=problems(404))
    def read_content_usage(
        conversation: Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)], _caller: Product
    ) -> ContentUsageOut:
        """Say what stands on a conversation that is shared, according to what its owner chose for it.

        Training is refused unless the owner allows it there; `search` is left unsaid.
        """
        if world.store.conversation(conversation) is None:
            raise NotFound("there is no such conversation", "it may have been erased; share it no longer")
        standing = standing_before(world.store.choices_for(conversation), _TRAINING)
        preferences = of_standing(standing)
        return ContentUsageOut(content_usage=emit(preferences), preferences=preferences, standing=standing)

    return routes
