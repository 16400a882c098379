"""What is wrong with the shape of a policy file, in the words of the file instead of the validator's."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assent.domain.errors import Invalid
from assent.policy.document import json_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from assent.domain.errors import Place
    from assent.policy.build import Path

SPEC: Final = "see spec/policy.md for what it means"
_TABLES: Final = ("NoneOf", "PickedLength", "Choice")
_ALTERNATIVES: Final = ("list[", "literal[", "function-", "union", *_TABLES)
SHORT_NAME: Final = "use lower-case letters, digits, `-` and `.`, and begin with a letter or digit"


class _Fault(NamedTuple):
    """One fault of the validator: its kind, where, what stood there, and its limits."""

    kind: str
    path: Path
    found: object
    limits: Mapping[str, Any]
    message: str

    @property
    def key(self) -> str:
        """The key that the fault is about; for an item of a list the key of the list."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")


def shape_problems(
    raw: object, errors: Iterable[Mapping[str, Any]], place_of: Callable[[Path], Place]
) -> list[Invalid]:
    """Put the validator's errors into words; of the alternatives at one place only the one that was meant."""
    problems = []
    for fault in _meant(raw, errors):
        message, fix = _words(fault)
        problems.append(Invalid(message, fix, place_of(fault.path)))
    return problems


def _meant(raw: object, errors: Iterable[Mapping[str, Any]]) -> Iterator[_Fault]:
    """Drop what the validator says about alternatives that the author did not try to write, but not all of it."""
    dropped: dict[Path, _Fault] = {}
    kept: set[Path] = set()
    for error in errors:
        location = error["loc"]
        tried = next((n for n, part in enumerate(location) if _is_alternative(part)), None)
        path: Path = tuple(part for part in location if not _is_alternative(part))
        fault = _Fault(str(error["type"]), path, error.get("input"), error.get("ctx") or {}, str(error["msg"]))
        if tried is not None:
            base, wants, value = location[:tried], _wants(location[tried]), _at(raw, location[:tried])
            written = "list" if isinstance(value, list) else "table" if isinstance(value, dict) else "length"
            if written == "length" and wants == "list":
                # Neither alternative was meant: say once what may stand here.
                fault = fault._replace(kind="table_or_list" if path[-1] == "choice" else "list_or_not")
            elif wants != written:
                dropped.setdefault(base, fault)
                continue
            kept.add(base)
        yield fault
    yield from (fault for base, fault in dropped.items() if base not in kept)


def _wants(alternative: str) -> str:
    if alternative.startswith("list["):
        return "list"
    return "table" if alternative.startswith(_TABLES) else "length"


def _is_alternative(part: object) -> bool:
    # pydantic adds the names of tried alternatives to a path; no key of a policy file looks like those.
    return isinstance(part, str) and part.startswith(_ALTERNATIVES)


def _at(raw: Any, path: Iterable[Any]) -> object:
    for part in path:
        raw = raw[part]
    return raw


_TYPES: Final = {
    "string_type": ("is not text", "put it in quotes"),
    "bool_type": ("is not true or false", "write `true` or `false` without quotes"),
    "int_type": ("is not a whole number", "write a whole number without quotes"),
    "datetime_type": (
        "is not an instant",
        "write an instant with a zone and without quotes, as `2026-03-01T00:00:00Z`",
    ),
    "date_type": ("is not a day", "write a day without quotes, as `2026-03-01`"),
    "dict_type": ("is not a table", "write it as a table of names"),
}


def _words(fault: _Fault) -> tuple[str, str]:
    """Say one fault and its remedy."""
    name, kind = fault.key, fault.kind
    if kind in _TYPES:
        problem, fix = _TYPES[kind]
        return f"`{name}` {problem}", fix
    if kind == "missing":
        return f"`{name}` is missing", f"add {_written(fault.path)}; {SPEC}"
    if kind == "extra_forbidden":
        return f"`{name}` is not known here", _near(name, _keys_at(fault.path[:-1]))
    if kind == "literal_error":
        return _not_a_word(fault)
    if kind == "value_error":
        text, _, fix = fault.message.removeprefix("Value error, ").partition("; ")
        return f"`{name}`: {text}", fix
    return _limits(fault)


