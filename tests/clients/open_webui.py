"""A real Open WebUI on the loopback, its data in a folder, and the calls of its API that its pages make."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.clients.models import Models
from tests.clients.programs import OPEN_WEBUI
from tests.clients.running import Running, free_port, running

ADMIN, PASSWORD = "admin@example.org", "correct horse battery staple 1"
AN_HOUR = 3600


@dataclass
class Person:
    """Somebody with an account, or the administrator."""

    id: str
    token: str


@dataclass
class OpenWebUi:
    """A running server."""

    address: str
    data: Path
    program: Running
    people: dict[str, Person] = field(default_factory=dict)

    def call(self, method: str, path: str, who: Person | None = None, **more: Any) -> Any:
        """Call the API as somebody; gives what it answers, raises for any other status than 200."""
        headers = {"Authorization": f"Bearer {who.token}"} if who else {}
        answer = httpx.request(method, f"{self.address}{path}", headers=headers, timeout=120, **more)
        if answer.status_code != 200:
            raise RuntimeError(f"{method} {path}: {answer.status_code}: {answer.text[:500]}")
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content

    def post(self, path: str, who: Person | None = None, **body: Any) -> Any:
        """Post JSON as somebody."""
        return self.call("POST", path, who, json=body)

    def admin(self) -> Person:
        """Sign in as the administrator, who is made by the first call."""
        if "admin" not in self.people:
            told = {"email": ADMIN, "password": PASSWORD}
            try:
                made = self.post("/api/v1/auths/signin", **told)
            except RuntimeError:
                made = self.post("/api/v1/auths/signup", name="Admin", **told)
            self.people["admin"] = Person(made["id"], made["token"])
        return self.people["admin"]

    def person(self, name: str) -> Person:
        """Sign in as somebody, who is made by the first call."""
        if name not in self.people:
            told = {"email": f"{name}@example.org", "password": PASSWORD}
            try:
                made = self.post("/api/v1/auths/signin", **told)
            except RuntimeError:
                made = self.post("/api/v1/auths/add", self.admin(), name=name, role="user", **told)
            self.people[name] = Person(made["id"], made["token"])
        return self.people[name]

    def import_chat(self, who: Person, chat: Mapping[str, Any], at: int, **more: Any) -> str:
        """Bring a chat in with the times it had; returns its id."""
        one = {"chat": chat, "meta": {}, "pinned": False, "created_at": at, "updated_at": at, **more}
        return self.post("/api/v1/chats/import", who, chats=[one])[0]["id"]

    def upload(self, who: Person, name: str, text: str) -> dict[str, Any]:
        """Upload a file of text, and wait until it is in the vector store."""
        where = "/api/v1/files/?process=true&process_in_background=false"
        return self.call("POST", where, who, files={"file": (name, text.encode(), "text/plain")})

    def ask(
        self,
        who: Person,
        said: str,
        *,
        chat: str = "",
        parent: str | None = None,
        files: Sequence[Any] = (),
        **more: Any,
    ) -> tuple[str, str]:
        """Say something in a chat, or in a new one, as the page does; gives the chat and the id of the answer."""
        turn, answer = str(uuid.uuid4()), str(uuid.uuid4())
        user = {"id": turn, "parentId": parent, "childrenIds": [answer], "role": "user", "content": said}
        user |= {"timestamp": int(time.time()), "models": ["echo"], "files": list(files)}
        body = {
            "model": "echo",
            "messages": [{"role": "user", "content": said}],
            "stream": True,
            "chat_id": chat or None,
            "parent_id": parent,
            "id": answer,
            "session_id": "none",
            "user_message": user,
            "files": list(files),
            **more,
        }
        chat = self.post("/api/chat/completions", who, **body)["chat_id"]
        until = time.monotonic() + 60
        while time.monotonic() < until:
            message = self.chat(who, chat)["chat"]["history"]["messages"].get(answer, {})
            if message.get("done") and not self.call("GET", f"/api/tasks/chat/{chat}", who)["task_ids"]:
                if message.get("error"):
                    raise RuntimeError(f"no answer: {message['error']}")
                return chat, answer
            time.sleep(0.05)
        raise RuntimeError("no answer within a minute")

    def chat(self, who: Person, chat: str) -> dict[str, Any]:
        """Give a chat as its owner sees it."""
        return self.call("GET", f"/api/v1/chats/{chat}", who)


def talk(said: str, answered: str, at: int, files: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Make the JSON of a chat of one turn, titled later."""
    turn, answer = str(uuid.uuid4()), str(uuid.uuid4())
    user = {"id": turn, "parentId": None, "childrenIds": [answer], "role": "user", "content": said}
    user |= {"timestamp": at, "models": ["echo"]}
    if files:
        user["files"] = [
            {"type": "file", "id": f["id"], "name": f["filename"], "file": f, "url": f["id"]} for f in files
        ]
    reply = {"id": answer, "parentId": turn, "childrenIds": [], "role": "assistant", "content": answered}
    reply |= {"timestamp": at + 5, "model": "echo", "modelName": "echo", "done": True}
    history = {"messages": {turn: user, answer: reply}, "currentId": answer}
    return {"title": "", "models": ["echo"], "history": history, "messages": [user, reply], "timestamp": at * 1000}


