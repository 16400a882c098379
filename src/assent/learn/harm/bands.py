"""What a score leads to: nothing, a look by people, or a flag.

A flag keeps a conversation for two years, so the cost of a wrong one is declared, and a flag without people is set
only where the share of harmless texts above the threshold was measured to be at most 0.1 %. Up to 1 % people look.
"""

from __future__ import annotations

from math import inf, nextafter
from typing import TYPE_CHECKING, Literal, NamedTuple

from assent.learn.harm.categories import BY_NAME, SCORED
from assent.learn.harm.language import spoken
from assent.learn.harm.manifest import Band, Costs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.learn.harm.manifest import Manifest
    from assent.learn.harm.port import Scored, Surface

Outcome = Literal["clear", "review", "flag"]


class Finding(NamedTuple):
    """What a score leads to, for which category, and why people look at it where no score says so."""

    outcome: Outcome
    category: str
    why: str = ""


def find(manifest: Manifest, scored: Scored, surface: Surface, text: str) -> Finding:
    """Say what the score of a text leads to. What is not in a language that was measured is never decided about."""
    category = max(scored.categories, key=lambda name: (scored.categories[name], name), default="")
    if not category:
        return Finding("clear", "")
    band = manifest.bands[surface][category]
    if surface == "tool":
        return Finding(
            "review" if scored.score >= band.review else "clear", category, "what a tool put out flags nobody"
        )
    if spoken(text) == "other":
        return Finding("review", category, "the language was not measured")
    if scored.score >= band.flag:
        return Finding("flag", category)
    return Finding("review" if scored.score >= band.review else "clear", category)


def worth(costs: Costs, severity: int) -> float:
    """Return the probability from which a flag costs less than a miss, of what is expected of each."""
    return costs.false_flag / (costs.false_flag + costs.miss[severity - 1])


def above(harmless: Sequence[float], share: float) -> float:
    """Return the lowest threshold that at most this share of harmless texts is expected to reach, new ones too.

    Of n texts, one less than that share of n + 1 may reach it: then a further text of their kind does so with at most
    that probability (split conformal prediction; V. Vovk and others, 2005). Below 1 / share texts none may, and the
    probability is 1 / (n + 1): more than was asked for.
    """
    ranked = sorted(harmless, reverse=True)
    allowed = max(int((len(ranked) + 1) * share) - 1, 0)
    # just above the first score that must not be reached; equal scores stay together
    return nextafter(ranked[allowed], inf) if allowed < len(ranked) else 0.0


def bands(
    costs: Costs, harmless: Mapping[str, Sequence[float]], flag: float, review: float
) -> dict[str, dict[str, Band]]:
    """Lay the thresholds of every surface and category on the scores of harmless texts of that surface."""
    laid: dict[str, dict[str, Band]] = {}
    for surface, scores in harmless.items():
        people, alone = above(scores, review), above(scores, flag)
        laid[surface] = {
            name: Band(review=min(people, 1.0), flag=max(alone, people, worth(costs, BY_NAME[name].severity)))
            for name in SCORED
        }
    return laid
