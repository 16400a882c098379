"""The application: layers, resources, and the description that clients are made from."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware

from assent import __version__
from assent.domain.errors import AssentError
from assent.domain.instants import format_instant
from assent.interfaces.api import (
    campaign,
    choices,
    connectors,
    contracts,
    cuts,
    flags,
    ledger,
    moderations,
    notices,
    people,
    policies,
    problems,
    questions,
    rights,
    runs,
    scim,
    server,
    signals,
    telemetry,
    vendors,
    webhooks,
)
from assent.interfaces.api.access import Callers
from assent.interfaces.api.answers import AnswerBook
from assent.interfaces.api.description import describe
from assent.interfaces.api.gate import Gate
from assent.interfaces.api.shelf import Shelf
from assent.interfaces.api.shortcut import Shortcut
from assent.services.events.deliver import deliver
from assent.services.events.tell import AT_ONCE, tell_choices
from assent.services.ledger.queue import GroupQueue
from assent.services.rights.callback import call_back

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.datastructures import State
    from starlette.types import ASGIApp, Receive, Scope, Send

    from assent.interfaces.api.world import World
    from assent.services.choose.choose import Outcome
    from assent.services.choose.several import Asked
    from assent.services.ledger.queue import Worker

RESOURCES: Final = (
    server,
    policies,
    notices,
    campaign,
    questions,
    choices,
    people,
    contracts,
    signals,
    webhooks,
    ledger,
    cuts,
    runs,
    connectors,
    flags,
    rights,
    scim,
    moderations,
    telemetry,
    vendors,
)
"""The resources, each a module beside this one with a function `router` (how: `resource.py`)."""

_TIDY_EVERY_S: Final = 600.0
_TEND_EVERY_S: Final = 1.0
_LOOK_EVERY_S: Final = 3.0
_PAUSE_S: Final = 0.1
"""Between two stretches of events while there are more: choices that come meanwhile go first."""

_DELIVERIES: Final = 50
"""Attempts of one round."""


class _Api(FastAPI):
    """The framework's application, behind layers that cost less than its own."""

    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.front(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Leave out the framework's own last resort: the gate answers mistakes."""
        outermost = super().build_middleware_stack()
        return outermost.app if isinstance(outermost, ServerErrorMiddleware) else outermost

    async def further(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go the long way, through everything that the framework does."""
        await super().__call__(scope, receive, send)


class Beside(Protocol):
    """Another application behind the same gate."""

    def answers(self, scope: Scope) -> bool:
        """Tell whether a request is for it."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def create_app(
    world: World,
    worker: Worker[Asked, Outcome] | None = None,
    beside: Callable[[World, State], Beside] | None = None,
) -> FastAPI:
    """Put the API together on the ports of `world`.

    `worker` takes people's acts; without one a thread here does. `beside` makes what answers the addresses that are
    its own, the pages.
    """

    @asynccontextmanager
    async def while_open(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = world.settings.api_threads
        async with create_task_group() as tasks:
            tasks.start_soon(_repeat, world, _tidy, _TIDY_EVERY_S)
            tasks.start_soon(_repeat, world, _tend, _TEND_EVERY_S)
            tasks.start_soon(_repeat, world, _tell, _LOOK_EVERY_S)
            tasks.start_soon(_repeat, world, _deliver, _LOOK_EVERY_S)
            tasks.start_soon(_repeat, world, _call_back, _LOOK_EVERY_S)
            yield
            tasks.cancel_scope.cancel()
        await app.state.choosing.close()

    app = _Api(
        title="assent",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=while_open,
        exception_handlers={
            AssentError: problems.of_error,
            HTTPException: problems.of_http,
            RequestValidationError: problems.of_validation,
        },
    )
    app.state.world = world
    app.state.callers = Callers(world)
    app.state.choosing = GroupQueue(worker or choices.in_a_thread(world))
    app.state.answers = AnswerBook(world.store)
    app.state.running = set()
    app.state.methods_of = lambda scope: _methods_of(app, scope)
    for module in RESOURCES:
        # beside each other, not one inside the other: an address is matched in one pass
        app.router.routes.extend(module.router(world).routes)
    app.router.routes.insert(0, Shelf(route for route in app.routes if isinstance(route, APIRoute)))
    app.state.forms = {**rights.FORMS, **scim.FORMS, **telemetry.FORMS}
    recording = next(route for route in app.routes if getattr(route, "path", "") == choices.CHOICES)
    shortcut = Shortcut(app.further, world, app.state, recording)
    app.front = Gate(shortcut if beside is None else _both(shortcut, beside(world, app.state)), world)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _both(api: ASGIApp, other: Beside) -> ASGIApp:
    async def whichever(scope: Scope, receive: Receive, send: Send) -> None:
        theirs = scope["type"] == "http" and other.answers(scope)
        await (other if theirs else api)(scope, receive, send)

    return whichever


async def _repeat(world: World, step: Callable[[World], int], every_s: float) -> None:
    """Do a step again and again, as long as the server runs; at once while it finds something to do."""
    # a thread of its own: a receiver that answers slowly keeps no request waiting
    apart = CapacityLimiter(1)
    while True:
        try:
            done = await to_thread.run_sync(step, world, limiter=apart, abandon_on_cancel=True)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the server goes on and tries again
            # the message of an error of ours quotes nothing; of another one the class has to do
            what = problem.message if isinstance(problem, AssentError) else type(problem).__name__
            line = {"at": format_instant(world.now()), "step": step.__name__.strip("_"), "problem": what}
            world.say(orjson.dumps(line).decode())
            done = 0
        await sleep(_PAUSE_S if done else every_s)


def _tidy(world: World) -> int:
    """Forget old answers, and sessions that are over."""
    world.store.forget_answers(world.now() - timedelta(hours=world.settings.answers_kept_hours))
    world.store.forget_sessions(world.now())
    return 0


def _tend(world: World) -> int:
    """Spare the requests the pauses that a database takes after many writes."""
    world.store.tend()
    return 0


def _tell(world: World) -> int:
    """Turn choices into events."""
    told = tell_choices(world.store, world.log.identity)
    # a stretch that is not full was the last one, or the end of what somebody else tells
    return told if told == AT_ONCE else 0


def _deliver(world: World) -> int:
    """Send events to whoever wants them."""
    made = deliver(world.store, world.post, world.now, limit=_DELIVERIES)
    return made.taken + made.put_off + made.given_up


def _call_back(world: World) -> int:
    """Tell agents how their requests go."""
    made = call_back(world.store, rights.desk_of(world), world.post.send, limit=_DELIVERIES)
    return made.told + made.failed


def _methods_of(app: FastAPI, scope: Mapping[str, Any]) -> set[str]:
    """Return the methods that an address answers."""
    found: set[str] = set()
    for route in app.routes:
        match, _ = route.matches({**scope, "method": "-"})
        if match.value:
            found |= getattr(route, "methods", None) or set()
    return found | ({"HEAD"} if "GET" in found else set())
