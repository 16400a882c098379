"""Who calls: bearer tokens, each with one role. A token's digest is kept, never the token.

A resource says who may call it in its signature, and the description of the API follows:

    @router.post("/v1/choices")
    def record(what: ChoiceIn, caller: Product) -> ChoiceOut: ...
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Annotated, Final

from anyio import to_thread
from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from assent.interfaces.api.problems import StatusError
from assent.services.tokens import Caller, digest_of

if TYPE_CHECKING:
    from assent.interfaces.api.world import World
    from assent.store.records import Role

REMEMBERED_S: Final = 0.5
"""Seconds for which a token is not looked up again: a revoked one is refused after this time at the latest."""

_FRESH_S: Final = REMEMBERED_S / 2
"""Seconds after which it is looked up again beside the requests, so that one who calls all the time never waits."""

_REMEMBERED: Final = 10_000


class Callers:
    """Every token that called within the last moment, so that most requests ask the store nothing."""

    def __init__(self, world: World) -> None:
        """Ask the store and the monotonic clock of this world."""
        self._world = world
        self._found: dict[str, tuple[Caller | None, float]] = {}
        self._asking: dict[str, asyncio.Task[Caller | None]] = {}

    async def find(self, authorization: str | None) -> Caller | None:
        """Return who holds the token of an `Authorization` header; None if nobody does."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            return None
        digest = digest_of(token)
        caller, asked = self._found.get(digest, (None, -inf))
        age = self._world.ticks() - asked
        if age < _FRESH_S:
            return caller
        asking = self._asking.get(digest)
        if asking is None or asking.done():
            asking = self._asking[digest] = asyncio.create_task(self._ask(digest))
            # where nobody waits for it, the next one who asks hears what the matter is
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        # one who hangs up takes nothing from the others that wait for the same
        return caller if age < REMEMBERED_S else await asyncio.shield(asking)

    async def _ask(self, digest: str) -> Caller | None:
        """Look a token up; whoever calls with it meanwhile waits for this."""
        asked = self._world.ticks()
        try:
            row = await to_thread.run_sync(self._world.store.token, digest)
        finally:
            self._asking.pop(digest, None)
        caller = Caller(row.name, row.role) if row is not None and row.revoked_at is None else None
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[digest] = (caller, asked)
        return caller


async def caller_of(request: Request) -> Caller | None:
    """Return who calls, looked up once a request."""
    state = request.scope["state"]
    if "caller" not in state:
        state["caller"] = await request.app.state.callers.find(request.headers.get("authorization"))
    found: Caller | None = state["caller"]
    return found


class Needs(SecurityBase):
    """Lets callers of some roles in; 401 for nobody, 403 for somebody else."""

    def __init__(self, *roles: Role) -> None:
        """Let callers of these roles in."""
        self.roles = frozenset(roles)
        self.scheme_name = "token"
        self.model = HTTPBearer(description="A token of this server: `assent token add NAME --role ROLE` prints one.")

    async def __call__(self, request: Request) -> Caller:
        return self.check(await caller_of(request))

    def check(self, caller: Caller | None) -> Caller:
        """Return the caller who is let in. Raises `StatusError` for anybody else."""
        if caller is None:
            fix = "send `Authorization: Bearer TOKEN`; `assent token add` makes one"
            raise StatusError(401, "the request carries no token that is known here", fix)
        if caller.role not in self.roles:
            allowed = ", ".join(sorted(self.roles))
            raise StatusError(403, f"a token of the role `{caller.role}` may not do this", f"use one of: {allowed}")
        return caller


PRODUCT: Final = Needs("product")

Product = Annotated[Caller, Depends(PRODUCT)]
"""A chat product, which speaks for the subject that each request names."""

Officer = Annotated[Caller, Depends(Needs("officer"))]
"""A privacy officer; never makes a grant."""

Staff = Annotated[Caller, Depends(Needs("officer", "engineer", "safety", "auditor"))]
"""Anybody of the controller who may look; no product and no directory."""

Reader = Annotated[Caller, Depends(Needs("product", "officer", "auditor"))]
"""Whoever may see what one person chose: the product for that person, officers and auditors."""

Auditor = Annotated[Caller, Depends(Needs("officer", "auditor"))]
Engineer = Annotated[Caller, Depends(Needs("officer", "engineer"))]
Works = Annotated[Caller, Depends(Needs("officer", "engineer", "auditor"))]
"""Whoever has erasing done, and whoever watches over it."""

Safety = Annotated[Caller, Depends(Needs("officer", "safety"))]
Directory = Annotated[Caller, Depends(Needs("directory"))]
Anybody = Annotated[Caller, Depends(Needs("product", "officer", "engineer", "safety", "auditor", "directory"))]
"""Whoever holds a token."""
