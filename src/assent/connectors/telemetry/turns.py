"""A turn as a live source tells it: one call of a model, often with the whole history before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assent.domain.conversation import Mode, Surface

MAX_MESSAGES: Final = 5_000
"""Messages of one turn, its history included."""

FORMAT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""What a source of turns may be called."""

NAME: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
"""An id of a person, a conversation or a turn, as everywhere in the API."""

Message = Mapping[str, object]
"""`{role, content, tool_calls, ...}` as chat APIs write it (`connectors.formats.messages`)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of a model.

    `conversation` and `id` are the source's own, `subject` the person, `plan` a plan as the policies call it. `input`
    is what the model was given, with or without what was said before, `output` what it answered. What stands behind
    the model's last answer in `input` was said at `started_at`, the output at `ended_at`.
    """

    format: str
    conversation: str
    id: str
    subject: str | None = None
    plan: str | None = None
    project: str = ""
    surface: Surface = "chat"
    mode: Mode = "normal"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """The conversation as a home names it."""
        return f"{self.format}:{self.conversation}"
