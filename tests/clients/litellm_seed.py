"""Marker words in every table that LiteLLM's proxy copies a conversation to.

What the proxy writes by itself is put there through it. Four tables are written by other versions or under
a licence alone: their rows are put there by SQL, in the columns that its migrations made.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.clients.litellm import Proxy
from tests.clients.words import Words

SAYS = "say something of "


@dataclass
class Sessions:
    """Sessions of a proxy by what becomes of them, and their words."""

    words: Words
    doomed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def seed(proxy: Proxy, marks: str, pairs: int = 3) -> Sessions:
    """Make pairs of sessions, of which one goes and one stays."""
    sessions = Sessions(Words(marks))
    for _ in range(pairs):
        for doomed in (True, False):
            session, count = _session(proxy, sessions.words, doomed=doomed)
            (sessions.doomed if doomed else sessions.kept).append(session)
            proxy.wait_for_rows(session, count)
    proxy.rows("VACUUM ANALYZE")  # as the server does by itself: samples of texts become statistics
    proxy.rows("CHECKPOINT")
    return sessions


def _session(proxy: Proxy, words: Words, *, doomed: bool) -> tuple[str, int]:
    """Make a session with all that hangs on it; gives it with the number of its requests."""
    run = _made(proxy, "/v1/workflows/runs", workflow_type="chat", input={}, metadata={})
    session = run["session_id"]

    def word(copy: str) -> str:
        return words.new(session, copy, doomed=doomed)

    requests = _requests(proxy, session, word) + 1  # and the one with a file
    _made(proxy, f"/v1/workflows/runs/{run['run_id']}/messages", role="user", content=word("WorkflowMessage"))
    event = {"event_type": "step.started", "step_name": "look", "data": {"of": word("WorkflowEvent.data")}}
    _made(proxy, f"/v1/workflows/runs/{run['run_id']}/events", **event)
    memory = {"key": f"k-{session}", "value": word("MemoryTable.value")}
    _made(proxy, "/v1/memory", **memory, metadata={"litellm_session_id": session})
    _by_sql(proxy, session, word)
    return session, requests


def _made(proxy: Proxy, path: str, **body: object) -> dict[str, str]:
    answer = proxy.post(path, body)
    if answer.status_code not in (200, 201):
        raise RuntimeError(f"{path}: {answer.status_code}: {answer.text[:300]}")
    return answer.json()


def _requests(proxy: Proxy, session: str, word: Callable[[str], str]) -> int:
    def chat(said: str, **more: object) -> dict[str, object]:
        return {"model": "echo", "messages": [{"role": "user", "content": said}], **more}

    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
    call = f"use find {json.dumps({'what': word('a call of a tool')})}"
    noted = {"spend_logs_metadata": {"note": word("metadata.spend_logs_metadata")}, "tags": ["billed"]}
    asked = [
        ("/v1/chat/completions", chat(SAYS + word("a chat"), user="person-1")),
        ("/v1/chat/completions", chat(SAYS + word("a stream"), stream=True)),
        ("/v1/chat/completions", chat(call, tools=[tool], stream=True)),
        ("/v1/chat/completions", chat(SAYS + word("a chat with metadata"), metadata=noted)),
        ("/v1/messages", chat(SAYS + word("the route of Anthropic"), max_tokens=50)),
        ("/v1/responses", {"model": "echo", "input": SAYS + word("the route of responses")}),
        ("/v1/chat/completions", {**chat(SAYS + word("a failed request")), "model": "nobody"}),
    ]
    for path, body in asked:
        answer = proxy.post(path, body, session)
        if (answer.status_code == 200) is (body["model"] == "nobody"):
            raise RuntimeError(f"{path}: {answer.status_code}: {answer.text[:300]}")
    return len(asked)


def _by_sql(proxy: Proxy, session: str, word: Callable[[str], str]) -> None:
    """Fill what other versions of the proxy, or a licence, write."""
    of_session = json.dumps({"litellm_session_id": session, "messages": word("ErrorLogs.request_kwargs")})
    changed = json.dumps({"litellm_session_id": session, "note": word("AuditLog.updated_values")})
    file, row = f"file-{session}", str(uuid.uuid4())
    put = {
        "LiteLLM_ErrorLogs": {"request_id": str(uuid.uuid4()), "startTime": "now", "endTime": "now"}
        | {"request_kwargs": of_session, "exception_string": word("ErrorLogs.exception_string")},
        "LiteLLM_AuditLog": {"id": str(uuid.uuid4()), "action": "updated", "table_name": "t", "object_id": "o"}
        | {"updated_values": changed, "updated_at": "now"},
        "LiteLLM_AdaptiveRouterSession": {"session_id": session, "router_name": "r", "model_name": "echo"}
        | {"classified_type": "general", "last_user_content": word("AdaptiveRouterSession.last_user_content")},
        "LiteLLM_ManagedFileContentTable": {"id": row, "content": word("ManagedFileContentTable").encode()},
        "LiteLLM_ManagedFileTable": {"id": str(uuid.uuid4()), "unified_file_id": file, "updated_at": "now"}
        | {"file_object": json.dumps({"filename": word("ManagedFileTable.file_object")})}
        | {
            "storage_backend": "litellm_db",
            "storage_url": f"litellm_db://{row}",
            "flat_model_file_ids": [],
            "model_mappings": "{}",
        },
    }
    for table, values in put.items():
        names = ", ".join(f'"{name}"' for name in values)
        proxy.rows(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(values))})', *values.values())
    said = {"type": "text", "text": SAYS + word("a chat with a file")}
    content = [said, {"type": "file", "file": {"file_id": file}}]
    answer = proxy.post(
        "/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": content}]}, session
    )
    if answer.status_code != 200:
        raise RuntimeError(f"a chat with a file: {answer.status_code}: {answer.text[:300]}")
