"""Errors as problems (RFC 9457): what is wrong, where, and what to do next; never what was sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from assent.domain.errors import AssentError, Incomplete, Invalid, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE: Final = "application/problem+json"

KINDS: Final = {
    400: ("malformed", "the request cannot be read"),
    401: ("unknown-caller", "the caller is not known"),
    403: ("not-permitted", "the caller may not do this"),
    404: ("not-found", "there is no such thing"),
    405: ("method", "this address has no such method"),
    406: ("not-acceptable", "this address has no such representation"),
    408: ("too-slow", "the request did not arrive in time"),
    409: ("refused", "the answer is no"),
    412: ("changed-meanwhile", "the thing was changed by somebody else"),
    413: ("too-large", "the request is too large"),
    415: ("media-type", "this media type is not read here"),
    422: ("invalid", "the request is readable and wrong"),
    500: ("broken", "the server made a mistake"),
    503: ("try-again", "the server cannot do this now"),
}
"""Every status of a problem, with the last piece of its `type` and its `title`."""

NOT_BLANK: Final = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""A line of text without control characters that has something to see in it."""

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


class Fault(BaseModel):
    """One field that is wrong."""

    pointer: str = Field(description="Where it stands: a JSON Pointer in the body, or `?name`, `path name`.")
    detail: str = Field(description="What it should be.")


class Problem(BaseModel):
    """What went wrong (RFC 9457), in one sentence, with what to do next."""

    type: str = Field(description="Address of a page about this kind of problem.", examples=["/problems/not-found"])
    title: str = Field(examples=["there is no such thing"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no policy under this digest"])
    instance: str = Field(description="Name of this one request; the server's record knows it by the same name.")
    fix: str = Field(description="What to do next.", examples=["list the policies to see their digests"])
    reason: str | None = Field(default=None, description="For programs: why an act was not taken, in a few words.")
    errors: list[Fault] | None = Field(default=None, description="Every field that is wrong, where fields were.")


class StatusError(AssentError):
    """An error that only a request can have, with the status of its answer."""

    def __init__(self, status: int, message: str, fix: str) -> None:
        """Keep the status; the rest is as in every error."""
        super().__init__(message, fix)
        self.status = status


class FaultyError(Invalid):
    """Something that is wrong in several places, such as a text of many lines; each is told."""

    def __init__(self, message: str, fix: str, faults: Sequence[Fault]) -> None:
        """Keep the faults."""
        super().__init__(message, fix)
        self.faults = list(faults)


class UnreadError(HTTPException):
    """A body that cannot be read; of this class because FastAPI hides every other one."""

    def __init__(self, detail: str, fix: str) -> None:
        """Say what is wrong, and what to do next."""
        super().__init__(400, detail)
        self.fix = fix


def answer(
    scope: Mapping[str, Any],
    status: int,
    detail: str,
    fix: str = "",
    *,
    reason: str = "",
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make the answer of this status: one of `KINDS`, or the nearest; a protocol of its own has a form of its own."""
    path = scope.get("path", "")
    for prefix, form in scope["app"].state.forms.items():
        if path.startswith(prefix):
            found: Response = form(status, detail, headers)
            return found
    kind, title = KINDS.get(status, KINDS[500 if status >= 500 else 400])
    body: dict[str, Any] = {
        "type": f"/problems/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:assent:request:{scope.get('state', {}).get('request', 'unknown')}",
        "fix": fix,
    }
    if reason:
        body["reason"] = reason
    if faults:
        body["errors"] = [fault.model_dump() for fault in faults]
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)


def status_of(error: AssentError) -> int:
    """Tell the status of an error: what its raiser set as `status`, else what its class means."""
    told = getattr(error, "status", None)
    if isinstance(told, int):
        return told
    for kind, status in ((Invalid, 422), (Refused, 409), (NotFound, 404), (Incomplete, 503)):
        if isinstance(error, kind):
            return status
    return 503


async def of_error(request: Request, error: Exception) -> Response:
    """Answer what a service raised."""
    assert isinstance(error, AssentError)  # noqa: S101 - FastAPI calls it for this class
    return answer_error(request.scope, error)


def answer_error(scope: Mapping[str, Any], error: AssentError) -> Response:
    """Make the answer to what a service raised."""
    status = status_of(error)
    headers = {"Retry-After": "1"} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="assent"'
    reason, faults = getattr(error, "reason", ""), getattr(error, "faults", ())
    return answer(scope, status, error.message, error.fix, reason=reason, faults=faults, headers=headers)


async def of_http(request: Request, error: Exception) -> Response:
    """Answer what the framework raised."""
    assert isinstance(error, HTTPException)  # noqa: S101 - FastAPI calls it for this class
    details = {
        404: ("nothing is served at this address", "see /openapi.json for every address"),
        405: ("this address does not answer this method", "use one that the header `Allow` names"),
    }
    detail, fix = details.get(error.status_code, ("the request cannot be read", "see /openapi.json"))
    if isinstance(error, UnreadError):
        detail, fix = error.detail, error.fix
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(request.app.state.methods_of(request.scope))) or headers.get("Allow", "")
    return answer(request.scope, error.status_code, detail, fix, headers=headers)


async def of_validation(request: Request, error: Exception) -> Response:
    """Answer fields that are not what they should be: each by its place, none by its value."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - FastAPI calls it for this class
    faults = [_fault(item["loc"], item["type"], _said(item)) for item in error.errors()]
    first = f"{faults[0].pointer or 'the body'}: {faults[0].detail}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    fix = "send what the description of this operation asks for; it is at /openapi.json"
    return answer(request.scope, 422, first + more, fix, faults=faults)


def _said(item: Mapping[str, Any]) -> str:
    if item.get("ctx", {}).get("pattern") == NOT_BLANK:
        return "this is blank or not one line; give a string that is not blank"
    return str(item["msg"])


def _fault(place: Sequence[str | int], kind: str, message: str) -> Fault:
    where, *steps = place or ("body",)
    names = [str(step) if isinstance(step, int) or _PLAIN.fullmatch(step) else "…" for step in steps]
    if where == "body":
        pointer = "".join(f"/{name}" for name in names)
    else:
        pointer = ("?" if where == "query" else f"{where} ") + ".".join(names)
    return Fault(pointer=pointer, detail=_PHRASES.get(kind) or message[:1].lower() + message[1:])


# messages of these kinds may quote what was sent
_PHRASES: Final = {
    "extra_forbidden": "there is no such field here",
    "missing": "this field is missing",
    "value_error": "this is not what this field holds",
    "assertion_error": "this is not what this field holds",
    "model_attributes_type": "this is not an object",
}
