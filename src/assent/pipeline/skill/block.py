"""The block that names the skill of each conversation, by where it comes from first and by what was asked second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from assent.pipeline.block import Outcome
from assent.pipeline.extra import needing
from assent.pipeline.spans import conversation_spans, repeated

if TYPE_CHECKING:
    from assent.pipeline.skill.features import Ask

AGENT_TOOLS: Final = frozenset(
    {
        *("apply_patch", "bash", "edit", "edit_file", "exec_command", "glob", "grep", "multiedit", "notebookedit"),
        *("patch", "read_file", "replace", "run_shell_command", "shell", "str_replace_based_edit_tool"),
        *("text_editor", "write", "write_file"),
    }
)
"""Tools of coding agents, in small letters: a conversation that called one is a coding session, whatever it says."""
_VERSION: Final = 1
_FENCE: Final = "```"


@dataclass(frozen=True, slots=True)
class Skill:
    """Adds `skill` (coding, analysis, reasoning, other), `subskill` and `skill_p` to each row of a conversation.

    Nothing is dropped. `skill_p` is the classifier's score from 0 to 1, and 1 where a tool of a
    coding agent was called. `counts` tells how many conversations train each skill.
    """

    name: str = "skill"

    def describe(self) -> dict[str, Any]:
        """Return the digest of the model, the tools that decide without it, and the version of the reading."""
        with needing("telling skills apart"):
            from assent.pipeline.skill.model import shipped  # noqa: PLC0415  numpy comes with an extra

        return {"agent_tools": sorted(AGENT_TOOLS), "model": shipped().digest, "version": _VERSION}

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Judge each conversation by the words of the person in it."""
        with needing("telling skills apart"):
            from assent.pipeline.skill.model import Judgement, judge  # noqa: PLC0415

        spans = conversation_spans(rows)
        tools = rows.column("tool").to_pylist()
        judged = judge(_asks(rows, spans))
        for at, (start, end) in enumerate(spans):
            if any(tool and tool.lower() in AGENT_TOOLS for tool in tools[start:end]):
                judged[at] = Judgement("coding", "agent", 1.0)
        out = rows.append_column("skill", repeated([found.skill for found in judged], spans, pa.string()))
        out = out.append_column("subskill", repeated([found.subskill for found in judged], spans, pa.string()))
        out = out.append_column("skill_p", repeated([found.p for found in judged], spans, pa.float32()))
        return Outcome(out, counts=Counter(found.skill for found in judged))


def _asks(rows: pa.RecordBatch, spans: list[tuple[int, int]]) -> list[Ask]:
    """Read what the person asked in each conversation, as far as it is looked at, and whether anybody wrote code."""
    from assent.pipeline.skill.features import HEAD, TAIL, Ask  # noqa: PLC0415

    speakers = rows.column("speaker").to_pylist()
    texts = rows.column("text").to_pylist()
    asks = []
    for start, end in spans:
        said: list[str] = []
        length = 0
        for at in range(start, end):
            text = texts[at]
            if speakers[at] == "user" and length < HEAD:
                said.append(text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}")
                length += len(said[-1])
        asks.append(Ask("\n".join(said), any(_FENCE in text for text in texts[start:end])))
    return asks
