"""How the operations of the Data Rights Protocol are described in OpenAPI."""

from __future__ import annotations

from typing import Any, Final

from assent.interfaces.api.problems import KINDS

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}

STATUS: Final = {
    "type": "object",
    "required": ["request_id", "received_at", "expected_by", "status"],
    "properties": {
        "request_id": _TEXT,
        "agent_request_id": _TEXT,
        "received_at": _INSTANT,
        "expected_by": _INSTANT,
        "processing_details": _TEXT,
        "status": {"enum": ["open", "in_progress", "fulfilled", "revoked", "denied", "expired"]},
        "reason": _TEXT,
        "user_verification_url": _TEXT,
        "expires_at": _INSTANT,
        "results_url": _TEXT,
    },
}
"""Section 3.03: how a request stands."""

SETUP: Final = {
    "type": "object",
    "required": ["agent-id", "token"],
    "properties": {"agent-id": _TEXT, "token": _TEXT},
}
"""Section 2.05.1: the answer to a key set-up."""

REQUEST: Final = {"type": "object", "required": ["request_id", "as_of"]}
"""What an access request brought."""

_ERROR: Final = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": _TEXT, "message": _TEXT, "fatal": {"type": "boolean"}},
}
_BODY: Final = {
    "required": True,
    "content": {"text/plain": {"schema": {"type": "string", "description": "base64 of signature and JSON"}}},
}


def describe(done: dict[str, Any], *others: int, signed: bool = False, agent: bool = True) -> dict[str, Any]:
    """Return what a route says of itself: its answer when `done`, and the `others` it may give."""
    always = {400, 403, 413, 503} | ({408, 415} if signed else set()) | ({401} if agent else set())
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "done", "content": {"application/json": {"schema": done}}}
    }
    for status in sorted(always | set(others)):
        answers[status] = {"description": KINDS[status][1]}
        if agent or status != 403:
            answers[status]["content"] = {"application/json": {"schema": _ERROR}}
    return {"responses": answers, "openapi_extra": {"requestBody": _BODY} if signed else {}}
