"""Spans, and their attributes as a tree: `llm.input_messages.0.message.role` is a list in a table in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

Tree = dict[str, object]

_OWN: Final = ""
"""The key of a value whose name is also the beginning of another one."""

_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened during a span."""

    name: str
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One span. `attributes` and `resource` are trees (`tree`); ids are lower-case hexadecimal."""

    trace: str
    id: str
    parent: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    resource: Mapping[str, object] = field(default_factory=dict)


def tree(flat: Iterable[tuple[str, object]]) -> Tree:
    """Read dotted names as a tree. A name that is deeper than anything that is read here stays whole."""
    found: Tree = {}
    for name, value in flat:
        *path, last = name.split(".") if name.count(".") < _DEEPEST else [name]
        here = found
        for step in path:
            inner = here.get(step)
            if not isinstance(inner, dict):
                inner = here[step] = {} if inner is None else {_OWN: inner}
            here = inner
        there = here.get(last)
        if isinstance(there, dict) and not isinstance(value, dict):
            there[_OWN] = value
        else:
            here[last] = value
    return found


def at(attributes: object, name: str) -> object:
    """Return the value of a dotted name; None if there is none."""
    here = attributes
    for step in name.split("."):
        if not isinstance(here, Mapping):
            return None
        here = here.get(step)
    return here.get(_OWN, here) if isinstance(here, Mapping) else here


def items(value: object) -> list[object]:
    """Return a list of a tree, whose places are names there (`0`, `1`, ...), or a plain list."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Mapping):
        return []
    numbered = {int(name): one for name, one in value.items() if name.isdecimal() and len(name) < 7}
    return [numbered[number] for number in sorted(numbered)]
