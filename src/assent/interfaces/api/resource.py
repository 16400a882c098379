"""What every resource of the API is made of: a router whose routes read strictly and answer a repeated request once.

A resource is a module with one function:

    def router(world: World) -> APIRouter:
        routes = resource("choices", "What people chose.")

        @routes.post("/v1/choices", status_code=201, responses=problems(404, 409))
        def record_choice(what: ChoiceIn, caller: Product, fresh: Fresh) -> ChoiceOut:
            '''Record what a person chose.

            The second paragraph goes into the description of the API.
            '''
            return choice_out(choose(world.store, world.log, ..., id=fresh(), now=world.now()))

        return routes

Then it is named in `RESOURCES` of `app.py`, and that is all: 401, 403, 413, 415, 422, idempotency, limits, the
request's name and the description follow. What to keep in mind:

- `def`, not `async def`: a route that asks the store runs in the bounded thread pool.
- Bodies are classes derived from `Input`, answers from `Output`; an instant in a body is an `Instant`. A list is read
  a page at a time: take `page: Paged`, and answer what `Listing` holds.
- Annotations are read from the module's globals: name there every type that a route mentions.
- Raise the errors of `assent.domain.errors`; set `status` on one to answer something else than its class means.
- A new thing takes its id from `fresh()`: the same request under the same `Idempotency-Key` gets the same id, so
  that a request repeated after a crash meets what the first one wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial, wraps
from hashlib import sha256
from inspect import iscoroutinefunction
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

from assent.domain.errors import AssentError, Invalid
from assent.domain.instants import format_instant, parse_instant
from assent.interfaces.api import problems as problem
from assent.interfaces.api.access import caller_of
from assent.services.strict_json import read_json
from assent.settings import MAX_PAGE_ROWS
from assent.store.records import Answered, Page

_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}")

SECRET: Final = "x-secret"  # noqa: S105 - a mark, and no secret
"""Mark, beyond OpenAPI, of an operation whose answer holds a secret: it is not kept for a repetition."""


def further(rules: str) -> dict[str, str]:
    """Say, for `openapi_extra`, which rules of a request no JSON Schema can: what breaks one is answered by 422."""
    return {"x-further-rules": rules}


PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"
"""A line of text without control characters, which no database of ours and no reader takes well."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Input(BaseModel):
    """A body: every field as written, none more, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Relaying(Input):
    """A body with JSON of others in it, kept as it stands or not looked at: whole numbers may be great there."""


class Output(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic makes a problem of this class only
    try:
        return parse_instant(value)
    except AssentError:
        raise ValueError from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "pattern": r"^(19|2\d)\d\d-", "examples": ["2026-11-22T09:00:00Z"]}
    ),
]
"""A moment, as ISO 8601 text with a zone."""


def _count(value: object) -> object:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=problem.NOT_BLANK)]
"""An id or word of the caller's own: a subject, a purpose, a client."""

Word = Annotated[str, StringConstraints(max_length=200, pattern=PLAIN)]
"""As `Name`, or empty."""


async def page_of(
    limit: Annotated[
        # the range stands inside, where the description of the API finds it
        int, Field(ge=1, le=MAX_PAGE_ROWS), BeforeValidator(_count), Query(description="How many rows at most.")
    ] = 100,
    after: Annotated[
        str | None, Query(max_length=1_000, description="Where to go on: what the page before gave as `after`.")
    ] = None,
) -> Page:
    """Read which stretch of a list is asked for."""
    return Page(limit, after)


