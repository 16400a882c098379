"""The question as Markdown, for messages and documents; it has answers to read, no controls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assent.services.notice.drawing import Drawing

_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|])")


def escaped(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return _MARKS.sub(r"\\\1", text)


def prose(text: str) -> str:
    """Write text whose back-ticks mean code, as the sentences of policies do."""
    return escaped(text).replace("\\`", "`")


def as_markdown(drawing: Drawing) -> str:
    """Draw the question as Markdown: a heading a section, a bullet a sentence."""
    question = drawing.question
    lines = [f"# {escaped(question.text)}"]
    for section in question.sections:
        lines += ["", f"## {escaped(section.heading)}"] if section.heading else []
        lines += ["", *(f"- {escaped(line.text)}" for line in section.lines)]
    lines += ["", "---", ""]
    lines += [f"{number}. {escaped(drawing.label(act))}" for number, act in enumerate(drawing.options, 1)]
    return "\n".join([*lines, "", *(f"`{name}`  " for name in drawing.names)]) + "\n"
