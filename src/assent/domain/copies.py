"""Copies: what became of one copy of a conversation, wherever it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

CopyState = Literal["present", "removed", "pending maintenance", "not reachable"]
"""`pending maintenance`: gone for readers, its bytes only after work that needs the system stopped or later."""

WORST_FIRST: Final[tuple[CopyState, ...]] = ("not reachable", "present", "pending maintenance", "removed")


def worst(states: Iterable[CopyState]) -> CopyState:
    """Return what several copies come to together: the worst of them; `removed` where there is none."""
    found = set(states)
    return next((state for state in WORST_FIRST if state in found), "removed")
