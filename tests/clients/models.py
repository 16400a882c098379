"""Models beside the tests: the part of an OpenAI-compatible service that chat products call, on the loopback.

It answers with what it was asked, so that every marker word comes back in an answer, and keeps the
headers and bodies that it was sent. Asked to `use TOOL {...}` it calls that tool. It also is the web that
a product searches: a result is a page with the words that were looked for.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit


@dataclass
class Models:
    """Where the service is, and what it was sent."""

    address: str
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


def _id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _answer(question: dict[str, Any]) -> str:
    said = _text(question["messages"][-1])
    if "### Task:" in said and not question.get("stream"):  # a title, tags, what to ask next: as JSON, from its words
        words = sorted({word for word in said.replace("\n", " ").split() if word.startswith("zq")})
        named = " ".join(words[:1]) or "nothing"
        made = {"title": f"titled {named}", "tags": [f"tagged {named}"], "follow_ups": [f"and {named}?"]}
        return json.dumps({**made, "queries": [f"query {named}"]})
    return f"answer to {said}"


def _tool_call(question: dict[str, Any]) -> dict[str, Any] | None:
    last = question["messages"][-1]
    asked = re.fullmatch(r"use (\w+) (\{.*\})", _text(last)) if last["role"] == "user" else None
    if not asked:
        return None
    return {"index": 0, "id": "call_1", "type": "function", "function": {"name": asked[1], "arguments": asked[2]}}


def _response(question: dict[str, Any]) -> dict[str, Any]:
    """Answer in the form of OpenAI's newer route."""
    said = question["input"]
    said = said if isinstance(said, str) else _text(said[-1])
    text = {"type": "output_text", "text": f"answer to {said}", "annotations": []}
    message = {"type": "message", "id": _id(), "role": "assistant", "status": "completed", "content": [text]}
    usage = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
    made = {"id": f"resp_{uuid.uuid4().hex}", "object": "response", "created_at": 1, "status": "completed"}
    return {**made, "model": "echo", "output": [message], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    models: ClassVar[Models]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        if where.path == "/search":
            query = parse_qs(where.query)["q"][0]
            page = f"{self.models.address}/page/{quote(query)}"
            self._send({"results": [{"url": page, "title": f"about {query}", "content": f"on {query}", "score": 1}]})
        elif where.path.startswith("/page/"):
            words = unquote(where.path.removeprefix("/page/"))
            self._send(f"<html><title>{words}</title><body><p>{words} and what is known of it</p></body></html>")
        else:
            self._send({"object": "list", "data": [{"id": "echo", "object": "model", "owned_by": "tests"}]})

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/audio/transcriptions"):
            self._send({"text": body.partition(b"spoken=")[2].split(b";")[0].decode()})
            return
        asked = json.loads(body)
        self.models.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, asked))
        if self.path.endswith("/audio/speech"):
            self._send(b"\xff\xfb\x90\x00" + asked["input"].encode())  # passed on and kept as it is
        elif self.path.endswith("/embeddings"):
            inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
            vectors = [[byte / 255 for byte in hashlib.sha256(str(one).encode()).digest()] for one in inputs]
            data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            self._send({"object": "list", "model": "echo", "data": data, "usage": usage})
        elif self.path.endswith("/responses"):
            self._send(_response(asked))
        elif asked.get("stream"):
            self._stream(asked)
        else:
            message = {"role": "assistant", "content": _answer(asked)}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
            self._send({"id": _id(), "object": "chat.completion", "model": "echo", "choices": choices, "usage": usage})

    def _body(self) -> bytes:
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, what: object) -> None:
        kind = {bytes: "audio/mpeg", str: "text/html"}.get(type(what), "application/json")
        text = what if isinstance(what, (bytes, str)) else json.dumps(what)
        body = text.encode() if isinstance(text, str) else text
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, asked: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        name, call = _id(), _tool_call(asked)
        said = {"tool_calls": [call]} if call else {"content": _answer(asked)}
        for delta, end in (({"role": "assistant", **said}, None), ({}, "tool_calls" if call else "stop")):
            choices = [{"index": 0, "delta": delta, "finish_reason": end}]
            chunk = {"id": name, "object": "chat.completion.chunk", "model": "echo", "choices": choices}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


@contextmanager
def models() -> Iterator[Models]:
    """Serve on a free port of the loopback."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        handler.models = Models(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield handler.models
        finally:
            server.shutdown()
            thread.join()
