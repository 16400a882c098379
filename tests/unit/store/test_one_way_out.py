"""What people said leaves the database in one place: no other file deletes its rows, whatever it calls the tables."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

import assent
from assent.store import schema

SOURCE = Path(assent.__file__).parent
HELD = {"part", "conversation", "sealed", "content", "flag", "candidate", "tombstone"}
ALLOWED = {
    ("store/sql/sweeps.py", name) for name in ("part", "conversation", "sealed", "content", "flag", "candidate")
} | {("store/sql/sealing.py", "sealed")}  # the row of a text that another took the place of


def deletions(source: str) -> set[str]:
    """The tables that a file deletes rows of: through Core by whatever name they were imported, or in words."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assent.store.schema")
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            table = node.args[0]
            if called in {"delete", "Delete"}:
                found |= {names.get(table.id, table.id)} if isinstance(table, ast.Name) else set()
                found |= {table.attr} if isinstance(table, ast.Attribute) else set()
        if isinstance(node, ast.Attribute) and node.attr == "delete" and isinstance(node.value, ast.Name):
            found |= {names.get(node.value.id, node.value.id)}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.upper().split()
            for before, after in pairwise(words):
                if before in {"FROM", "TRUNCATE", "TABLE"} and {"DELETE", "TRUNCATE"} & set(words):
                    found.add(after.lower().strip('";,'))
    return found & HELD


def test_only_the_sweep_deletes_what_people_said() -> None:
    found = {
        (str(path.relative_to(SOURCE)), table)
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        for table in deletions(path.read_text("utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "from assent.store.schema import part as pieces\ndelete(pieces)",
        "from assent.store import schema\nsql.delete(schema.conversation)",
        "from assent.store.schema import sealed\nsealed.delete()",
        'connection.exec_driver_sql("DELETE FROM part WHERE key = 1")',
        'connection.exec_driver_sql("TRUNCATE TABLE content")',
    ],
)
def test_another_way_out_would_be_seen(source: str) -> None:
    assert deletions(source)
    assert set(schema.METADATA.tables) >= HELD
