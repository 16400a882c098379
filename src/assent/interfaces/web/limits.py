"""How often one may knock: a bucket for each visitor and kind of address, in the memory of this process.

It slows guessing and mistakes down. What stops a flood is the proxy in front (docs/how-to/embed-assent.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` visits at once, and `each_minute` a minute for ever."""

    burst: int
    each_minute: float


LOOKING: Final = Rate(240, 240)
SENDING: Final = Rate(60, 60)
COMING_IN: Final = Rate(20, 10)
"""Pages, forms, and ways in, where whoever guesses comes again and again."""


class Limiter:
    """Counts visits by the names that it is given."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        """Measure time with a clock that never jumps back, in seconds."""
        self._ticks = ticks
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def wait(self, name: str, rate: Rate) -> int:
        """Count a visit; returns the seconds until it would be let in, 0 if it is."""
        with self._lock:
            now = self._ticks()
            if len(self._left) >= _REMEMBERED and name not in self._left:
                self._left.clear()
            left, seen = self._left.get(name, (float(rate.burst), now))
            left = min(float(rate.burst), left + (now - seen) * rate.each_minute / 60)
            if left >= 1:
                self._left[name] = (left - 1, now)
                return 0
            self._left[name] = (left, now)
            return ceil((1 - left) * 60 / rate.each_minute)
