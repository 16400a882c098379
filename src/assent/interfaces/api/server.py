"""The server itself: whether it is well, its description, and what its problems mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from assent.domain.errors import NotFound
from assent.interfaces.api.problems import KINDS
from assent.interfaces.api.resource import Output, problems, resource
from assent.interfaces.api.world import World


class Health(Output):
    """The server answers, and so does its store."""

    well: bool


class ProblemKind(Output):
    """What a kind of problem means; its address is the `type` of the problem."""

    type: str
    title: str
    status: int


def router(world: World) -> APIRouter:
    """Return the routes about the server itself; they need no token."""
    routes = resource("server")

    @routes.get("/healthz")
    def read_health() -> Health:
        """Tell whether the server and its store answer."""
        world.store.answered("", "")
        return Health(well=True)

    @routes.get("/openapi.json", include_in_schema=False)
    async def read_description(request: Request) -> dict[str, Any]:
        """Read the description of this API (OpenAPI 3.1)."""
        found: dict[str, Any] = request.app.openapi()
        return found

    @routes.get("/problems/{kind}", responses=problems(404))
    async def read_problem_kind(kind: Annotated[str, Path(max_length=64)]) -> ProblemKind:
        """Read what a kind of problem means."""
        for status, (name, title) in KINDS.items():
            if name == kind:
                return ProblemKind(type=f"/problems/{name}", title=title, status=status)
        raise NotFound("there is no such kind of problem", "see the description of the API for those there are")

    return routes
