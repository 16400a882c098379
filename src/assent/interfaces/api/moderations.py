"""Our detector in the request and answer of OpenAI's moderation, so that a product can point at it unchanged."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field, StringConstraints

from assent.domain.digests import digest
from assent.interfaces.api.access import Needs
from assent.interfaces.api.resource import Fresh, Input, Output, Relaying, problems, resource
from assent.interfaces.api.world import World
from assent.learn.harm.bands import find
from assent.learn.harm.categories import OF_OPENAI, OPENAI, to_openai
from assent.learn.harm.conversation import prose
from assent.learn.harm.extra import needing
from assent.learn.harm.port import Piece, Scored
from assent.services.tokens import Caller

if TYPE_CHECKING:
    from assent.learn.harm.cascade import Cascade

MOST_INPUTS: Final = 128
MOST_CHARACTERS: Final = 100_000

Asking = Annotated[Caller, Depends(Needs("product", "safety"))]
"""A chat product, or those who look after safety."""

Text = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]


class TextPart(Input):
    """A piece of text among parts; pictures are not scored here."""

    type: Literal["text"]
    text: Text


Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_INPUTS)]
Parts = Annotated[list[TextPart], Field(min_length=1, max_length=MOST_INPUTS)]


class ModerationIn(Relaying):
    """What to look at: one text, several texts, or the parts of one. Further members are not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    input: Text | Texts | Parts
    model: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Read and not used: the answer names the detector that was asked."
    )


class Result(Output):
    """What was found in one text. `flagged`: the threshold of automatic flags was reached."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]


class ModerationOut(Output):
    """One result for each text, in their order."""

    id: str
    model: str
    results: list[Result]


@cache
def detector() -> Cascade:
    """Load the detector that comes with the package, once, when it is first asked for."""
    with needing("scoring"):
        from assent.learn.harm.cascade import load  # noqa: PLC0415 - a server without this library serves the rest

    return load()


def router(_world: World) -> APIRouter:
    """Return the route. What is sent is scored and forgotten: nothing of it is kept or written into a log."""
    routes = resource("moderations")

    @routes.post("/v1/moderations", responses=problems(403))
    def moderate(what: ModerationIn, _caller: Asking, fresh: Fresh) -> ModerationOut:
        """Say how likely texts are harmful, in OpenAI's request and answer.

        Scores are probabilities of this server's own detector. A text that is not English is never flagged here.
        """
        found = detector()
        pieces = [Piece(prose(text)) for text in _texts(what)]
        results = [_result(found, scored, piece) for scored, piece in zip(found.score(pieces), pieces, strict=True)]
        return ModerationOut(id=f"modr-{digest(fresh())[7:31]}", model=found.name, results=results)

    return routes


def _texts(what: ModerationIn) -> list[str]:
    if isinstance(what.input, str):
        return [what.input]
    parts = [part.text for part in what.input if isinstance(part, TextPart)]
    return ["\n".join(parts)] if parts else [text for text in what.input if isinstance(text, str)]


def _result(asked: Cascade, scored: Scored, piece: Piece) -> Result:
    finding = find(asked.manifest, scored, piece.surface, piece.text)
    scores = {name: round(score, 5) for name, score in to_openai(scored.categories).items()}
    flagged = finding.outcome == "flag"
    named = {theirs for theirs, ours in OPENAI.items() if finding.category in ours} if flagged else set()
    if flagged and not named:
        named = {theirs for theirs, ours in OF_OPENAI.items() if ours == finding.category} or {"illicit"}
    return Result(
        flagged=flagged,
        categories={name: name in named for name in OPENAI},
        category_scores=scores,
        category_applied_input_types={name: ["text"] for name in OPENAI},
    )
