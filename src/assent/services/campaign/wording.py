"""What is wrong with the shape of a campaign file, in the words of the file instead of the validator's."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Invalid
from assent.policy.shape_problems import SHORT_NAME
from assent.services.campaign.document import json_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assent.domain.errors import Place

SPEC: Final = "see spec/campaign.md for what it means"

_INSTANT: Final = "write an instant with a zone and without quotes, as `2026-03-01T00:00:00Z`"
_KINDS: Final = {
    "string_type": ("is not text", "put it in quotes"),
    "bool_type": ("is not true or false", "write `true` or `false` without quotes"),
    "int_type": ("is not a whole number", "write a whole number without quotes"),
    "datetime_type": ("is not an instant", _INSTANT),
    "list_type": ("is not a list", "write `[...]` around it"),
    "dict_type": ("is not a table", "write it as a table of names"),
    "model_type": ("is not a table", "write it as a table of names"),
    "string_too_short": ("is too short", "write at least three characters"),
    "too_short": ("is empty", "name at least one, or leave the key out if it is optional"),
    "too_long": ("names too many", "name fewer"),
    "string_pattern_mismatch": ("is not a short name", SHORT_NAME),
}


def shape_problem(fault: Mapping[str, Any], place_of: Callable[[tuple[str | int, ...]], Place]) -> Invalid:
    """Put one error of the validator into words, with its place and its remedy."""
    path = tuple(part for part in fault["loc"] if not _is_alternative(part))
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    message, fix = _words(str(fault["type"]), name, path, fault)
    return Invalid(message, fix, place_of(path))


def _is_alternative(part: object) -> bool:
    # pydantic adds the names of tried alternatives to a path; no key of a campaign file looks like those
    return part == "[key]" or (isinstance(part, str) and part.startswith(("list[", "literal[", "function-", "NoneOf")))


def _words(kind: str, name: str, path: tuple[str | int, ...], fault: Mapping[str, Any]) -> tuple[str, str]:
    if kind in _KINDS:
        problem, fix = _KINDS[kind]
        return f"`{name}` {problem}", fix
    if kind == "missing":
        written = f"`[{name}]`" if len(path) == 1 else f"`{name} = ...`"
        return f"`{name}` is missing", f"add {written}; {SPEC}"
    if kind == "extra_forbidden":
        return f"`{name}` is not known here", _near(name, _keys_at(path[:-1]))
    if kind == "value_error":
        text, _, fix = str(fault["msg"]).removeprefix("Value error, ").partition("; ")
        return f"`{name}`: {text}", fix
    return _outside(kind, name, fault)


def _outside(kind: str, name: str, fault: Mapping[str, Any]) -> tuple[str, str]:
    """Say what is allowed instead of a value that is not."""
    limits = fault.get("ctx") or {}
    if name == "no_answer":
        return "silence is never consent: this is no rule for people who do not answer", "use `decline` or `block`"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(limits["expected"])) or [str(limits["expected"])]
        return f"`{name}` is not one of what is allowed here", _near(str(fault.get("input")), allowed)
    if kind in ("greater_than_equal", "less_than_equal"):
        low = kind == "greater_than_equal"
        limit = limits["ge" if low else "le"]
        return f"`{name}` is too {'small' if low else 'large'}", f"use {limit} or {'more' if low else 'less'}"
    return f"`{name}` is not what may stand here", SPEC


def _near(word: str, allowed: list[str]) -> str:
    close = get_close_matches(word, allowed, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"use one of {', '.join(f'`{name}`' for name in allowed)}" if allowed else "remove it"


def _keys_at(path: tuple[str | int, ...]) -> list[str]:
    schema = json_schema()
    node: dict[str, Any] = schema
    for part in path:
        node = node.get("properties", {}).get(part, {})
        options = node.get("anyOf", [node])
        node = next((option for option in options if "$ref" in option), {})
        node = schema["$defs"].get(node.get("$ref", "").rsplit("/", 1)[-1], {})
    return list(node.get("properties", {}))
