"""What every detector of harm does: read pieces of conversations, and say how likely each is harmful, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Surface = Literal["prompt", "answer", "pasted", "tool"]
"""Where a text stands: what a person typed, what a model answered, what a person pasted, what a tool put out."""

SURFACES: Final[tuple[Surface, ...]] = ("prompt", "answer", "pasted", "tool")


class Piece(NamedTuple):
    """A text to score, where it stands, and what the person said before it (empty: nothing)."""

    text: str
    surface: Surface = "prompt"
    before: str = ""


class Scored(NamedTuple):
    """What a detector says of a piece: probabilities from 0 to 1, overall and by category.

    `missing` says why there is no score of this detector (a remote one that did not answer, say); the scores are
    then those of what stood in for it.
    """

    score: float
    categories: Mapping[str, float]
    missing: str = ""


class Detector(Protocol):
    """A detector; `name` is `NAME@VERSION`, and the same name always gives the same scores for the same pieces."""

    @property
    def name(self) -> str: ...

    def score(self, pieces: Sequence[Piece]) -> list[Scored]:
        """Score pieces, in their order. A piece's score depends on that piece alone."""
        ...
