"""`assent skill`: say what conversations train."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from assent.interfaces.cli.app import Complaints, echo_json
from assent.pipeline.extra import needing
from assent.pipeline.texts import rows, text_of

if TYPE_CHECKING:
    from assent.pipeline.texts import Id
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

    bad = Complaints()
    waiting: list[tuple[Id, str]] = []

    def answer() -> None:
        asks = [asked(text) for _, text in waiting]
        for (name, _), found in zip(waiting, judge(asks), strict=True):
            more = {"subskill": found.subskill} if subskills else {}
            echo_json({"id": name, "skill": found.skill, **more, "p": found.p})
        waiting.clear()

    for _, one, text in rows(file, text_of, bad):
        waiting.append((one, text))
        if len(waiting) == _AT_ONCE:
            answer()
    answer()
    return bad.status
