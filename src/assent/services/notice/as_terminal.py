"""The question in a terminal: one line a section, numbered answers, no default, a bare Enter decides later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.services.notice.drawing import Drawing


def as_terminal(drawing: Drawing) -> str:
    """Draw the question as plain text. Lines are not wrapped: the terminal knows its width."""
    question = drawing.question
    lines = [question.text]
    for section in question.sections:
        said = " ".join(line.text for line in section.lines)
        lines.append(f"{section.heading}: {said}" if section.heading else said)
    answers = [act for act in drawing.options if act != "defer"]
    lines += [f"  {number}  {drawing.label(act)}" for number, act in enumerate(answers, 1)]
    if "defer" in drawing.options:
        lines.append(f"  Enter  {drawing.label('defer')}")
    return "\n".join([*lines, *drawing.names]) + "\n"
