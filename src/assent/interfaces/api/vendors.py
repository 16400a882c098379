"""Vendors outside report how orders to erase stand: believed for their signature alone, so no token is asked for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response

from assent.domain.errors import Refused
from assent.interfaces.api.problems import StatusError
from assent.interfaces.api.resource import PLAIN, problems
from assent.interfaces.api.world import World
from assent.services.connect.vendors import receive

_Name = Annotated[str, Path(min_length=1, max_length=64, pattern=PLAIN, description="The name it is connected by.")]

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "description": "A status of OpenDSR 1.0, section 8.6."}},
            "application/jose": {"schema": {"type": "string", "description": "A reply to a webhook, as compact JWS."}},
        },
    }
}


def router(world: World) -> APIRouter:
    """Return the routes of vendors."""
    routes = APIRouter(tags=["vendors"], generate_unique_id_function=lambda route: route.name)

    @routes.post(
        "/v1/vendors/{vendor}/status",
        status_code=204,
        response_class=Response,
        responses={204: {"description": "kept"}, **problems(403, 404, 408, 413, 422, 503)},
        openapi_extra=_BODY,
    )
    async def receive_status(request: Request, vendor: _Name) -> Response:
        """Take a signed status of an order to erase, and keep it as evidence; the same again changes nothing.

        The signature is that of the vendor's certificate or key, and nothing of the body is read before it was checked.
        """
        body, headers = await request.body(), dict(request.headers)
        try:
            await to_thread.run_sync(receive, world.connectors, vendor, headers, body)
        except Refused as problem:
            raise StatusError(403, problem.message, problem.fix) from None
        return Response(status_code=204)

    return routes
