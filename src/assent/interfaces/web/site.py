"""The site: all pages behind one choke point, as an ASGI application beside the API."""

from __future__ import annotations

from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import orjson
from anyio import to_thread
from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route

from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.domain.instants import format_instant
from assent.interfaces.api.problems import StatusError
from assent.interfaces.web import audience, loaded, reasons
from assent.interfaces.web.cookies import COOKIE
from assent.interfaces.web.limits import COMING_IN, LOOKING, SENDING, Limiter
from assent.interfaces.web.visit import Visit
from assent.services.session.idle import Idle
from assent.services.session.sessions import csrf_of, find
from assent.services.tokens import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.datastructures import State
    from starlette.types import Receive, Scope, Send

    from assent.interfaces.api.world import World
    from assent.interfaces.web.pages import Entry, Pages
    from assent.store.records import Role, Session, SessionKind

_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # for browsers older than the policy's `frame-ancestors`
    "X-Frame-Options": "DENY",
}
_STATUS: Final[Mapping[type[AssentError], int]] = {Invalid: 422, NotFound: 404, Refused: 409}


class Site:
    """Answers the addresses of its entries and the files beside them."""

    def __init__(self, world: World, state: State, modules: Iterable[Pages]) -> None:
        """Serve these pages on the ports of `world`; `state` is the API's, whose queue takes people's acts."""
        self._world = world
        self._choosing = state.choosing
        self._limiter = Limiter(world.ticks)
        self._idle = Idle(timedelta(minutes=world.settings.idle_minutes))
        self.entries = [entry for pages in modules for entry in pages]
        self._routes = [(Route(entry.path, _never, methods=[entry.method]), entry) for entry in self.entries]
        self._firsts = {entry.path.split("/")[1] for entry in self.entries} | {"static"}

    def answers(self, scope: Scope) -> bool:
        """Tell whether the address is one of the site's."""
        return get_route_path(scope).split("/")[1:2] != [] and get_route_path(scope).split("/")[1] in self._firsts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = get_route_path(scope)
        if path.startswith(loaded.PREFIX):
            response = loaded.answer(path, Headers(scope=scope).get("if-none-match", ""))
        else:
            response = await self._visit(scope, receive, path)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _visit(self, scope: Scope, receive: Receive, path: str) -> Response:
        entry, parameters = self._entry(scope)
        if entry is not None:
            scope["path_params"], scope["route"] = parameters, entry
        request = Request(scope, receive)
        return await to_thread.run_sync(self._answer, request, entry, path)

    def _entry(self, scope: Scope) -> tuple[Entry | None, dict[str, Any]]:
        for route, entry in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return entry, child["path_params"]
        return None, {}

    def _answer(self, request: Request, entry: Entry | None, path: str) -> Response:
        """Take one visit through every check, and ask the page. Runs in a thread."""
        now = self._world.now()
        token, session = self._session(request, entry)
        visit = Visit(self._world, request, session, self._choosing, now, token)
        if session is not None:
            name = session.who if session.kind == "staff" else session.kind
            request.scope["state"]["caller"] = Caller(name, cast("Role", session.role or session.kind))
        if request.method == "OPTIONS":
            return self._preflight(request, path)
        try:
            if entry is None:
                raise NotFound("there is no such page", "go back, or begin at the start")
            self._admit(visit, entry)
            waiting = reasons.asked_first(visit, entry)
            response = entry.handler(visit) if waiting is None else waiting
        except _SignInError:
            return RedirectResponse(visit.to("/sign-in", next=_asked(request)), 303)
        except AssentError as problem:
            response = self._problem(visit, entry, problem)
        return self._for_element(request, entry, response)

    def _session(self, request: Request, entry: Entry | None) -> tuple[str, Session | None]:
        kinds: tuple[SessionKind, ...] = ("person", "staff")
        token = request.cookies.get(COOKIE, "")
        if entry is not None and entry.audience is audience.ELEMENT:
            kinds = ("element",)
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            token = token if scheme.lower() == "bearer" else ""
        # both kinds, so that whoever is signed in as something else is told that, and not that nobody is
        for kind in kinds:
            found = find(self._world.store, token, kind, now=self._world.now()) if token else None
            if found is not None and (kind != "staff" or self._idle.awake(found, now=self._world.now())):
                return token, found
            if found is not None:
                self._world.store.end_session(found.digest)
        return "", None

    # -- the checks -------------------------------------------------------------------------

    def _admit(self, visit: Visit, entry: Entry) -> None:
        """Let a visit pass. Raises what the visitor is told; who is refused stands in the record."""
        request = visit.request
        self._slow_down(visit, entry)
        if not entry.audience.admits(visit.session):
            self._refused(visit, entry, "audience")
            if visit.session is None:
                if entry.audience.kind == "staff" and entry.method == "GET":
                    raise _SignInError("nobody is signed in", "sign in")
                raise StatusError(401, "nobody is signed in here", "open this page from the product, or sign in")
            raise StatusError(403, "this page is not for you", "ask somebody whose task it is")
        if entry.method != "POST":
            return
        if not entry.open_form and not (_proven(visit) and self._from_here(request)):
            self._refused(visit, entry, "form")
            raise StatusError(403, "this form was not sent from a page of this site", "open the page, send it again")
        way_in = entry.audience.kind is None
        # nobody else's page may sign somebody in here; the product's may send people over
        if way_in and not (self._from_here(request) or self._from_product(request)):
            self._refused(visit, entry, "form")
            raise StatusError(403, "this form was sent from a page of another site", "begin at the sign-in page")

    def _slow_down(self, visit: Visit, entry: Entry) -> None:
        request = visit.request
        whose = visit.session.digest if visit.session else (request.client.host if request.client else "")
        kind, rate = ("look", LOOKING) if entry.method == "GET" else ("send", SENDING)
        if entry.method == "POST" and entry.audience.kind is None:
            kind, rate = f"in {entry.path}", entry.rate or COMING_IN
        wait = self._limiter.wait(f"{kind} {whose}", rate)
        if wait:
            self._refused(visit, entry, "rate")
            raise _TooOftenError(wait)

    def _from_here(self, request: Request) -> bool:
        """Tell whether a browser says that a page of ours sent the form; browsers that say nothing are too old."""
        site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
        if site:
            return site == "same-origin"
        return bool(origin) and origin == self._own_origin(request)

    def _from_product(self, request: Request) -> bool:
        origin = request.headers.get("origin", "")
        product = urlsplit(self._world.settings.product_url)
        products = {f"{product.scheme}://{product.netloc}", *self._world.settings.embed_origins}
        return origin in products if origin else "sec-fetch-site" not in request.headers

    def _own_origin(self, request: Request) -> str:
        found = urlsplit(self._world.settings.address)
        if found.netloc:
            return f"{found.scheme}://{found.netloc}"
        return f"{request.url.scheme}://{request.headers.get('host', '')}"

    def _refused(self, visit: Visit, entry: Entry, why: str) -> None:
        line = {
            "at": format_instant(visit.now),
            "request": visit.request.scope["state"]["request"],
            "refused": why,
            "route": entry.path,
            "role": visit.role or (visit.session.kind if visit.session else ""),
        }
        self._world.say(orjson.dumps(line).decode())

    # -- other answers ------------------------------------------------------------------------

    def _problem(self, visit: Visit, entry: Entry | None, problem: AssentError) -> Response:
        status = problem.status if isinstance(problem, StatusError) else _status(problem)
        headers = {"Retry-After": str(problem.seconds)} if isinstance(problem, _TooOftenError) else {}
        if entry is not None and entry.audience is audience.ELEMENT:
            said = {"problem": problem.message, "fix": problem.fix, "reason": getattr(problem, "reason", "")}
            response = Response(orjson.dumps(said), status, media_type="application/json")
        else:
            response = visit.page("problem.html", status, problem=problem, number_of=status)
        response.headers.update(headers)
        return response

    def _for_element(self, request: Request, entry: Entry | None, response: Response) -> Response:
        origin = request.headers.get("origin", "")
        if entry is not None and entry.path.startswith("/notice/") and origin in self._world.settings.embed_origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response

    def _preflight(self, request: Request, path: str) -> Response:
        origin = request.headers.get("origin", "")
        if not path.startswith("/notice/") or origin not in self._world.settings.embed_origins:
            return Response(status_code=405)
        headers = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }
        return Response(status_code=204, headers=headers)


class _SignInError(AssentError):
    """Somebody has to sign in first."""


class _TooOftenError(StatusError):
    def __init__(self, seconds: int) -> None:
        super().__init__(429, "this was asked too often", "wait a little, then try again")
        self.seconds = seconds


def _proven(visit: Visit) -> bool:
    return compare_digest(visit.form.get("csrf", "").encode(), csrf_of(visit.token).encode())


def _status(problem: AssentError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(problem, kind)), 500)


def _asked(request: Request) -> str:
    path = get_route_path(request.scope)
    return f"{path}?{request.url.query}" if request.url.query else path


async def _never(_request: Request) -> Response:
    # a route has to have one; ours only match, and `_visit` asks the page
    raise NotImplementedError
