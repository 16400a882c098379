"""How the operations of SCIM are described in OpenAPI; their full description is their own, at /scim/v2/Schemas."""

from __future__ import annotations

from typing import Any, Final

from assent.interfaces.api.problems import KINDS

_MEDIA_TYPE: Final = "application/scim+json"

BODY: Final = {"required": True, "content": {_MEDIA_TYPE: {"schema": {"type": "object"}}}}
"""A SCIM message, in a body."""

_ERROR: Final = {
    "type": "object",
    "required": ["schemas", "status"],
    "properties": {
        "schemas": {"type": "array", "items": {"const": "urn:ietf:params:scim:api:messages:2.0:Error"}},
        "status": {"type": "string"},
        "scimType": {"type": "string"},
        "detail": {"type": "string"},
    },
}
PARAMETERS: Final = ("attributes", "excludedAttributes", "filter", "startIndex", "count", "sortBy", "sortOrder")
"""What a query may name; nothing is sorted here, and RFC 7644 section 3.4.2.3 lets a server say so by not doing it."""

_QUERY: Final = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in PARAMETERS]


def describe(done: int, *others: int, body: dict[str, Any] | None = None, query: bool = False) -> dict[str, Any]:
    """Return what a route says of itself: the status when `done`, and the `others` it may answer."""
    always = {400, 401, 403, 408, 413, 503} | ({415} if body else set())
    answers: dict[int | str, dict[str, Any]] = {done: {"description": "done"}}
    if done != 204:
        answers[done]["content"] = {_MEDIA_TYPE: {"schema": {"type": "object", "required": ["schemas"]}}}
    for status in sorted(always | set(others)):
        if status == 304:
            answers[304] = {"description": "the version that the caller has is the newest"}
        else:
            answers[status] = {"description": KINDS[status][1], "content": {_MEDIA_TYPE: {"schema": _ERROR}}}
    extra: dict[str, Any] = {"requestBody": body} if body else {}
    if query:
        extra["parameters"] = _QUERY
    return {"responses": answers, "openapi_extra": extra}
