"""Read a policy file: TOML text in, a `Policy` or problems with file, line, column and fix out."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import tree_sitter_toml
from pydantic import ValidationError
from tree_sitter import Language, Node, Parser

from assent.domain.errors import Invalid, Place
from assent.policy.build import RuleProblem, build, structural_problems
from assent.policy.document import Document

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
    places = Places(text, file)
    try:
        return Document.model_validate(raw), places
    except ValidationError as error:
        problems = [_shape_problem(dict(item), places) for item in error.errors(include_url=False)]
        raise PolicyProblems(_in_file_order(problems)) from None


class Places:
    """Finds the line and column of a value by its path in the document."""

    def __init__(self, text: str, file: str) -> None:
        """Index every key of the text; a path without an entry falls back to its nearest parent."""
        self.file = file
        tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
        self._positions: dict[Path, tuple[int, int]] = {}
        for path, node in _keys(tree.root_node):
            line, byte_column = node.start_point
            column = len(text.encode().splitlines()[line][:byte_column].decode()) if byte_column else 0
            self._positions.setdefault(path, (line + 1, column + 1))

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
        for child in value.children:
            if child.type == "pair":
                yield from _pair(child, path)
    elif value.type == "array":
        for index, item in enumerate(child for child in value.children if child.is_named and child.type != "comment"):
            yield (*path, index), item


def _key_path(key: Node) -> Path:
    if key.type == "dotted_key":
        return tuple(part for child in key.children if child.type in _KEY_TYPES for part in _key_path(child))
    text = (key.text or b"").decode()
    return (text.strip("\"'") if key.type == "quoted_key" else text,)


def _syntax_problem(message: str, text: str, file: str) -> Invalid:
    reason, _, where = message.partition(" (at ")
    numbers = [int(word.rstrip(",)")) for word in where.split() if word.rstrip(",)").isdigit()]
    line, column = (numbers + [None, None])[:2] if numbers else (text.count("\n") + 1, None)
    return Invalid(f"this is not TOML: {reason[0].lower()}{reason[1:]}", "fix the syntax here", Place(file, line, column))


def _shape_problem(error: dict[str, Any], places: Places) -> Invalid:
    # pydantic adds the names of tried alternatives to a path; no key of a policy file looks like those.
    path: Path = tuple(part for part in error["loc"] if isinstance(part, int) or not _is_alternative(part))
    place = places.of(path)
    name = str(path[-1]) if path else ""
    message, kind = str(error["msg"]), error["type"]
    if kind == "missing":
        return Invalid(f"`{name}` is missing", f"add `{name} = ...`; see spec/policy.md for what it means", place)
    if kind == "extra_forbidden":
        return Invalid(f"`{name}` is not known here", "remove it, or check the spelling against spec/policy.md", place)
    if name == "no_answer":
        fix = "use `decline`, `block` or `old terms continue`"
        return Invalid(f"L6: `{error['input']}` is no rule for people who do not answer: silence is never consent", fix, place)
    if kind == "value_error":
        text, _, fix = message.removeprefix("Value error, ").partition("; ")
        return Invalid(f"`{name}`: {text}", fix, place)
    return Invalid(f"`{name}` {_lower(message)}", "see spec/policy.md for what may stand here", place)


def _is_alternative(part: str) -> bool:
    return part.startswith(("list[", "NoneOf", "literal[", "function-", "PickedLength", "union"))


def _lower(message: str) -> str:
    message = message.removeprefix("Input ")
    return message[0].lower() + message[1:]


def _in_file_order(problems: list[Invalid]) -> list[Invalid]:
    unique = {(str(p.place), p.message): p for p in problems}
    return sorted(unique.values(), key=lambda p: (p.place.line or 0, p.place.column or 0) if p.place else (0, 0))
