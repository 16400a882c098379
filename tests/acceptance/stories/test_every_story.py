"""Every failure story has a test that bears its number and tells it."""

import ast
from collections import defaultdict
from pathlib import Path

STORIES = 40


def test_all_forty_stories_have_a_named_test_that_tells_them() -> None:
    told: dict[int, list[str]] = defaultdict(list)
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_f") and node.name[6:8].isdecimal():
                told[int(node.name[6:8])].append(ast.get_docstring(node) or "")
    assert sorted(told) == list(range(1, STORIES + 1))
    assert all(words for several in told.values() for words in several)
