"""Finding a route by the beginning of its address, where the framework would try one pattern after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi.routing import APIRoute
    from starlette.types import Receive, Scope, Send


class Shelf(BaseRoute):
    """Stands before all routes and answers for them; what it does not find, the routes behind it are asked for."""

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        """Sort the routes by their first two pieces, as far as these are no parameters."""
        self._routes: dict[str, list[APIRoute]] = {}
        for route in routes:
            self._routes.setdefault(_beginning(route.path), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            beginning = _beginning(get_route_path(scope))
            for name in (beginning, beginning.partition("/")[0]):
                for route in self._routes.get(name, ()):
                    match, found = route.matches(scope)
                    if match is Match.FULL:
                        return match, {**found, "shelved": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Any = scope["shelved"]
        await route.handle(scope, receive, send)


def _beginning(path: str) -> str:
    """Return the first two pieces of a path without a parameter: `v1/people` of `/v1/people/{subject}`."""
    pieces = path.split("/", 3)[1:3]
    return "/".join(piece for piece in pieces if not piece.startswith("{"))
