"""A product's side of the API: it asks people, and brings back what they did."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from tests.unit.interfaces.api.server import Api

from assent.domain.conversation import Conversation, Part
from assent.store.records import Account

NOTICE = (Path(__file__).parents[4] / "notices" / "anthropic" / "2025-10-08.toml").read_text()
Json = dict[str, Any]


def talk(name: str, subject: str, at: datetime, **more: Any) -> Conversation:
    """A question that a person typed."""
    said = Part(id="q", text=f"words of {name}", created_at=at, speaker="user", origin="person", data="text", turn="q")
    return Conversation(f"test:{name}", "test", (said,), subject, title=name, created_at=at, last_turn_at=at, **more)


class Shop:
    """A product with a notice on the shelf and people whose age is known."""

    def __init__(self, api: Api) -> None:
        self.api, self.store = api, api.world.store
        told = api.post("/v1/notices", {"manifest": NOTICE}, role="officer")
        assert told.status_code == 201, told.text
        self.notice = told.json()["digest"]
        self.person("s1")

    def person(self, subject: str, age: int = 33, plan: str = "pro") -> None:
        self.store.put_accounts([Account(subject, plan=plan, region="DE", age=age, signed_in=True)])

    def asked(self, subject: str = "s1", **more: Any) -> httpx.Response:
        body = {"subject": subject, "purpose": "training", "surface": "json", "locale": "en", "client": "desktop"}
        return self.api.post("/v1/questions", {**body, "interactive": True, **more})

    def question(self, subject: str = "s1", **more: Any) -> Json:
        answer = self.asked(subject, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def answer(self, act: str, token: str, subject: str = "s1", **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        body = {"subject": subject, "purpose": "training", "act": act, "token": token, **more}
        return self.api.post("/v1/choices", body, **headers)

    def say(self, act: str, subject: str = "s1", **more: Any) -> Json:
        made = self.answer(act, self.question(subject, **more)["token"], subject, **more)
        assert made.status_code == 201, made.text
        return made.json()

    def written(self) -> tuple[int, ...]:
        """How much there is of everything that a choice may leave behind."""
        head = self.store.head()
        return self.store.counts().choices, self.store.staged(), head.size if head else 0, len(self.store.notices())

    def refused(self, answer: Callable[[], httpx.Response], status: int, reason: str = "") -> Json:
        """Expect a problem that says what to do next and names nobody, and that nothing was written."""
        before = self.written()
        found = answer()
        told: Json = json.loads(found.text)
        assert (found.status_code, told.get("reason", "")) == (status, reason), found.text
        assert found.headers["content-type"] == "application/problem+json"
        assert told["fix"] if reason else told["detail"]
        assert "s1" not in told["detail"] + told["fix"]
        assert self.written() == before
        return told
