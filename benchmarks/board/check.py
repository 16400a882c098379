"""Whether a ratio got worse than the record says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.board.values import Figure, Result, Spread

WORSE_BY: Final = 1.2
"""A ratio may grow by a fifth before it counts as worse: shared machines differ by that much from hour to hour."""


@dataclass(frozen=True)
class Compared:
    """One ratio beside its record; `now` is absent where this run did not measure it, `then` where no record did."""

    name: str
    then: Spread | None
    now: Spread | None

    @property
    def worse(self) -> bool:
        """Tell whether the median grew by more than a fifth, and beyond every recorded round."""
        return self.then is not None and self.now is not None and self.now.median > limit(self.then)


def limit(then: Spread) -> float:
    """Return the largest ratio that is not yet worse: a fifth above the median, or the worst round if that is more."""
    return max(then.median * WORSE_BY, then.high)


def compared(then: Result, now: Result) -> list[Compared]:
    """Set the ratios of two results side by side, by name."""
    before, after = _by_name(then.ratios), _by_name(now.ratios)
    return [Compared(name, before.get(name), after.get(name)) for name in {**before, **after}]


def _by_name(ratios: tuple[Figure, ...]) -> dict[str, Spread]:
    return {one.name: one.spread for one in ratios}
