"""The Data Rights Protocol 1.0, server side: agents draw a token, ask for people, and read how it goes.

Bodies are `text/plain`: base64 of an Ed25519 signature and the JSON that it signs. Errors have the protocol's own form
(section 3.06), and a key set-up that is not believed is refused without a word (section 2.05.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from assent.interfaces.api.problems import StatusError
from assent.interfaces.api.rights_description import REQUEST, SETUP, STATUS, describe
from assent.interfaces.api.world import World
from assent.services.rights.agents import set_up
from assent.services.rights.exercise import Desk, NotYours, has_results
from assent.services.rights.message import Untrusted
from assent.services.rights.summary import summary_of
from assent.services.tokens import digest_of
from assent.store.records import RightsAgent, RightsRequest

_Id = Annotated[str, Path(description="As it was given out.")]


def error_form(status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """Answer an error in the form of section 3.06."""
    body = {"code": str(status), "message": detail, "fatal": status in (400, 403)}
    return Response(orjson.dumps(body), status, headers, "application/json")


FORMS: Final = {"/v1/agent/": error_form, "/v1/data-rights-request": error_form}
"""The form of errors under these prefixes."""


class _Agent(SecurityBase):
    """Finds the agent that holds the token of a request."""

    def __init__(self) -> None:
        self.scheme_name = "agent"
        self.model = HTTPBearer(description="A token of the Data Rights Protocol, from `POST /v1/agent/{agent_id}`.")

    async def __call__(self, request: Request) -> RightsAgent:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found: RightsAgent | None = None
        if scheme.lower() == "bearer" and token:
            store = request.app.state.world.store
            found = await to_thread.run_sync(store.agent_with_token, digest_of(token))
        if found is None:
            raise StatusError(
                401, "the request carries no token of an agent", "draw one at `POST /v1/agent/{agent_id}`"
            )
        return found


Agent = Annotated[RightsAgent, Depends(_Agent())]


def router(world: World) -> APIRouter:
    """Return the protocol's routes."""
    routes = APIRouter(tags=["rights"], generate_unique_id_function=lambda route: route.name)

    @routes.post("/v1/agent/{agent_id}", **describe(SETUP, signed=True, agent=False))
    async def set_up_agent(request: Request, agent_id: _Id) -> Response:
        """Give an agent a fresh token for a signed message; its token before this one is refused from now on."""
        body, business, now = await _body(request), world.settings.rights_business, world.now()
        try:
            token = await to_thread.run_sync(
                lambda: set_up(world.store, agent_id, body, business=business, key=world.new_key(), now=now)
            )
        except Untrusted:
            return Response(status_code=403)
        return _answer({"agent-id": agent_id, "token": token})

    @routes.get("/v1/agent/{agent_id}", **describe({"type": "object"}))
    async def read_agent(agent_id: _Id, agent: Agent) -> Response:
        """Tell an agent that its token is still good."""
        if agent.id != agent_id:
            raise NotYours("the token is another agent's", "use the id that the token was drawn for")
        return _answer({})

    @routes.post("/v1/data-rights-request", **describe(STATUS, 409, signed=True))
    async def exercise_right(request: Request, agent: Agent) -> Response:
        """Ask something for a person. The same message again finds the request it made the first time."""
        body, desk = await _body(request), desk_of(world)
        return _status(request, desk, await to_thread.run_sync(desk.exercise, agent, body))

    @routes.get("/v1/data-rights-request/{request_id}", **describe(STATUS, 409))
    async def read_request(request: Request, request_id: _Id, agent: Agent) -> Response:
        """Read how a request of this agent stands."""
        desk = desk_of(world)
        return _status(request, desk, await to_thread.run_sync(desk.read, agent, request_id))

    @routes.delete("/v1/data-rights-request/{request_id}", **describe(STATUS, 409, signed=True))
    async def revoke_request(request: Request, request_id: _Id, agent: Agent) -> Response:
        """Take a request back for the person, as long as it was not carried out."""
        body, desk = await _body(request), desk_of(world)
        return _status(request, desk, await to_thread.run_sync(desk.revoke, agent, request_id, body))

    @routes.get("/v1/data-rights-request/{request_id}/results", **describe(REQUEST, 404, 409))
    async def read_results(request_id: _Id, agent: Agent) -> Response:
        """Read what an access request brought: what is kept about the person, as it is now."""
        found, now = await to_thread.run_sync(desk_of(world).read, agent, request_id), world.now()
        if not has_results(found, now) or found.subject is None:
            return error_form(404, "this request has brought nothing that can be read", None)
        summary = await to_thread.run_sync(summary_of, world.store, found.subject, found.exercise)
        return _answer({"request_id": found.id, "as_of": now.isoformat().replace("+00:00", "Z"), **summary})

    return routes


def desk_of(world: World) -> Desk:
    """Return where rights requests are dealt with at this instant."""
    told = world.settings
    now: datetime = world.now()
    return Desk(
        store=world.store,
        log=world.log,
        business=told.rights_business,
        days=told.rights_days,
        opt_out=told.rights_training_opt_out,
        verify_at=told.rights_verify_at,
        now=now,
    )


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/plain":
        raise StatusError(415, "the body is not marked as a signed message", "send `Content-Type: text/plain`")
    return await request.body()


def _status(request: Request, desk: Desk, found: RightsRequest) -> Response:
    return _answer(desk.status_of(found, str(request.base_url).rstrip("/")))


def _answer(value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
