"""The clock of findings: what was found outlives the content it was found in, and ends on its own day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Flags


def forget_scores(store: Flags, *, now: datetime, days: int) -> int:
    """End the findings made more than `days` days ago whose content is gone; returns how many.

    A finding that was reversed ends with its content: nothing is left that it could show. One that a standing hold
    may cover stays.
    """
    return store.forget_findings(now - timedelta(days=days))


def scores_overdue(store: Flags, *, now: datetime, days: int) -> int:
    """Count the findings that `forget_scores` would end now."""
    return store.findings_alone(now - timedelta(days=days))
