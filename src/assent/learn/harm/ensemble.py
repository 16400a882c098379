"""Several detectors as one: their scores are mixed in log-odds; one that did not answer is left out of the mix."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Final

from assent.domain.digests import digest
from assent.domain.errors import Invalid
from assent.learn.harm.port import Scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.learn.harm.port import Detector, Piece

_EDGE: Final = 1e-5


class Ensemble:
    """Detectors and how much each counts. The name changes with its members and their weights."""

    def __init__(self, members: Sequence[tuple[Detector, float]]) -> None:
        """Mix two or more detectors. Raises `Invalid` for fewer, or a weight that is not above nought."""
        if len(members) < 2 or any(weight <= 0 for _, weight in members):
            raise Invalid("an ensemble has two members or more, each of some weight", "name two detectors")
        self._members = tuple(members)
        made_of = {member.name: str(weight) for member, weight in members}
        self.name = f"ensemble@{digest(made_of)[7:19]}"

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        """Score pieces with every member."""
        answers = [(member.score(pieces), weight) for member, weight in self._members]
        return [self._mixed([(found[place], weight) for found, weight in answers]) for place in range(len(pieces))]

    def _mixed(self, said: Sequence[tuple[Scored, float]]) -> Scored:
        missing = "; ".join(one.missing for one, _ in said if one.missing)
        heard = [(one, weight) for one, weight in said if not one.missing] or list(said)
        names = sorted({name for one, _ in heard for name in one.categories})
        categories = {
            name: _mean([(one.categories[name], weight) for one, weight in heard if name in one.categories])
            for name in names
        }
        return Scored(_mean([(one.score, weight) for one, weight in heard]), categories, missing)


def _mean(shares: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for _, weight in shares)
    held = ((min(max(share, _EDGE), 1 - _EDGE), weight) for share, weight in shares)
    return 1 / (1 + exp(-sum(log(share / (1 - share)) * weight for share, weight in held) / total))
