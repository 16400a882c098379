"""`assent score`: say how likely texts are harmful, one a line."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from assent.domain.errors import Invalid
from assent.interfaces.cli.app import Complaints, echo_json
from assent.pipeline.texts import rows, text_of

if TYPE_CHECKING:
    from assent.learn.harm.bands import Finding
    from assent.learn.harm.cascade import Cascade
    from assent.learn.harm.keywords import Keywords
    from assent.learn.harm.port import Piece, Scored
    from assent.pipeline.texts import Id
    from assent.wiring import Wiring

_AT_ONCE = 64
"""Lines that are scored together: enough to be fast, few enough that an answer does not wait long in a pipe."""

_TURNS_FIX = 'write {"id": "1", "turns": [{"role": "user", "text": "..."}]} on one line'
_TEXT_FIX = 'write {"id": "1", "text": "..."} or {"id": "1", "turns": [{"role": "user", "text": "..."}]} on one line'


class _Line(NamedTuple):
    """A line that was read: its id, its turns, and for each the surface that the line names."""

    id: Id
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
    bad = Complaints()
    waiting: list[_Line] = []
    for _, one, (pieces, counting) in rows(file, _read, bad):
        waiting.append(_Line(one, pieces, counting))
        if len(waiting) >= _AT_ONCE:
            _answer(found, waiting, explain=explain)
    _answer(found, waiting, explain=explain)
    return bad.status


def _detector(name: str) -> Cascade | Keywords:
    from assent.learn.harm.extra import needing
    from assent.learn.harm.keywords import Keywords

    with needing("scoring"):
        from assent.learn.harm.cascade import load

    return Keywords() if name == "keywords" else load(name)


def _read(record: dict[str, Any]) -> tuple[list[Piece], list[int]]:
    """Take the pieces of a line and which of them count. Raises `Invalid`; what the line says is not repeated."""
    from assent.learn.harm.conversation import prose
    from assent.learn.harm.port import SURFACES, Piece

    if "turns" in record:
        return _talk(record["turns"])
    if "text" not in record:
        raise Invalid("`text` or `turns` is missing", _TEXT_FIX)
    surface = record.get("surface", "prompt")
    if surface not in SURFACES:
        raise Invalid("`surface` is unknown", f"write one of {', '.join(SURFACES)}, or leave it out for a prompt")
    return [Piece(prose(text_of(record)), surface)], [0]


def _talk(turns: Any) -> tuple[list[Piece], list[int]]:
    from assent.learn.harm.conversation import Turn, pieces_of

    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        raise Invalid("`turns` is no list of turns", _TURNS_FIX)
    if not all(isinstance(turn.get(name), str) for turn in turns for name in ("role", "text")):
        raise Invalid("a turn has no `role` or no `text` that is text", _TURNS_FIX)
    pieces = pieces_of([Turn(turn["role"], turn["text"]) for turn in turns])
    return pieces, [place for place, piece in enumerate(pieces) if piece.surface != "tool"] or [0]


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
