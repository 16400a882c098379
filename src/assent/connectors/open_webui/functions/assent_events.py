"""
title: assent events
description: Writes down when a chat was deleted, so that assent counts from that instant. No content, no person.
version: 1.0.0
license: Apache-2.0
"""  # noqa: D205, D400 - the form that Open WebUI reads

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "assent-events.jsonl"
"""The file in the data folder that `assent connector watch` reads."""


class Event:
    """An event function of Open WebUI: it is called for every event, and writes a line for a deleted chat."""

    def event(self, event: dict[str, Any]) -> None:
        """Append the chat's id and the second of its deletion. Where many are deleted at once, no ids come."""
        chat = (event.get("subject") or {}).get("id")
        if event.get("event") != "chat.deleted" or not chat:
            return
        line = json.dumps({"event": "chat.deleted", "chat": chat, "at": event.get("created_at")})
        file = os.open(_folder() / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "ab") as lines:
            lines.write(line.encode() + b"\n")


def _folder() -> Path:
    from open_webui.env import DATA_DIR  # type: ignore[import-not-found]  # noqa: PLC0415 - only inside Open WebUI

    return Path(DATA_DIR)