Paged = Annotated[Page, Depends(page_of)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that an operation may answer."""
    return {
        status: {
            "description": problem.KINDS[status][1],
            "content": {problem.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


async def fresh_of(request: Request) -> Callable[[], str]:
    """Return a source of ids for what this request makes; a repeated request draws the same ones in the same order."""
    seed: str | None = request.scope["state"].get("seed")
    if seed is None:
        new_id: Callable[[], str] = request.app.state.world.new_id
        return new_id
    drawn = 0

    def fresh() -> str:
        nonlocal drawn
        drawn += 1
        return sha256(f"{seed}\n{drawn}".encode()).hexdigest()[:32]

    return fresh


Fresh = Annotated[Callable[[], str], Depends(fresh_of)]


class _StrictRequest(Request):
    """A request whose body is read as I-JSON."""

    foreign = False

    async def json(self) -> Any:
        if not hasattr(self, "_read"):
            try:
                self._read = read_json(await self.body(), foreign=self.foreign)
            except Invalid as error:
                raise problem.UnreadError(error.message, error.fix) from None
        return self._read


class StrictRoute(APIRoute):
    """A route that reads strictly; a POST also answers a repeated request as it answered the first."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Serve `endpoint` at `path`; a plain function runs in the thread pool, in one hop where FastAPI takes two."""
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _in_thread(endpoint), **options)

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        expects_body = self.body_field is not None
        body = self.body_field.field_info.annotation if self.body_field else None
        foreign = isinstance(body, type) and issubclass(body, Relaying)
        known = {parameter.alias for parameter in _query_parameters(self.dependant)}

        async def handle(request: Request) -> Response:
            request = _StrictRequest(request.scope, request.receive)
            request.foreign = foreign
            if expects_body:
                _check_media_type(request)
            _check_query(request, known)
            return await inner(request)

        if "POST" not in (self.methods or ()):
            return handle
        return _once(handle, kept=not (self.openapi_extra or {}).get(SECRET))


def resource(tag: str) -> APIRouter:
    """Return the router of one resource; `tag` groups it in the description."""
    return APIRouter(route_class=StrictRoute, tags=[tag], generate_unique_id_function=lambda route: route.name)


def _in_thread(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def run(**values: Any) -> Any:
        return await to_thread.run_sync(partial(endpoint, **values))

    return run


def _query_parameters(dependant: Any) -> list[Any]:
    own = list(dependant.query_params)
    return own + [parameter for inner in dependant.dependencies for parameter in _query_parameters(inner)]


def _check_media_type(request: Request) -> None:
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        raise problem.StatusError(415, "the body is not marked as JSON", "send `Content-Type: application/json`")


def _check_query(request: Request, known: set[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    faults = [{"type": "extra_forbidden", "loc": ("query", name), "msg": ""} for name in names if name not in known]
    if len(names) != len(set(names)):
        faults.append({"type": "twice", "loc": ("query",), "msg": "a parameter is given twice"})
    if faults:
        raise RequestValidationError(faults)


def _once(handle: Handler, *, kept: bool) -> Handler:
    """Answer a request that names a key as the first one with this key was answered."""

    async def handle_once(request: Request) -> Response:
        key = request.headers.get("idempotency-key")
        caller = await caller_of(request) if key is not None else None
        if key is None or caller is None:
            return await handle(request)
        if not _KEY.fullmatch(key):
            raise problem.StatusError(400, "the header `Idempotency-Key` is no key", "send 1 to 128 visible characters")
        digest = _digest(request)
        running: set[tuple[str, str]] = request.app.state.running
        place = (caller.name, key)
        if place in running:
            raise problem.StatusError(409, "a request with this key is being answered", "wait for its answer")
        running.add(place)
        try:
            return await _answer_once(request, handle, place, digest, kept=kept)
        finally:
            running.discard(place)

    return handle_once


async def _answer_once(
    request: Request, handle: Handler, place: tuple[str, str], digest: str, *, kept: bool
) -> Response:
    world = request.app.state.world
    known: Answered | None = await to_thread.run_sync(world.store.answered, *place)
    if known is not None and known.at >= world.now() - timedelta(hours=world.settings.answers_kept_hours):
        if known.request != digest:
            raise problem.StatusError(
                422, "this key was used for another request", "draw a fresh key for every new request"
            )
        media = problem.MEDIA_TYPE if known.status >= 400 else "application/json"
        return Response(known.body, known.status, {"Idempotency-Replayed": "true"}, media)
    request.scope["state"]["seed"] = sha256("\n".join((*place, digest)).encode()).hexdigest()
    try:
        found = await handle(request)
    except AssentError as error:
        # what was decided is an answer; what could not be read or done now may well succeed the next time
        if problem.status_of(error) not in (404, 409):
            raise
        found = await problem.of_error(request, error)
    if found.status_code < 500 and kept:
        row = Answered(*place, digest, found.status_code, bytes(found.body).decode(), world.now())
        await request.app.state.answers.keep(row)
    return found


def _digest(request: Request) -> str:
    address = f"{request.method}\n{request.url.path}?{request.url.query}\n".encode()
    return sha256(address + request.scope["state"]["body"]).hexdigest()
