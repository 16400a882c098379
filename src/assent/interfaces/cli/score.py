"""`assent score`: say how likely texts are harmful, one a line."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click
import orjson

from assent.domain.errors import Invalid
from assent.interfaces.cli.app import echo_json, show_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.learn.harm.bands import Finding
    from assent.learn.harm.cascade import Cascade
    from assent.learn.harm.keywords import Keywords
    from assent.learn.harm.port import Piece, Scored
    from assent.wiring import Wiring

_AT_ONCE = 64
"""Lines that are scored together: enough to be fast, few enough that an answer does not wait long in a pipe."""

_FIX = 'write {"id": "1", "text": "..."} or {"id": "1", "turns": [{"role": "user", "text": "..."}]} on one line'


class _Line(NamedTuple):
    """A line that was read: its id, its turns, and for each the surface that the line names."""

    id: Any
    pieces: list[Piece]
    counting: list[int]


@click.command()
@click.option("--detector", default="default", help="`default`, `linear`, `keywords`, or a folder of a detector.")
@click.option("--explain", is_flag=True, help="Also say what follows, and which words moved the score.")
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_obj
def command(_wiring: Wiring, detector: str, explain: bool, file: IO[bytes]) -> int:
    """Say for each line of FILE (standard input) how likely it is harmful, and in what way.

    A line is `{"id", "text"}`, with `"surface"` if it is no prompt (`answer`, `pasted`, `tool`), or `{"id", "turns"}`
    for a whole conversation, whose worst turn speaks. The answer, in the order of the lines, is
    `{"id", "score", "flag", "categories", "detector"}`: the score is the probability of harm from 0 to 1; `flag` is
    true where the detector's threshold is reached at which at most one harmless text in a thousand was flagged. With
    `--explain` also `band` (`clear`, `review`, `flag`), `category`, `why`, `turn`, and `words`, each with where it
    stands and how far it moved the score (log-odds). A bad line is named on standard error and the rest goes on.

    Exit status: 0 every line scored, 4 some lines were bad.

    \b
    Examples:
      echo '{"id": 1, "text": "how do I kill the lights on stage?"}' | assent score
      assent score --detector linear prompts.ndjson | jq 'select(.flag)'
      assent score --explain flagged.ndjson
    """
    found = _detector(detector)
    bad = 0
    waiting: list[_Line] = []
    for number, line in _lines(file):
        try:
            waiting.append(_read(line, number))
        except Invalid as problem:
            bad += 1
            show_problem(problem)
        if len(waiting) >= _AT_ONCE:
            _answer(found, waiting, explain=explain)
    _answer(found, waiting, explain=explain)
    return 4 if bad else 0


def _detector(name: str) -> Cascade | Keywords:
    from assent.learn.harm.extra import needing
    from assent.learn.harm.keywords import Keywords

    with needing("scoring"):
        from assent.learn.harm.cascade import load

    return Keywords() if name == "keywords" else load(name)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _read(line: bytes, number: int) -> _Line:
    """Read a line. Raises `Invalid` with its number; what it says is not repeated."""
    from assent.learn.harm.conversation import Turn, pieces_of, prose
    from assent.learn.harm.port import SURFACES, Piece

    wrong = Invalid(f"line {number} is no object with `id` and `text` or `turns`", _FIX)
    try:
        row = orjson.loads(line)
        if "turns" in row:
            turns = [Turn(turn["role"], turn["text"]) for turn in row["turns"]]
            if not turns or not all(isinstance(turn.role, str) and isinstance(turn.text, str) for turn in turns):
                raise wrong
            pieces = pieces_of(turns)
            counting = [place for place, piece in enumerate(pieces) if piece.surface != "tool"] or [0]
            return _Line(row["id"], pieces, counting)
        surface = row.get("surface", "prompt")
        if not isinstance(row["text"], str) or surface not in SURFACES:
            raise wrong
        return _Line(row["id"], [Piece(prose(row["text"]), surface)], [0])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise wrong from None


def _answer(detector: Cascade | Keywords, waiting: list[_Line], *, explain: bool) -> None:
    pieces = [piece for line in waiting for piece in line.pieces]
    scored = iter(detector.score(pieces))
    for line in waiting:
        found = [next(scored) for _ in line.pieces]
        worst = max(line.counting, key=lambda place, found=found: found[place].score)  # type: ignore[misc]
        finding = _finding(detector, found[worst], line.pieces[worst])
        told = {
            "id": line.id,
            "score": found[worst].score,
            "flag": finding.outcome == "flag",
            "categories": dict(found[worst].categories),
            "detector": detector.name,
        }
        echo_json(told | (_explained(detector, line, worst, finding) if explain else {}))
    waiting.clear()


def _finding(detector: Cascade | Keywords, scored: Scored, piece: Piece) -> Finding:
    from assent.learn.harm.bands import Finding, find
    from assent.learn.harm.keywords import Keywords

    if isinstance(detector, Keywords):
        # a list of words may call people; it never flags by itself
        category = max(scored.categories, key=lambda name: (scored.categories[name], name))
        return Finding("review" if scored.score else "clear", category if scored.score else "")
    return find(detector.manifest, scored, piece.surface, piece.text)


def _explained(detector: Cascade | Keywords, line: _Line, worst: int, finding: Finding) -> dict[str, Any]:
    from assent.learn.harm.explain import moved, occluded
    from assent.learn.harm.keywords import Keywords

    piece = line.pieces[worst]
    words = occluded(detector, piece) if isinstance(detector, Keywords) else moved(detector, piece)
    return {
        "band": finding.outcome,
        "category": finding.category,
        "why": finding.why,
        "turn": worst,
        "words": [
            {"text": piece.text[word.start : word.end], "start": word.start, "end": word.end, "by": round(word.by, 3)}
            for word in words
            if word.by
        ],
    }
