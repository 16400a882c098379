"""The short way of the request that comes by the thousand: an act of a person, past the layers of the framework.

The body is read by the same reader into the same model and taken by the same function as on the
long way. Whatever is not plain there (a key, a query, another media type, a token that may not,
a body that does not fit) goes the long way, which says what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Response
from pydantic import ValidationError

from assent.domain.errors import AssentError
from assent.interfaces.api.access import PRODUCT
from assent.interfaces.api.choices import CHOICES, ChoiceIn, take
from assent.interfaces.api.problems import answer_error
from assent.services.strict_json import read_json

if TYPE_CHECKING:
    from starlette.datastructures import State
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from assent.interfaces.api.access import Callers
    from assent.interfaces.api.choices import Choosing
    from assent.interfaces.api.world import World


class Shortcut:
    """Stands behind the gate and before the framework."""

    def __init__(self, further: ASGIApp, world: World, state: State, route: BaseRoute) -> None:
        """Leave to `further` what is not plain; `route` is the one for which this answers."""
        self._further = further
        self._world = world
        self._callers: Callers = state.callers
        self._together: Choosing = state.choosing
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        what = None
        if scope["type"] == "http" and scope["path"] == CHOICES and scope["method"] == "POST":
            what = await self._plain(scope)
        if what is None:
            await self._further(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            out = await take(self._world, self._together, what)
        except AssentError as problem:
            response = answer_error(scope, problem)
        else:
            response = Response(out.__pydantic_serializer__.to_json(out, by_alias=True), 201, None, "application/json")
        await response(scope, receive, send)

    async def _plain(self, scope: Scope) -> ChoiceIn | None:
        """Read a plain request; None for any other."""
        headers = dict(scope["headers"])
        if (
            scope["query_string"]
            or headers.get(b"content-type") != b"application/json"
            or b"idempotency-key" in headers
            or len(headers) != len(scope["headers"])
        ):
            return None
        try:
            caller = await self._callers.find(headers.get(b"authorization", b"").decode("latin-1"))
            PRODUCT.check(caller)
            what = ChoiceIn.model_validate(read_json(scope["state"]["body"]))
        except (AssentError, ValidationError):
            return None
        scope["state"]["caller"] = caller
        return what
