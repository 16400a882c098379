"""Whole conversations: every turn is read for itself and after what was said before it; the worst turn speaks.

A harmless turn in a harmful talk ("and then?") is scored with the person's turn before it. A harmful turn in a
harmless talk is not diluted, for nothing is averaged. What a tool put out informs, and flags nobody: a person did not
write it. A model's refusal is an answer, and harmless, whatever it refuses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from assent.learn.harm.port import Piece, Scored, Surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.learn.harm.port import Detector

PASTED: Final = 2_000
"""Characters from which a person's turn counts as pasted."""
_SHORT: Final = 160
"""Characters up to which a turn is read together with the person's turn before it."""

_FENCED: Final = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_REMARK: Final = re.compile(r'(?m)(?:#|//|--)\s*(.+)$|/\*([\s\S]*?)\*/|"""([\s\S]*?)"""')


class Turn(NamedTuple):
    """A turn: who speaks (`user`, `assistant`, `tool`, `system`), and what."""

    role: str
    text: str


class Talk(NamedTuple):
    """A conversation's score: the worst of the turns that count, which turn that is, and every turn's own."""

    score: Scored
    worst: int | None
    turns: tuple[Scored, ...]
    surfaces: tuple[Surface, ...]


def surface_of(turn: Turn) -> Surface:
    """Tell where a turn stands."""
    if turn.role in {"tool", "function", "system"}:
        return "tool"
    if turn.role == "assistant":
        return "answer"
    return "pasted" if len(turn.text) > PASTED else "prompt"


def prose(text: str) -> str:
    """Leave of code only what people wrote into it for people: the remarks."""

    def remarks(code: re.Match[str]) -> str:
        return "\n".join(next(filter(None, found), "") for found in _REMARK.findall(code[0]))

    kept = _FENCED.sub(remarks, text)
    return kept if kept.strip() else text


def pieces_of(turns: Sequence[Turn]) -> list[Piece]:
    """Make a piece of every turn; a short one knows the person's turn before it."""
    made: list[Piece] = []
    before = ""
    for turn in turns:
        surface = surface_of(turn)
        text = prose(turn.text)
        made.append(Piece(text, surface, before if len(text) <= _SHORT and surface == "prompt" else ""))
        if surface in {"prompt", "pasted"}:
            before = text
    return made


def score_talk(detector: Detector, turns: Sequence[Turn]) -> Talk:
    """Score a conversation. One without a turn that counts scores nought."""
    pieces = pieces_of(turns)
    found = detector.score(pieces)
    counting = [place for place, piece in enumerate(pieces) if piece.surface != "tool"]
    surfaces = tuple(piece.surface for piece in pieces)
    if not counting:
        return Talk(Scored(0.0, {}), None, tuple(found), surfaces)
    worst = max(counting, key=lambda place: found[place].score)
    names = {name for place in counting for name in found[place].categories}
    categories = {name: max(found[place].categories.get(name, 0.0) for place in counting) for name in sorted(names)}
    return Talk(Scored(found[worst].score, categories, found[worst].missing), worst, tuple(found), surfaces)