def environment(data: Path, models: str, database: str = "") -> dict[str, str]:
    """Say how the server is set up: everything it can keep is on, nothing leaves the loopback."""
    service = {"BASE_URL": f"{models}/v1", "KEY": "none"}
    set_up = {
        "FROM_INIT_PY": "true",  # what `open-webui serve` sets
        "DATA_DIR": str(data),
        "HOME": str(data),
        "DATABASE_URL": database,
        "WEBUI_SECRET_KEY": "a key for tests that is long enough",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "true",
        "SCARF_NO_ANALYTICS": "true",
        "ENABLE_VERSION_UPDATE_CHECK": "False",
        "ENABLE_PERSISTENT_CONFIG": "False",
        "ENABLE_OLLAMA_API": "False",
        "ENABLE_LOCAL_WEB_FETCH": "True",
        "ENABLE_FORWARD_USER_INFO_HEADERS": "True",
        "OPENAI_API_BASE_URLS": f"{models}/v1",
        "OPENAI_API_KEYS": "none",
        "BYPASS_MODEL_ACCESS_CONTROL": "True",
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": "echo",
        "ENABLE_WEB_SEARCH": "True",
        "WEB_SEARCH_ENGINE": "searxng",
        "SEARXNG_QUERY_URL": f"{models}/search",
        "AUDIO_STT_ENGINE": "openai",
        "AUDIO_TTS_ENGINE": "openai",
        "ENABLE_SUBAGENTS": "True",
        "AUDIT_LOG_LEVEL": "REQUEST_RESPONSE",
        "AUDIT_EXCLUDED_PATHS": "none",
        "ENABLE_AUDIT_LOGS_FILE": "True",
    }
    for of in ("RAG_OPENAI_API", "AUDIO_STT_OPENAI_API", "AUDIO_TTS_OPENAI_API"):
        set_up |= {f"{of}_{name}": value for name, value in service.items()}
    return {name: value for name, value in set_up.items() if value}


@contextmanager
def open_webui(data: Path, models: Models | str, *, database: str = "", **more: str) -> Iterator[OpenWebUi]:
    """Run the server on a free port; its log lies beside its data."""
    data.mkdir(parents=True, exist_ok=True)
    where = models if isinstance(models, str) else models.address
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    serve = [OPEN_WEBUI.python, "-m", "uvicorn", "open_webui.main:app", "--host", "127.0.0.1", "--port", str(port)]
    set_up = environment(data, where, database) | more
    with running(serve, set_up, data, data.with_suffix(".log")) as program:
        program.wait_for(lambda: httpx.get(f"{address}/health", timeout=5).status_code == 200)
        yield OpenWebUi(address, data, program)
