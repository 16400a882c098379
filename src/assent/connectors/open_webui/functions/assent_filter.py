"""
title: assent notice
description: Leads each person once to the question about training, and tags chats with what was answered.
version: 1.0.0
license: Apache-2.0
"""  # noqa: D205, D400 - the form that Open WebUI reads

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field

TIMEOUT_S = 2
"""A chat waits no longer for assent; without an answer nothing is shown, and no tag changes."""

NAME = "assent-notified"
"""The file in the data folder with the persons who were led to the question, so that nobody is twice."""

OPEN = ("unasked", "asked", "deferred", "lapsed")
"""Standings in which a question is open. Nothing here ever answers it: only the person does, on assent's own page."""


class Filter:
    """A filter function of Open WebUI. It changes no message, and no fault of it stops a chat."""

    class Valves(BaseModel):
        """What an administrator sets."""

        assent_url: str = Field(default="http://127.0.0.1:8010", description="where `assent serve` answers Open WebUI")
        token: str = Field(
            default="", description="a token of the role product: assent token add open-webui --role product"
        )
        people_url: str = Field(default="", description="where people reach assent, e.g. https://privacy.example")
        purpose: str = Field(default="training", description="the purpose that is asked about")
        text: str = Field(
            default="May your chats be used for training? Nothing is used before you say so.",
            description="what is shown",
        )
        tag_allowed: str = Field(default="training allowed", description="tag of chats that may be used; empty: no tag")
        tag_declined: str = Field(default="not for training", description="tag of all other chats; empty: no tag")
        again_s: int = Field(
            default=60, ge=0, description="for how long an answer of assent is taken for the present one"
        )

    def __init__(self) -> None:
        self.valves = self.Valves()
        self._known: dict[tuple[str, str], tuple[float, str]] = {}
        self._told: set[str] = set()

    async def inlet(
        self,
        body: dict[str, Any],
        __user__: dict[str, Any] | None = None,
        __metadata__: dict[str, Any] | None = None,
        __event_emitter__: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
    ) -> dict[str, Any]:
        """Look up what holds for this person and chat, and return the message as it came."""
        person = str((__user__ or {}).get("id") or "")
        chat = str((__metadata__ or {}).get("chat_id") or "")
        try:
            standing = await self._standing(person, chat) if person and self.valves.token else ""
            if standing:
                await self._tag(person, chat, standing)
            if standing in OPEN and __event_emitter__ is not None and self._first_time(person):
                await __event_emitter__({"type": "notification", "data": {"type": "info", "content": self._words()}})
        except Exception as problem:  # noqa: BLE001 - whatever it is, a chat goes on
            print(f"assent: {type(problem).__name__}")  # noqa: T201 - the log of Open WebUI; no person, no content
        return body

    async def _standing(self, person: str, chat: str) -> str:
        """Ask what the person answered: for this chat if they decided about it apart, else about everything."""
        now = time.monotonic()
        at, known = self._known.get((person, chat), (0.0, ""))
        if known and now - at < self.valves.again_s:
            return known
        address = f"{self.valves.assent_url.rstrip('/')}/v1/people/{quote(person, safe='')}/standings"
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.get(address, headers={"Authorization": f"Bearer {self.valves.token}"})
        answer.raise_for_status()
        found = [one for one in answer.json()["standings"] if one["purpose"] == self.valves.purpose]
        apart = [one["status"] for one in found if one["target"] == f"open-webui:{chat}"]
        whole = [one["status"] for one in found if one["scope"] == "everything"]
        standing = str((apart or whole or [""])[0])
        self._known[person, chat] = (now, standing)
        return standing

    async def _tag(self, person: str, chat: str, standing: str) -> None:
        """Keep one of the two tags on the chat; temporary chats are nobody's record and get none."""
        if not chat or chat.startswith(("local:", "temporary:")):
            return
        from open_webui.models.chats import Chats  # type: ignore[import-not-found]  # noqa: PLC0415 - only there

        allowed = standing == "allowed"
        wanted, other = self.valves.tag_allowed, self.valves.tag_declined
        if not allowed:
            wanted, other = other, wanted
        row = await Chats.get_chat_by_id(chat)
        if row is None or row.user_id != person:
            return
        tags = (row.meta or {}).get("tags", [])
        if other and _tag_id(other) in tags:
            await Chats.delete_tag_by_id_and_user_id_and_tag_name(chat, person, other)
            await Chats.delete_orphan_tags_for_user([_tag_id(other)], person)
        if wanted and _tag_id(wanted) not in tags:
            await Chats.add_chat_tag_by_id_and_user_id_and_tag_name(chat, person, wanted)

    def _first_time(self, person: str) -> bool:
        """Tell whether this person was never led to the question, and write down that they are now."""
        if person in self._told:
            return False
        from open_webui.env import DATA_DIR  # type: ignore[import-not-found]  # noqa: PLC0415 - only inside Open WebUI

        path = Path(DATA_DIR) / NAME
        self._told = set(path.read_text("utf-8").splitlines()) if path.exists() else set()
        if person in self._told:
            return False
        self._told.add(person)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{person}\n")
        return True

    def _words(self) -> str:
        base = self.valves.people_url.rstrip("/")
        return (
            f"{self.valves.text} {base}/notice/ask?purpose={quote(self.valves.purpose)}" if base else self.valves.text
        )


def _tag_id(name: str) -> str:
    """Name a tag as Open WebUI stores it."""
    return name.replace(" ", "_").lower()
