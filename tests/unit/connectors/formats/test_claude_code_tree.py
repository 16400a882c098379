"""Rewinds and forks: what lies on the active path, and what only looks abandoned."""

from pathlib import Path

import pytest
from accounting import account
from claude_code_sessions import SESSION, answer, call, line, prompt, result, text, write

from assent.connectors.formats.claude_code import IMPORTER
from assent.connectors.formats.claude_code_tree import Node, abandoned

BOUNDARY = line("system", "cb", None, 30, subtype="compact_boundary", logicalParentUuid="b2", content="compacted")

# what, lines, texts that are abandoned
SESSIONS = [
    ("a chain", [prompt("u1", None, 0, "u1"), answer("a1", "u1", 1, text("a1"))], set()),
    (
        "a rewind",
        [
            prompt("u1", None, 0, "u1"),
            answer("a1", "u1", 1, text("a1")),
            prompt("u2", "a1", 2, "old"),
            answer("a2", "u2", 3, text("old answer")),
            prompt("u3", "a1", 4, "new"),
            answer("a3", "u3", 5, text("new answer")),
        ],
        {"old", "old answer"},
    ),
    (
        "a rewind to the first prompt",
        [
            prompt("u1", None, 0, "old"),
            answer("a1", "u1", 1, text("old answer")),
            prompt("u2", None, 2, "new"),
            answer("a2", "u2", 3, text("new answer")),
        ],
        {"old", "old answer"},
    ),
    (
        "the newest leaf stands first in the file",
        [
            prompt("u1", None, 0, "u1"),
            prompt("u3", "u1", 9, "new"),
            prompt("u2", "u1", 2, "old"),
        ],
        {"old"},
    ),
    (
        "a newest line without a time",
        [
            prompt("u1", None, 0, "u1"),
            prompt("u2", "u1", 2, "old"),
            {**prompt("u3", "u1", 3, "new"), "timestamp": None},
        ],
        {"old"},
    ),
    (
        "a clock that was set back",
        [prompt("u1", None, 9, "u1"), answer("a1", "u1", 1, text("a1")), prompt("u2", "a1", 2, "u2")],
        set(),
    ),
    (
        "parallel tool calls, the chain goes on from the last result",
        [
            prompt("u1", None, 0, "u1"),
            answer("a1", "u1", 1, call("t1", "Read", p=1), message="m"),
            answer("a2", "a1", 1, call("t2", "Read", p=2), message="m"),
            result("r1", "a1", 2, "t1", "one"),
            result("r2", "a2", 3, "t2", "two"),
            answer("a3", "r2", 4, text("done")),
        ],
        set(),
    ),
    (
        "parallel tool calls, the chain goes on from the first result",
        [
            prompt("u1", None, 0, "u1"),
            answer("a1", "u1", 1, call("t1", "Read", p=1), message="m"),
            answer("a2", "a1", 1, call("t2", "Read", p=2), message="m"),
            result("r2", "a2", 2, "t2", "two"),
            result("r1", "a1", 3, "t1", "one"),
            answer("a3", "r1", 4, text("done")),
        ],
        set(),
    ),
    (
        "a compaction after a rewind",
        [
            prompt("u1", None, 0, "u1"),
            prompt("b2", "u1", 2, "new"),
            prompt("b1", "u1", 1, "old"),
            BOUNDARY,
            prompt("cs", "cb", 31, "so far", isCompactSummary=True),
            prompt("p1", "cs", 40, "after"),
        ],
        {"old"},
    ),
    (
        "context that hangs beside the path",
        [
            prompt("u1", None, 0, "u1"),
            line("attachment", "x1", "u1", 1, attachment={"type": "todo_reminder"}),
            answer("a1", "u1", 2, text("a1")),
        ],
        set(),
    ),
    (
        "a parent that is not in the file",
        [prompt("u1", None, 0, "u1"), answer("a1", "u1", 1, text("a1")), prompt("u2", "gone", 2, "u2")],
        set(),
    ),
    (
        "a line that is its own parent",
        [prompt("u1", None, 0, "u1"), answer("a1", "a1", 1, text("a1")), answer("a2", "a1", 2, text("a2"))],
        set(),
    ),
    (
        "lines that are each other's parent",
        [prompt("u1", "a1", 0, "u1"), answer("a1", "u1", 1, text("a1"))],
        set(),
    ),
    (
        "no line has a parent",
        [prompt("u1", None, 0, "u1"), answer("a1", None, 1, text("a1")), prompt("u2", None, 2, "u2")],
        set(),
    ),
    (
        "a subagent on the main file",
        [
            prompt("u1", None, 0, "u1"),
            prompt("s1", None, 1, "task", isSidechain=True),
            answer("s2", "s1", 2, text("report"), isSidechain=True),
            answer("a1", "u1", 1, text("a1")),
        ],
        set(),
    ),
]


@pytest.mark.parametrize(("records", "expected"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
def test_what_is_abandoned(tmp_path: Path, records: list[object], expected: set[str]) -> None:
    found = account(IMPORTER, write(tmp_path / f"{SESSION}.jsonl", *records))
    assert {part.text for part in found.parts if "abandoned" in part.marks} == expected
    assert found.malformed == 0


def test_an_abandoned_prompt_is_still_an_act_of_the_person(tmp_path: Path) -> None:
    records = [
        prompt("u1", None, 0, "u1"),
        prompt("u2", "u1", 2, "old"),
        answer("a3", "u1", 5, text("new")),
    ]
    (conversation,) = account(IMPORTER, write(tmp_path / "s.jsonl", *records)).conversations
    assert conversation.last_turn_at is not None
    assert conversation.last_turn_at.minute == 2


def test_a_long_chain_is_no_recursion() -> None:
    nodes = {str(at): Node(str(at), str(at - 1) if at else "", "prompt", at, at + 1) for at in range(100_000)}
    assert list(abandoned(nodes)) == []


def test_no_nodes_are_no_branches() -> None:
    assert list(abandoned({})) == []
