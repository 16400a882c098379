"""The description of the API (OpenAPI 3.1): what FastAPI finds, completed by what it cannot know.

Every status that an operation can answer is named, so that a client, or a tester, may take any other for a defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from assent.interfaces.api.access import Needs
from assent.interfaces.api.problems import KINDS, MEDIA_TYPE, Fault, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

_TEMPLATE = "#/components/schemas/{model}"
_ABOUT = """\
Ask people whether their chats may train models, and keep what that answer, the policy and the law allow.

Every error is a problem (RFC 9457) that says what to do next. Bodies are read strictly: a field that is not described
is refused, nothing is converted. A POST may name an `Idempotency-Key`: the same request under the same key gets the
same answer again, and is carried out once.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description, made once."""
    if app.openapi_schema is None:
        found = get_openapi(
            title="assent",
            version=app.version,
            openapi_version="3.1.0",
            description=_ABOUT,
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            servers=[{"url": "/"}],
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in (Problem, Fault):
            schemas[model.__name__] = model.model_json_schema(ref_template=_TEMPLATE)
            schemas[model.__name__].pop("$defs", None)
        roles = _roles(app)
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                if named := roles.get((path, method)):
                    operation["x-roles"] = named
                    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {', '.join(named)}."
                _complete(path, method, operation, app.state.forms)
                _as_text(operation)
        found["tags"] = [{"name": tag} for tag in sorted(set(_tags(found)))]
        app.openapi_schema = found
    return app.openapi_schema


def _roles(app: FastAPI) -> dict[tuple[str, str], list[str]]:
    """Tell which roles may call each operation."""
    found: dict[tuple[str, str], list[str]] = {}
    for route in app.routes:
        if isinstance(route, APIRoute):
            for inner in route.dependant.dependencies:
                if isinstance(inner.call, Needs):
                    for method in route.methods or ():
                        found[route.path_format, method.lower()] = sorted(inner.call.roles)
    return found


def _tags(found: dict[str, Any]) -> list[str]:
    return [tag for methods in found["paths"].values() for operation in methods.values() for tag in operation["tags"]]


def _complete(path: str, method: str, operation: dict[str, Any], foreign: Iterable[str]) -> None:
    answers = operation["responses"]
    # FastAPI documents its own form of 422, which nobody gets here
    if _is_frameworks(answers.get("422")):
        answers.pop("422")
    if path.startswith(tuple(foreign)):
        return  # a protocol of its own describes itself
    statuses = {400, 413, 422, 503}
    if "requestBody" in operation:
        statuses |= {408, 415}
        operation["requestBody"]["required"] = True
    if operation.get("security"):
        statuses |= {401, 403}
    if method == "post":
        statuses.add(409)
        operation.setdefault("parameters", []).append(_KEY)
    for status in sorted(statuses - {int(told) for told in answers if told.isdigit()}):
        answers[str(status)] = {
            "description": KINDS[status][1],
            "content": {MEDIA_TYPE: {"schema": {"$ref": _TEMPLATE.format(model="Problem")}}},
        }
    operation["responses"] = dict(sorted(answers.items()))


def _as_text(operation: dict[str, Any]) -> None:
    """Say of a parameter that may be left out only that: nobody can send null outside of a body, all is text there."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        branches = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(branches) == 1:
            del schema["anyOf"]
            schema |= {name: value for name, value in branches[0].items() if name not in schema}
        elif branches:
            schema["anyOf"] = branches


def _is_frameworks(answer: dict[str, Any] | None) -> bool:
    return answer is not None and "HTTPValidationError" in str(answer.get("content"))


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A fresh text for every new request; a repeated request names the one it repeats.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[\x21-\x7e]{1,128}$"},
}
