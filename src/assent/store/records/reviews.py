"""Rows of reviewing: what people look at, what each of them decided, and what that comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assent.domain.errors import Invalid
from assent.store.records.holds import Flag
from assent.store.records.requests import Event

CandidateBand = Literal["flag", "uncertain", "clear"]
"""Where a detector's score lay: flagged without people, between the thresholds, or below both."""

ReviewDecision = Literal["uphold", "reverse"]
"""`uphold`: it is harmful. `reverse`: it is not."""

ReviewStage = Literal["review", "appeal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation that people look at. Its `id` is that of its flag, or of the flag that it becomes if upheld.

    `severity` is how bad the category is, from 1 to 3. `drawn` says that it is in the uniform random sample, whatever
    its band: only from those can rates be told. `settled_at` is when enough people had decided. A candidate goes with
    its conversation.
    """

    id: str
    conversation: str
    band: CandidateBand
    category: str
    severity: int
    detector: str
    queued_at: datetime
    score: float | None = None
    drawn: bool = False
    settled_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a score that is no share."""
        if self.score is not None and not (math.isfinite(self.score) and 0 <= self.score <= 1):
            raise Invalid("the score of a candidate is not from 0 to 1", "give a share, or leave it out")


@dataclass(frozen=True, slots=True)
class Review:
    """What one person decided about a candidate, or about an appeal against it, and why, without quoting content.

    It says in which band and category the candidate was and whether it was drawn, for it outlives it, but not of
    which conversation it was.
    """

    candidate: str
    reviewer: str
    at: datetime
    decision: ReviewDecision
    reason: str
    stage: ReviewStage = "review"
    band: CandidateBand = "flag"
    category: str = ""
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """What reviews come to: the decision, the flag that it makes (of a candidate that had none), and whom to tell."""

    decision: ReviewDecision
    at: datetime
    flag: Flag | None = None
    event: Event | None = None
