"""How far reviewers agree, and what the random sample says of everything that was scored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assent.store.records import Review, ReviewDecision

_Z: Final = 1.959964
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a number, and the interval in which it lies at 95 % (Wilson); all None of nothing."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa of first and second reviews, and of how many pairs it was reckoned; None where it says nothing.

    `agreed` is how many pairs were of one mind. `by_category` holds (pairs, kappa).
    """

    pairs: int
    agreed: int
    kappa: float | None
    by_category: dict[str, tuple[int, float | None]]


@dataclass(frozen=True, slots=True)
class Rates:
    """What reviews come to: flags overturned of those reviewed and appealed, and harm in the random sample by band."""

    overturned: Share
    overturned_on_appeal: Share
    harmful_drawn: Share
    found_of_harmful_drawn: Share


def agreement(reviews: Iterable[Review]) -> Agreement:
    """Reckon the agreement of everything that two people reviewed; reviews come by candidate."""
    pairs = [(found[0].category, found[0].decision, found[1].decision) for found in _double(reviews)]
    names = sorted({category for category, _, _ in pairs})
    of = {name: [(one, two) for category, one, two in pairs if category == name] for name in names}
    both = [(one, two) for _, one, two in pairs]
    return Agreement(
        pairs=len(both),
        agreed=sum(one == two for one, two in both),
        kappa=kappa(both),
        by_category={name: (len(found), kappa(found)) for name, found in of.items()},
    )


def kappa(pairs: Sequence[tuple[ReviewDecision, ReviewDecision]]) -> float | None:
    """Return Cohen's kappa: agreement beyond what two reviewers with these habits would reach by chance.

    None without pairs, and where both always decided the same one way: then chance explains everything.
    """
    if not pairs:
        return None
    first, second = (Counter(found) for found in zip(*pairs, strict=True))
    seen = sum(one == two for one, two in pairs) / len(pairs)
    chance = sum(first[name] * second[name] for name in first) / len(pairs) ** 2
    return None if chance == 1 else (seen - chance) / (1 - chance)


def rates(reviews: Iterable[Review]) -> Rates:
    """Reckon rates from reviews that come by candidate; the last review of a stage is what it came to."""
    settled = [list(found) for _, found in groupby(reviews, key=lambda one: one.candidate)]
    first = [_last(found, "review") for found in settled]
    appealed = [one for found in settled if (one := _last(found, "appeal")) is not None]
    flags = [one for one in first if one is not None and one.band == "flag"]
    drawn = [one for one in first if one is not None and one.drawn]
    harmful = [one for one in drawn if one.decision == "uphold"]
    return Rates(
        overturned=share(sum(one.decision == "reverse" for one in flags), len(flags)),
        overturned_on_appeal=share(sum(one.decision == "reverse" for one in appealed), len(appealed)),
        harmful_drawn=share(len(harmful), len(drawn)),
        found_of_harmful_drawn=share(sum(one.band == "flag" for one in harmful), len(harmful)),
    )


def share(count: int, of: int) -> Share:
    """Return a share with its Wilson interval."""
    if not of:
        return Share(count, of, None, None, None)
    part, spread = count / of, _Z**2 / of
    middle = (part + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(part * (1 - part) / of + spread / of / 4)
    return Share(count, of, part, max(0.0, middle - half), min(1.0, middle + half))


def _double(reviews: Iterable[Review]) -> Iterator[list[Review]]:
    """Give the first two reviews of everything that has two; a third one only breaks a tie."""
    for _, found in groupby(reviews, key=lambda one: one.candidate):
        ordered = sorted((one for one in found if one.stage == "review"), key=lambda one: (one.at, one.reviewer))
        if len(ordered) > 1:
            yield ordered[:2]


def _last(found: Sequence[Review], stage: str) -> Review | None:
    return max((one for one in found if one.stage == stage), key=lambda one: (one.at, one.reviewer), default=None)
