"""`assent redact`: texts in, texts without personal data and secrets out, one a line."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click
import orjson

from assent.domain.errors import AssentError, Invalid
from assent.interfaces.cli.app import echo_json, show_problem
from assent.pipeline.redact.block import everywhere, redact
from assent.pipeline.redact.finding import TYPES, RedactTerms

if TYPE_CHECKING:
    from assent.wiring import Wiring


@click.command()
@click.option("--types", help=f"Types to redact, by commas. Default: all. Known: {', '.join(TYPES)}.")
@click.option(
    "--key-file",
    type=click.File("rb"),
    help="File with the key of the surrogates. Default: a new one, forgotten after.",
)
@click.argument("texts", type=click.File("rb"), default="-")
@click.pass_obj
def command(wiring: Wiring, types: str | None, key_file: IO[bytes] | None, texts: IO[bytes]) -> int:
    """Replace personal data and secrets in TEXTS (NDJSON `{"id","text"}`; default standard input) by surrogates.

    One line out for each line in: `{"id","text","findings":[{"type","start","end"}]}`. The offsets are code points of
    the text that came in; what was found is not repeated. The same value gets the same surrogate within a line, and
    within all lines of the same id under the same key. A bad line is named on standard error and the rest goes on.

    Exit status: 0 all redacted, 4 some lines were bad.

    \b
    Example:
      echo '{"id":"1","text":"Mail me at mia@uni.edu"}' | assent redact
    """
    terms = RedactTerms(types=_chosen(types)) if types else RedactTerms()
    key = key_file.read() if key_file else wiring.new_key()
    bad = 0
    for number, line in enumerate(texts, 1):
        if not line.strip():
            continue
        try:
            echo_json(_line(line, number, key, terms))
        except AssentError as problem:
            bad += 1
            show_problem(problem)
    return 4 if bad else 0


def _chosen(types: str) -> frozenset[str]:
    chosen = frozenset(one.strip() for one in types.split(","))
    for unknown in sorted(chosen - set(TYPES)):
        raise Invalid(f"`{unknown}` is no type of finding", f"use some of {', '.join(TYPES)}")
    return chosen


def _line(line: bytes, number: int, key: bytes, terms: RedactTerms) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or "id" not in row:
        raise Invalid(
            f"line {number} is no object with `id` and `text`", 'write {"id": "1", "text": "..."} on one line'
        )
    found, _ = everywhere([row["text"]], terms)
    done = redact([row["text"]], key, str(row["id"]), terms)
    shown = [{"type": one.type, "start": one.start, "end": one.end} for one in found[0]]
    return {"id": row["id"], "text": done.texts[0], "findings": shown}
