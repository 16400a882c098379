"""What scoring leaves behind besides flags: how far two versions differ, and whether scores drift. Counts, no texts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical
from assent.store.records import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.learn.harm.bands import Outcome
    from assent.store.port import Figures

BINS: Final = 20
WATCH: Final = 0.1
ALARM: Final = 0.25
"""From which population stability index one looks (0.1), and from which something has changed (0.25).

The usual reading of the index since Lewis, An Introduction to Credit Scoring (1994): below 0.1 no change, 0.1 to 0.25
some, above 0.25 a shift.
"""
LEAST: Final = 200
"""Scores from which a distribution says something."""
_FLOOR: Final = 1e-4
_LAST: Final = "detector scored last"


@dataclass(slots=True)
class Seen:
    """Scores by twentieths, and which of two versions called people: `both`, `active`, `shadow` alone, `neither`."""

    scores: list[int] = field(default_factory=lambda: [0] * BINS)
    beside: list[int] = field(default_factory=lambda: [0] * BINS)
    pairs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("both", "active", "shadow", "neither"), 0))

    def add(self, active: tuple[float, Outcome], shadow: tuple[float, Outcome] | None = None) -> None:
        """Count one text: its score and what follows from it, of the active version and of the one in its shadow."""
        self.scores[_bin(active[0])] += 1
        if shadow is not None:
            self.beside[_bin(shadow[0])] += 1
            calls = active[1] != "clear", shadow[1] != "clear"
            named = {(True, True): "both", (True, False): "active", (False, True): "shadow", (False, False): "neither"}
            self.pairs[named[calls]] += 1


@dataclass(frozen=True, slots=True)
class Drift:
    """How far scores have moved from those on record: the population stability index, None where it says nothing."""

    detector: str
    reference: int
    recent: int
    index: float | None

    @property
    def state(self) -> str:
        """Say `too few`, `steady`, `watch` or `alarm`."""
        if self.index is None:
            return "too few"
        return "alarm" if self.index >= ALARM else "watch" if self.index >= WATCH else "steady"


def keep_seen(store: Figures, active: str, shadow: str | None, seen: Seen, now: datetime) -> None:
    """Add what one run has seen to what is on record of these versions.

    The first `LEAST` or more scores of a version, also in the shadow, are its reference; what comes later is compared
    with it.
    """
    _keep_scores(store, active, seen.scores, now)
    _write(store, _LAST, {"detector": active}, now)
    if shadow is not None and any(seen.pairs.values()):
        _keep_scores(store, shadow, seen.beside, now)
        name = f"detector shadow {shadow}"
        before = _read(store, name)
        before = before if before.get("active") == active else {"active": active}
        pairs = {kind: before.get("pairs", {}).get(kind, 0) + count for kind, count in seen.pairs.items()}
        _write(store, name, {"active": active, "pairs": pairs}, now)


def shadow_pairs(store: Figures, active: str, shadow: str) -> dict[str, int]:
    """Return how often both, one alone or neither called people, on live texts beside this active version."""
    kept = _read(store, f"detector shadow {shadow}")
    found: dict[str, int] = kept.get("pairs", {}) if kept.get("active") == active else {}
    return dict.fromkeys(("both", "active", "shadow", "neither"), 0) | found


def drift(store: Figures, detector: str) -> Drift:
    """Compare the scores seen since with the reference of a version."""
    kept = _read(store, f"detector scores {detector}")
    reference, recent = kept.get("reference", [0] * BINS), kept.get("recent", [0] * BINS)
    enough = min(sum(reference), sum(recent)) >= LEAST
    return Drift(detector, sum(reference), sum(recent), stability(reference, recent) if enough else None)


def newest_drift(store: Figures) -> Drift | None:
    """Return the drift of the version that scored last; None where nothing was scored."""
    last = _read(store, _LAST)
    return drift(store, last["detector"]) if last else None


def stability(reference: Sequence[int], recent: Sequence[int]) -> float:
    """Return the population stability index of two counts over the same bins; 0 where they are alike."""
    first, second = sum(reference), sum(recent)
    shares = ((max(a / first, _FLOOR), max(b / second, _FLOOR)) for a, b in zip(reference, recent, strict=True))
    return sum((b - a) * log(b / a) for a, b in shares)


def _keep_scores(store: Figures, detector: str, scores: Sequence[int], now: datetime) -> None:
    name = f"detector scores {detector}"
    kept = _read(store, name)
    part = "reference" if sum(kept.get("reference", [])) < LEAST else "recent"
    kept[part] = _sum(kept.get(part, [0] * BINS), scores)
    _write(store, name, kept, now)


def _bin(score: float) -> int:
    return min(int(score * BINS), BINS - 1)


def _sum(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _read(store: Figures, name: str) -> dict[str, Any]:
    kept = store.figure(name)
    found: dict[str, Any] = {} if kept is None else json.loads(kept.document)
    return found


def _write(store: Figures, name: str, document: dict[str, Any], now: datetime) -> None:
    store.keep_figure(Figure(name, now, canonical(document).decode()))
