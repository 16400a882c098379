"""Rows of what guards a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Stage = Literal["idle", "canary", "whole", "stopped", "failed"]
"""What a round came to: nothing was due; the first share of a plan went; the plan went, or as much of it as the day's
budget allows; a guard stopped it; something broke."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of sweeping, written down at its end: the heartbeat.

    `due` parts were ripe when it began and `erased` went. The rest is what an independent count found at its end: parts
    `late` (ripe for longer than a sweep may lag) and `overdue` (their `erase_by` has passed, no hold covers them, and
    they are here), the `erase_by` of the oldest overdue one, and the next `erase_by` of what is ripe (`first_end`).
    `policies` are the digests of the versions in force, oldest first; none where they could not be read.
    `next_by` is the instant by which the next round must have ended; None where a person began this one. `stopped_by`
    names guards, or in a failed round the kind of error, never content.
    """

    id: int
    holder: str
    began_at: datetime
    ended_at: datetime
    stage: Stage
    next_by: datetime | None = None
    plan: str | None = None
    policies: tuple[str, ...] = ()
    stopped_by: str = ""
    due: int = 0
    erased: int = 0
    late: int = 0
    overdue: int = 0
    oldest_overdue: datetime | None = None
    first_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A limit that counts (`value`), and a looser one that the settings ask for and that waits (`wanted`)."""

    name: str
    value: int
    wanted: int | None = None
    wanted_since: datetime | None = None