def _not_a_word(fault: _Fault) -> tuple[str, str]:
    allowed = re.findall(r"'([^']*)'", str(fault.limits["expected"])) or [str(fault.limits["expected"])]
    if fault.key == "no_answer":
        fix = "use `decline`, `block` or `old terms continue`"
        return f"L6: `{fault.found}` is no rule for people who do not answer: silence is never consent", fix
    return f"`{fault.key}`: `{fault.found}` is not allowed", _near(str(fault.found), allowed)


def _limits(fault: _Fault) -> tuple[str, str]:
    """Say which limit a value breaks, or that it is not the table or list it should be."""
    name, limits = fault.key, fault.limits
    list_fix = f"write each under `[[{name}]]`" if len(fault.path) == 1 else f'write `{name} = ["..."]`'
    either = f'write `{name} = ["..."]`, or `{name} = {{ not = ["..."] }}`'
    words = {
        "string_pattern_mismatch": (f": `{fault.found}` is not a short name", SHORT_NAME),
        "string_too_short": (" is too short", f"write at least {limits.get('min_length')} characters"),
        "too_short": (" is empty", "name at least one, or leave the key out if it is optional"),
        "greater_than_equal": (f": `{fault.found}` is too small", f"use {limits.get('ge')} or more"),
        "less_than_equal": (f": `{fault.found}` is too large", f"use {limits.get('le')} or less"),
        "list_type": (" is not a list", list_fix),
        "table_or_list": (" is not a table", f"write `{name} = {{ ... }}`"),
        "list_or_not": (" is not a list", either),
        "model_type": (" is not a table", f"write `{name} = {{ ... }}`"),
    }
    if name == "lint":
        words["string_pattern_mismatch"] = (f": `{fault.found}` is not a lint", "use one of L1 to L16")
    unforeseen = (f" {fault.message.removeprefix('Input ')}", "see spec/policy.md for what may stand here")
    message, fix = words.get(fault.kind, unforeseen)
    return f"`{name}`{message}", fix


def _near(word: str, allowed: list[str]) -> str:
    close = get_close_matches(word, allowed, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"use one of {', '.join(f'`{name}`' for name in allowed)}" if allowed else "remove it"


@cache
def _schema() -> dict[str, Any]:
    return json_schema()


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _node_at(path: Path) -> dict[str, Any]:
    """Follow a path through the schema; an empty schema where it leads nowhere."""
    node = _schema()
    for part in path:
        for option in map(_resolved, node.get("anyOf", [node])):
            inner = option.get("items") if isinstance(part, int) else option.get("properties", {}).get(part)
            if inner is None and isinstance(part, str):
                inner = option.get("additionalProperties") or next(
                    iter(option.get("patternProperties", {}).values()), None
                )
            if isinstance(inner, dict):
                node = _resolved(inner)
                break
        else:
            return {}
    return node


def _keys_at(path: Path) -> list[str]:
    node = _node_at(path)
    return [key for option in map(_resolved, node.get("anyOf", [node])) for key in option.get("properties", {})]


def _written(path: Path) -> str:
    """Show how a missing key is written: as a table, a list of tables, or a value."""
    node, name = _node_at(path), ".".join(str(part) for part in path)
    if node.get("type") == "array" and _resolved(node.get("items", {})).get("type") == "object":
        return f"`[[{name}]]`"
    if node.get("type") == "object" and not any(isinstance(part, int) for part in path):
        return f"`[{name}]`"
    words = node.get("enum") or ([node["const"]] if "const" in node else [])
    return f"`{path[-1]} = ...`" + (f", one of {', '.join(f'`{word}`' for word in words)}" if words else "")
