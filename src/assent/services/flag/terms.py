"""What is declared of reviewing: how many people look at what, and what the queue is mixed of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assent.domain.errors import Invalid
from assent.learn.harm.categories import BY_NAME

_UNKNOWN: Final = 2


@dataclass(frozen=True, slots=True)
class ReviewTerms:
    """How flags are reviewed.

    From `two_from` on, a severity from 1 to 3, two people must agree. Of what waits, `flag`, `uncertain` and `drawn`
    are the shares in which provisional flags, the uncertain band and the uniform random sample are dealt out.
    `uncertain_queued` is the share of the uncertain band that is queued at all, `random_queued` the share of
    everything that was scored that is drawn.
    """

    two_from: int = 3
    flag: float = 0.5
    uncertain: float = 0.3
    drawn: float = 0.2
    uncertain_queued: float = 0.25
    random_queued: float = 0.01

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        shares = (self.flag, self.uncertain, self.drawn, self.uncertain_queued, self.random_queued)
        if not all(0 <= share <= 1 for share in shares) or abs(sum(shares[:3]) - 1) > 1e-9:
            raise Invalid("the shares of the queue are no shares", "give shares from 0 to 1 that add up to 1")

    def people(self, severity: int) -> int:
        """Return how many people must agree about a candidate."""
        return 2 if severity >= self.two_from else 1


def severity_of(category: str) -> int:
    """Return how bad a category is, from 1 to 3; 2 for one that the taxonomy does not name."""
    known = BY_NAME.get(category)
    return _UNKNOWN if known is None else known.severity
