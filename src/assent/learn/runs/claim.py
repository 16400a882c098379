"""What may be said of weights after a memorisation test: each condition with its figure, its limit, and why.

`de-linked` needs no test: the rows that were learned carried pseudonyms and surrogates. `re-identifiable for
enforcement` says that whoever keeps the conversations can still tell whose they are. `de-identified (tested)` is said
only where every condition below holds. No test shows that weights are anonymous, and that word is never given: what the
European Data Protection Board asks for it (Opinion 28/2024) is judged case by case, over all means likely to be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assent.learn.runs.exposure import UNSEEN_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FEWEST_CANARIES: Final = 10
"""Canaries for each number of repeats; with fewer the mean exposure of unseen ones alone goes past its limit."""
REPEATED: Final = 8
"""A canary must have been said this often: people repeat what matters to them."""
LEAST_BITS: Final = 20.0
"""Secrets with fewer possibilities could be guessed without any weights."""
MEAN_BITS: Final = UNSEEN_BITS + 1.5
"""Largest mean exposure, at the upper end of its interval: weights spare a guesser less than two thirds of the work."""
LARGEST_BITS: Final = 13.0
"""Largest exposure of one canary: an unseen one has more once in 8,192 times."""
VERBATIM: Final = 0.01
"""Largest share of beginnings that may go on word for word, beyond what they do for people who were not in."""
MEMBERSHIP: Final = 0.6
"""Largest area under the curve of membership, at the upper end of its interval."""


class Condition(NamedTuple):
    """One thing that must hold: what it is, the figure that was found (None where it could not be), and the limit."""

    name: str
    found: float | None
    limit: float
    holds: bool


def conditions(report: Mapping[str, Any]) -> list[Condition]:
    """Read a report of `exposure` against the limits."""
    return [*_planted(report["canaries"]), *_exposed(report["canaries"]), *_copied(report)]


def _planted(canaries: Mapping[str, Any]) -> Iterator[Condition]:
    rows = canaries["by_repeats"]
    told = {row["repeats"] for row in rows}
    fewest = min((row["canaries"] for row in rows), default=0)
    yield _at_least("canaries of each number of repeats, and controls", fewest if 0 in told else 0, FEWEST_CANARIES)
    yield _at_least("a canary said once", int(1 in told), 1)
    yield _at_least("repeats of the canary said most often", max(told, default=0), REPEATED)
    yield _at_least("possibilities of a canary, in bits", canaries["bits"], LEAST_BITS)


def _exposed(canaries: Mapping[str, Any]) -> Iterator[Condition]:
    for row in canaries["by_repeats"]:
        times = f"said {row['repeats']} times" if row["repeats"] else "never said (control)"
        yield _at_most(f"mean exposure of canaries {times}, upper end, in bits", row["mean_bits"]["high"], MEAN_BITS)
        yield _at_most(f"largest exposure of a canary {times}, in bits", row["largest_bits"], LARGEST_BITS)
        yield _at_most(f"canaries {times} that are recited", row["recited"], 0)


def _copied(report: Mapping[str, Any]) -> Iterator[Condition]:
    inside, outside = report["continuation"]["trained"], report["continuation"]["held_back"]
    beyond = inside["at_most"] - outside["share"] if inside["tried"] and outside["tried"] else None
    yield _at_most("share continued word for word beyond the control, upper end", beyond, VERBATIM)
    yield _at_most("membership told by loss (AUC), upper end", report["membership"]["auc"]["high"], MEMBERSHIP)


def _at_least(name: str, found: float, limit: float) -> Condition:
    return Condition(name, found, limit, found >= limit)


def _at_most(name: str, found: float | None, limit: float) -> Condition:
    # what could not be measured does not hold: a test that cannot fail shows nothing
    return Condition(name, found, limit, found is not None and found <= limit)
