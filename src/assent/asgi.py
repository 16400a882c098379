"""assent inside another product: one ASGI application to mount (docs/how-to/embed-assent.md).

from assent.asgi import application

privacy = application("/srv/assent")
app = FastAPI(lifespan=privacy.lifespan)
app.mount("/privacy", privacy)
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from assent.interfaces.api.app import create_app
from assent.interfaces.web.addresses import create_site
from assent.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send


class Application:
    """The API and the pages of one home.

    A product that mounts it opens it with its own lifespan, because frameworks do not open what is mounted. Where
    that was forgotten it opens itself with the first request, and ends with the loop.
    """

    def __init__(self, home: Path, address: str) -> None:
        """Open the home; `address` is where browsers reach what is mounted, if its settings do not say."""
        world = Wiring(home).world()
        if address:
            world = replace(world, settings=replace(world.settings, address=address))
        self._app = create_app(world, None, create_site)
        self._opened: asyncio.Task[None] | None = None
        self.open = False
        """Whether what runs beside the requests runs."""

    @asynccontextmanager
    async def lifespan(self, _app: Any = None) -> AsyncIterator[None]:
        """Run what runs beside the requests while the product runs: `FastAPI(lifespan=...)`, or inside another one."""
        limiter = to_thread.current_default_thread_limiter()
        theirs = limiter.total_tokens
        async with self._app.router.lifespan_context(self._app):
            # how many threads there are is for the product to say
            limiter.total_tokens = theirs
            self.open = True
            try:
                yield
            finally:
                self.open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            # served by itself, and not mounted
            await self._lived(receive, send)
            return
        if not self.open and self._opened is None:
            self._opened = asyncio.create_task(self._stay_open())
        await self._app(scope, receive, send)

    async def _stay_open(self) -> None:
        async with self.lifespan():
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def _lived(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def application(home: str | Path, *, address: str = "") -> Application:
    """Return what a FastAPI or Starlette product mounts: the API and the pages of the home folder `home`.

    `address` is where browsers reach it, as `https://chat.example/privacy`, if the settings do not say. Raises
    `NotFound` where there is no home, or no ledger in it.
    """
    return Application(Path(home), address)
