"""Run by the tool's own interpreter in a copy of the tree: make every mutant, and write down what each one changes."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from pathlib import Path

from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants, setup_source_paths
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key


def functions(path: Path) -> dict[tuple[str | None, str], int]:
    """Return the first line of each function by class and name, its decorators left out."""
    found: dict[tuple[str | None, str], int] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[None, node.name] = node.lineno
        elif isinstance(node, ast.ClassDef):
            found |= {(node.name, one.name): one.lineno for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


def described(name: str, path: Path, first: dict[tuple[str | None, str], int]) -> dict[str, object]:
    """Say where one mutant is and what it changes, line by line."""
    diff = get_diff_for_mutant(name, path=path)
    function, of_class = orig_function_and_class_names_from_key(name)
    body = diff.splitlines()[2:]
    start = int(re.match(r"@@ -(\d+)", body[0])[1])
    before = next(n for n, line in enumerate(body[1:]) if line[:1] in "-+")
    return {
        "name": name,
        "file": str(path),
        "function": f"{of_class}.{function}" if of_class else function,
        "line": first.get((of_class, function), 1) + start - 1 + before,
        "change": [line for line in body[1:] if line[:1] in "-+"],
    }


def drawn(name: str, share: float, seed: str) -> bool:
    """Draw a share by chance, the same mutants each time, whatever else is mutated beside them."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8]) < share * 2**64


def main(at_once: int, share: float, seed: str, *again: str) -> None:
    """Make the mutants, and describe those that are drawn, or those that are named."""
    set_mutant_under_test("mutant_generation")
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(at_once)
    found, made = [], 0
    for path in walk_mutatable_files():
        first = functions(path)
        data = SourceFileMutationData(path=path)
        data.load()
        made += len(data.exit_code_by_key)
        wanted = [name for name in data.exit_code_by_key if (name in again if again else drawn(name, share, seed))]
        found += [described(name, path, first) for name in wanted]
    Path("mutants.json").write_text(json.dumps({"made": made, "drawn": found}), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
