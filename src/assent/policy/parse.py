"""Read a policy file: TOML text in, a `Policy` or problems with file, line, column and fix out."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING

import tree_sitter_toml
from pydantic import ValidationError
from tree_sitter import Language, Node, Parser

from assent.domain.errors import Invalid, Place
from assent.policy.build import RuleProblem, build, structural_problems
from assent.policy.document import Document
from assent.policy.shape_problems import shape_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.build import Path
    from assent.policy.model import Policy


class PolicyProblems(Invalid):
    """Everything that is wrong with a policy file, in file order."""

    def __init__(self, problems: list[Invalid]) -> None:
        """Show the first problem as the message; `problems` holds all."""
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, first.fix, first.place)
        self.problems = problems


def parse_policy(text: str, file: str) -> Policy:
    """Read a policy file. Raises `PolicyProblems` naming every fault with its place and fix."""
    return build(parse_document(text, file))


def parse_document(text: str, file: str) -> Document:
    """Read a policy file as far as its document, checked so that `build` cannot fail. Raises `PolicyProblems`."""
    document, places = read_shape(text, file)
    if found := structural_problems(document):
        raise PolicyProblems(_in_file_order([places.at(problem) for problem in found]))
    return document


def read_shape(text: str, file: str) -> tuple[Document, Places]:
    """Read a policy file that may still break rules of content, and the places of its values.

    Raises `PolicyProblems` if it is not TOML or has not the shape of a policy file.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyProblems([_syntax_problem(str(error), text, file)]) from None
    except RecursionError:
        problem = Invalid("this is not a policy file: it is nested too deeply", "see spec/policy.md", Place(file, 1))
        raise PolicyProblems([problem]) from None
    places = Places(text, file)
    try:
        document = Document.model_validate(raw, strict=True)
    except ValidationError as error:
        problems = shape_problems(raw, error.errors(include_url=False), places.of)
        raise PolicyProblems(_in_file_order(problems)) from None
    if zoneless := [places.at(problem) for problem in _without_zone(raw, ())]:
        raise PolicyProblems(_in_file_order(zoneless))
    return document, places


def _without_zone(value: object, path: Path) -> Iterator[RuleProblem]:
    if isinstance(value, datetime) and value.tzinfo is None:
        message = f"`{path[-1]}`: `{value.isoformat()}` has no zone"
        yield RuleProblem(path, message, "add `Z` for UTC or an offset such as `+02:00`")
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _without_zone(item, (*path, key))


class Places:
    """Finds the line and column of a value by its path in the document."""

    def __init__(self, text: str, file: str) -> None:
        """Index every key of the text; a path without an entry falls back to its nearest parent."""
        self.file = file
        source = text.encode()
        lines = source.splitlines()
        self._positions: dict[Path, tuple[int, int]] = {}
        for path, node in _keys(Parser(Language(tree_sitter_toml.language())).parse(source).root_node):
            line, byte_column = node.start_point
            column = len(lines[line][:byte_column].decode()) if byte_column else 0
            for length in range(len(path), 0, -1):
                self._positions.setdefault(path[:length], (line + 1, column + 1))

    def of(self, path: Path) -> Place:
        """Return the place of a path, or of its nearest parent that is in the file."""
        while path and path not in self._positions:
            path = path[:-1]
        line, column = self._positions.get(path, (1, 1))
        return Place(self.file, line, column)

    def at(self, problem: RuleProblem) -> Invalid:
        """Give a rule problem its place."""
        problem.place = self.of(problem.path)
        return problem


def _keys(root: Node) -> Iterator[tuple[Path, Node]]:
    """Yield each key of the file with its full path; arrays of tables count from 0."""
    seen: dict[Path, int] = {}
    for node in root.children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in ("table", "table_array_element"):
            key = next(child for child in node.children if child.type in _KEY_TYPES)
            path = _resolved(_key_path(key), seen)
            if node.type == "table_array_element":
                seen[path] = seen.get(path, -1) + 1
                path = (*path, seen[path])
            yield path, key
            for child in node.children:
                if child.type == "pair":
                    yield from _pair(child, path)


_KEY_TYPES = ("bare_key", "quoted_key", "dotted_key")


def _resolved(path: Path, seen: dict[Path, int]) -> Path:
    """Point a sub-table of an array at the array's newest element."""
    full: Path = ()
    for part in path[:-1]:
        full = (*full, part)
        if full in seen:
            full = (*full, seen[full])
    return (*full, path[-1])


def _pair(node: Node, parent: Path) -> Iterator[tuple[Path, Node]]:
    key, value = node.children[0], node.children[-1]
    path = (*parent, *_key_path(key))
    yield path, key
    if value.type == "inline_table":
        yield from _table(value, path)
    elif value.type == "array":
        for index, item in enumerate(child for child in value.children if child.is_named and child.type != "comment"):
            yield (*path, index), item
            if item.type == "inline_table":
                yield from _table(item, (*path, index))


def _table(table: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    for child in table.children:
        if child.type == "pair":
            yield from _pair(child, path)


def _key_path(key: Node) -> Path:
    if key.type == "dotted_key":
        return tuple(part for child in key.children if child.type in _KEY_TYPES for part in _key_path(child))
    return ((key.text or b"").decode().strip("\"'"),)  # only a quoted key has quotes


def _syntax_problem(message: str, text: str, file: str) -> Invalid:
    reason, _, where = message.partition(" (at ")
    numbers = [int(word.rstrip(",)")) for word in where.split() if word.rstrip(",)").isdigit()]
    place = Place(file, *numbers[:2]) if numbers else Place(file, text.count("\n") + 1)
    reason = re.sub(r"\(('[^)]*)\)", _table_name, reason)
    return Invalid(f"this is not TOML: {reason[0].lower()}{reason[1:]}", "correct the syntax here", place)


def _table_name(names: re.Match[str]) -> str:
    parts = re.findall("[^', ]+", names[1])
    return f"`[{'.'.join(parts)}]`"


def _in_file_order(problems: list[Invalid]) -> list[Invalid]:
    unique = {(str(p.place), p.message): p for p in problems}
    return sorted(unique.values(), key=lambda p: (p.place.line or 0, p.place.column or 0) if p.place else (0, 0))
