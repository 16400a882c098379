"""`assent skill`: say what conversations train."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import click

from assent.interfaces.cli.app import echo_json
from assent.pipeline.extra import needing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.wiring import Wiring

_AT_ONCE = 256
"""Lines that are judged together: enough to be fast, few enough that an answer does not wait long in a pipe."""


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--subskills", is_flag=True, help="Also name the sub-skill, such as debug or compare.")
@click.pass_obj
def command(_wiring: Wiring, file: IO[bytes], subskills: bool) -> int:
    """Say for each line of FILE (standard input) whether it trains coding, analysis, reasoning or something else.

    A line is `{"id": ..., "text": ...}`; the text is a question, or a whole conversation with
    `user:` and `assistant:` before its turns. The answer is
    `{"id", "skill", "p"}` in the order of the lines, `p` being the score of the skill from 0 to 1. A line
    that cannot be read is named on standard error, and the rest goes on.

    Exit status: 0 every line answered, 4 some lines could not be read.

    \b
    Examples:
      echo '{"id": 1, "text": "why does this loop never end?"}' | assent skill
      assent skill prompts.ndjson --subskills | jq -r .skill | sort | uniq -c
    """
    with needing("telling skills apart"):
        from assent.pipeline.skill.features import asked
        from assent.pipeline.skill.model import judge

    bad = 0
    waiting: list[tuple[Any, str]] = []

    def answer() -> None:
        asks = [asked(text) for _, text in waiting]
        for (name, _), found in zip(waiting, judge(asks), strict=True):
            more = {"subskill": found.subskill} if subskills else {}
            echo_json({"id": name, "skill": found.skill, **more, "p": found.p})
        waiting.clear()

    for number, line in _lines(file):
        entry = _entry(line)
        if entry is None:
            click.echo(f'assent: line {number} is not an object with "id" and a "text" of characters', err=True)
            bad += 1
            continue
        waiting.append(entry)
        if len(waiting) == _AT_ONCE:
            answer()
    answer()
    return 4 if bad else 0


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _entry(line: bytes) -> tuple[Any, str] | None:
    try:
        entry = json.loads(line)
        name, text = entry["id"], entry["text"]
        text.encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return (name, text) if isinstance(text, str) else None
