"""`assent redact`: texts in, texts without personal data and secrets out, one a line."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from assent.domain.errors import Invalid
from assent.interfaces.cli.app import Complaints, echo_json
from assent.pipeline.redact.block import everywhere, redact
from assent.pipeline.redact.finding import TYPES, RedactTerms
from assent.pipeline.texts import rows, text_of

if TYPE_CHECKING:
    from assent.pipeline.texts import Id
    from assent.wiring import Wiring

_LEAST_KEY_BYTES = 16
_MAKE_A_KEY = "make one with `head -c 32 /dev/urandom > FILE` and keep it secret"


@click.command()
@click.option("--types", help=f"Types to redact, by commas. Default: all. Known: {', '.join(TYPES)}.")
@click.option(
    "--key-file",
    type=click.File("rb"),
    help="File with the key of the surrogates, 16 bytes or more. Default: a new one, forgotten after.",
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
    key = _key(key_file, texts) if key_file else wiring.new_key()
    bad = Complaints()
    for _, one, text in rows(texts, text_of, bad):
        echo_json(_redacted(one, text, key, terms))
    return bad.status


def _key(key_file: IO[bytes], texts: IO[bytes]) -> bytes:
    if key_file.name == texts.name == "<stdin>":
        raise Invalid("standard input cannot hold both the key and the texts", "give the key or the texts as a file")
    key = key_file.read()
    if len(key) < _LEAST_KEY_BYTES:
        raise Invalid(
            f"the key file holds {len(key)} bytes, and a key has at least {_LEAST_KEY_BYTES}: a shorter one is guessed",
            _MAKE_A_KEY,
        )
    return key


def _chosen(types: str) -> frozenset[str]:
    chosen = frozenset(one.strip() for one in types.split(","))
    for unknown in sorted(chosen - set(TYPES)):
        raise Invalid(f"`{unknown}` is no type of finding", f"use some of {', '.join(TYPES)}")
    return chosen


def _redacted(one: Id, text: str, key: bytes, terms: RedactTerms) -> dict[str, Any]:
    found, _ = everywhere([text], terms)
    done = redact([text], key, str(one), terms)
    shown = [{"type": this.type, "start": this.start, "end": this.end} for this in found[0]]
    return {"id": one, "text": done.texts[0], "findings": shown}
