"""The provider's directory over SCIM 2.0 (RFC 7643, RFC 7644), at /scim/v2.

What works is advertised and nothing else: filter, paging by index, PATCH, entity tags; no bulk, no sort, no passwords.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    Error,
    ETag,
    Filter,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    Meta,
    NotFoundException,
    Patch,
    PatchOp,
    Resource,
    ResourceType,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
)

from assent.domain.errors import Invalid
from assent.interfaces.api.access import Directory as DirectoryCaller
from assent.interfaces.api.scim_description import BODY, PARAMETERS, describe
from assent.interfaces.api.world import World
from assent.services.directory.keep import LENIENT, Directory
from assent.services.directory.person import User
from assent.services.strict_json import read_json

T = TypeVar("T", bound=BaseModel)

PREFIX: Final = "/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"

PAGE: Final = 100
"""Resources on a page that asks for no count, and at most in answer to a filter."""

_MAX_START: Final = 2**31
_PICK: Final = ("attributes", "excludedAttributes")
_READ_TYPES: Final = (MEDIA_TYPE, "application/json")


def error_form(status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """Answer an error in the form of RFC 7644 section 3.12."""
    body = Error(status=status, detail=detail).model_dump_json(scim_ctx=Context.DEFAULT)
    return Response(body, status, headers, MEDIA_TYPE)


FORMS: Final = {PREFIX: error_form}
"""The form of errors under this prefix."""


def router(world: World) -> APIRouter:
    """Return the directory's routes."""
    routes = APIRouter(prefix=PREFIX, tags=["directory"], generate_unique_id_function=lambda route: route.name)
    business = world.policies[-1][0].business_plans if world.policies else frozenset()

    def directory(request: Request) -> Directory:
        return Directory(world.store, _base(request), business, world.now())

    _add_people(routes, directory, world)
    _add_discovery(routes)
    return routes


def _add_people(routes: APIRouter, directory: Callable[[Request], Directory], world: World) -> None:
    @routes.get("/Users", **describe(200, query=True))
    @_speaks_scim
    async def list_users(request: Request, _caller: DirectoryCaller) -> Response:
        """List people, all or those a filter asks for."""
        return await _search(directory(request), _read(SearchRequest[User], dict(request.query_params)))

    @routes.post("/.search", name="search", **describe(200, body=BODY))
    @routes.post("/Users/.search", name="search_users", **describe(200, body=BODY))
    @_speaks_scim
    async def search_users(request: Request, _caller: DirectoryCaller) -> Response:
        """List people; the search is in the body, so that it stands in no address."""
        search = _read(SearchRequest[User], await _body(request), Context.SEARCH_REQUEST)
        return await _search(directory(request), search)

    @routes.post("/Users", **describe(201, 409, body=BODY))
    @_speaks_scim
    async def create_user(request: Request, _caller: DirectoryCaller) -> Response:
        """Take a person in; an account follows."""
        user = _read(User, await _body(request), Context.RESOURCE_CREATION_REQUEST)
        made = await to_thread.run_sync(directory(request).create, user, world.new_id())
        return _resource(request, made, Context.RESOURCE_CREATION_RESPONSE, 201)

    @routes.get("/Users/{id}", **describe(200, 304, 404, query=True))
    @_speaks_scim
    async def read_user(request: Request, id: str, _caller: DirectoryCaller) -> Response:  # noqa: A002 - SCIM's word
        """Read a person."""
        user = await to_thread.run_sync(directory(request).read, id)
        if user.meta is not None and request.headers.get("if-none-match") in ("*", user.meta.version):
            return Response(status_code=304, headers={"ETag": user.meta.version or ""})
        return _resource(request, user, Context.RESOURCE_QUERY_RESPONSE)

    @routes.put("/Users/{id}", **describe(200, 404, 409, 412, body=BODY))
    @_speaks_scim
    async def replace_user(request: Request, id: str, _caller: DirectoryCaller) -> Response:  # noqa: A002
        """Put another description in the place of a person's."""
        user = _read(User, await _body(request), Context.RESOURCE_REPLACEMENT_REQUEST)
        version = request.headers.get("if-match")
        changed = await to_thread.run_sync(directory(request).replace, id, user, version)
        return _resource(request, changed, Context.RESOURCE_REPLACEMENT_RESPONSE)

    @routes.patch("/Users/{id}", **describe(200, 404, 409, 412, body=BODY))
    @_speaks_scim
    async def patch_user(request: Request, id: str, _caller: DirectoryCaller) -> Response:  # noqa: A002
        """Change a person in part."""
        patch = _read(PatchOp[User], await _body(request), Context.RESOURCE_PATCH_REQUEST)
        version = request.headers.get("if-match")
        changed = await to_thread.run_sync(directory(request).patch, id, patch, version)
        return _resource(request, changed, Context.RESOURCE_PATCH_RESPONSE)

    @routes.delete("/Users/{id}", status_code=204, **describe(204, 404, 412))
    @_speaks_scim
    async def remove_user(request: Request, id: str, _caller: DirectoryCaller) -> Response:  # noqa: A002
        """Forget the description of a person and close the account; what assent keeps by law and policy stays."""
        await to_thread.run_sync(directory(request).remove, id, request.headers.get("if-match"))
        return Response(status_code=204)


