"""Webhooks: where the provider's other systems are told of events, and what was told."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field

from assent.interfaces.api.access import Auditor, Officer
from assent.interfaces.api.resource import (
    PLAIN,
    SECRET,
    Fresh,
    Input,
    Instant,
    Name,
    Output,
    Paged,
    further,
    problems,
    resource,
)
from assent.interfaces.api.stretch import stretch
from assent.interfaces.api.world import World
from assent.services.events.endpoints import MAX_URL, Address, add_endpoint, disable_endpoint
from assent.store.records import Endpoint, Event

EndpointId = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]


_RULE: Final = "The address is https, with a host and without a user; types are as `assent.choice.recorded`."


class EndpointIn(Input):
    """Where events are to go."""

    url: str = Field(min_length=1, max_length=MAX_URL, pattern=PLAIN, description="https, and no secret in it.")
    types: list[Name] = Field(default=[], max_length=50, description="Types of events, as listed; all if empty.")


class EndpointOut(Output):
    """Where events go."""

    id: str
    url: str
    types: list[str]
    added_at: Instant
    disabled_at: Instant | None


class EndpointMade(EndpointOut):
    """A new endpoint with its secret (Standard Webhooks): the only time that it is seen."""

    secret: str


class EndpointList(Output):
    """One page of endpoints, by id."""

    webhooks: list[EndpointOut]
    total: int
    after: str | None


class ReplayIn(Input):
    """Which event is to be sent once more."""

    event: Name


class EventOut(Output):
    """Something that happened. `about` names a person by a pseudonym, never by an id."""

    id: str
    type: str
    about: str
    at: Instant
    data: dict[str, Any]


class EventList(Output):
    """One page of events, newest first."""

    events: list[EventOut]
    total: int
    after: str | None


def router(world: World) -> APIRouter:
    """Return the routes of webhooks and events."""
    routes = resource("webhooks")

    @routes.get("/v1/webhooks")
    def list_webhooks(page: Paged, _caller: Officer) -> EndpointList:
        """List where events go, disabled endpoints too."""
        found = stretch([_endpoint(one) for one in world.store.endpoints()], page)
        return EndpointList(webhooks=list(found.items), total=found.total, after=found.after)

    @routes.post("/v1/webhooks", status_code=201, openapi_extra={SECRET: True} | further(_RULE))
    def add_webhook(what: EndpointIn, _caller: Officer, fresh: Fresh) -> EndpointMade:
        """Begin to send events to an address, and read the secret that signs them: it is shown this once.

        The answer is kept nowhere: the same request again under the same key makes nothing and is refused.
        """
        address = Address(what.url, tuple(what.types), inner_allowed=world.settings.webhooks_inner)
        made, secret = add_endpoint(
            world.store, world.keys, address, endpoint_id=fresh(), key=world.new_key(), now=world.now()
        )
        return EndpointMade(**_endpoint(made).model_dump(), secret=secret)

    @routes.post("/v1/webhooks/{webhook}/disable", responses=problems(404))
    def disable_webhook(webhook: EndpointId, _caller: Officer) -> EndpointOut:
        """Send nothing more to an endpoint."""
        return _endpoint(disable_endpoint(world.store, webhook, now=world.now()))

    @routes.post("/v1/webhooks/{webhook}/replay", status_code=202, response_model=None, responses=problems(404))
    def replay_event(webhook: EndpointId, what: ReplayIn, _caller: Officer) -> None:
        """Send an event to an endpoint once more; receivers know it by its `webhook-id`."""
        world.store.replay_event(what.event, webhook, world.now())

    @routes.get("/v1/events")
    def list_events(
        page: Paged,
        _caller: Auditor,
        kind: Annotated[str | None, Query(alias="type", min_length=1, max_length=100, pattern=PLAIN)] = None,
    ) -> EventList:
        """List events, newest first, of one type or all."""
        found = world.store.events(page, type=kind)
        return EventList(events=[_event(one) for one in found.items], total=found.total, after=found.after)

    return routes


def _endpoint(one: Endpoint) -> EndpointOut:
    return EndpointOut.model_validate(one, from_attributes=True)


def _event(one: Event) -> EventOut:
    return EventOut(id=one.id, type=one.type, about=one.about, at=one.at, data=json.loads(one.data))