def _add_discovery(routes: APIRouter) -> None:
    kinds = {"User": ResourceType.from_resource(User)}
    schemas = {str(User.__schema__): User.to_schema()}

    @routes.get("/ServiceProviderConfig", **describe(200))
    @_speaks_scim
    async def read_service_provider_config(request: Request, _caller: DirectoryCaller) -> Response:
        """Read what works here."""
        return _resource(request, _located(request, _config(), "ServiceProviderConfig"))

    for plural, found in (("ResourceTypes", kinds), ("Schemas", schemas)):
        _add_list(routes, plural, found)


def _add_list(routes: APIRouter, plural: str, found: Mapping[str, Resource[Any]]) -> None:
    singular = plural.removesuffix("s")

    @routes.get(f"/{plural}", name=f"list_{plural}", **describe(200))
    @_speaks_scim
    async def list_all(request: Request, _caller: DirectoryCaller) -> Response:
        if "filter" in request.query_params:
            return error_form(403, "what is discovered cannot be filtered", None)  # RFC 7644 section 4
        items = [_located(request, item, singular, name) for name, item in found.items()]
        kind: Any = ListResponse[type(items[0])]  # type: ignore[misc]
        everything = kind(total_results=len(items), start_index=1, items_per_page=len(items), resources=items)
        return _answer(everything)

    @routes.get(f"/{plural}/{{id}}", name=f"read_{singular}", **describe(200, 404))
    @_speaks_scim
    async def read_one(request: Request, id: str, _caller: DirectoryCaller) -> Response:  # noqa: A002
        if id not in found:
            raise NotFoundException(detail=f"there is no {singular} under this id")
        return _resource(request, _located(request, found[id], singular, id))


def _speaks_scim(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(endpoint)
    async def speak(**values: Any) -> Response:
        try:
            _check_query(values["request"])
            found: Response = await endpoint(**values)
        except SCIMException as problem:
            return _answer(problem.to_error(), problem.status)
        except RecursionError:
            # filters and paths are read by descent
            return _answer(InvalidSyntaxException(detail="this is nested too deeply").to_error(), 400)
        return found

    return speak


def _check_query(request: Request) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)) or not set(names) <= set(PARAMETERS):
        raise InvalidValueException(detail=f"a query names each of these once at most: {', '.join(PARAMETERS)}")


async def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _READ_TYPES:
        raise _Unread(detail=f"send `Content-Type: {MEDIA_TYPE}`")
    try:
        return read_json(await request.body())
    except Invalid as problem:
        raise InvalidSyntaxException(detail=f"{problem.message}: {problem.fix}") from None


class _Unread(SCIMException):
    """A body of a kind that is not read here."""

    status = 415


def _read(kind: type[T], value: Any, context: Context = Context.DEFAULT) -> T:
    try:
        return kind.model_validate(value, scim_ctx=context, scim_policy=LENIENT)  # type: ignore[call-arg]
    except ValidationError as problem:
        error = Error.from_validation_errors(problem)[0]
        raise SCIMException.from_error(error) from None


async def _search(directory: Directory, search: SearchRequest[User]) -> Response:
    count = min(PAGE if search.count is None else search.count, PAGE)
    start = min(search.start_index_0 or 0, _MAX_START)
    users, total = await to_thread.run_sync(lambda: directory.find(search.filter, start=start, count=count))
    page = ListResponse[User](
        total_results=total, start_index=start + 1, items_per_page=len(users), resources=users or None
    )
    return _answer(page, parameters=search)


def _resource(
    request: Request, found: Resource[Any], context: Context = Context.RESOURCE_QUERY_RESPONSE, status: int = 200
) -> Response:
    headers: dict[str, str] = {}
    if found.meta is not None and found.meta.version:
        headers["ETag"] = found.meta.version
    if status == 201 and found.meta is not None:
        headers["Location"] = str(found.meta.location)
    wanted = {name: value for name, value in request.query_params.items() if name in _PICK}
    parameters = _read(SearchRequest[User], wanted) if wanted else None
    return _answer(found, status, context=context, parameters=parameters, headers=headers)


def _answer(
    found: Any,
    status: int = 200,
    *,
    context: Context = Context.RESOURCE_QUERY_RESPONSE,
    parameters: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = found.model_dump_json(scim_ctx=context, response_parameters=parameters)
    return Response(body, status, headers, MEDIA_TYPE)


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{PREFIX}"


def _located(request: Request, item: Resource[Any], kind: str, name: str = "") -> Resource[Any]:
    place = f"{_base(request)}/{kind}s/{name}" if name else f"{_base(request)}/{kind}"
    return item.model_copy(update={"meta": Meta(resource_type=kind, location=place)})


def _config() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Token",
                description="a token of the role `directory`, made by `assent token add`",
                primary=True,
            )
        ],
    )
