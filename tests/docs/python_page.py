"""What of assent may be called from Python: the page docs/reference/python.md, from signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

PUBLIC: Final = {
    "assent.asgi": ("application", "Application"),
    "assent.training": ("training_run", "StartedRun", "Talk"),
    "assent.policy.parse": ("parse_policy",),
    "assent.policy.decide": ("decide",),
    "assent.domain.facts": ("Facts", "ChoiceAct", "HoldSpan", "facts_from_record", "facts_to_record"),
    "assent.connectors.port": ("Product", "Listed", "Unlisted", "Copy", "Change", "Narrowing", "ProjectScope"),
    "assent.connectors.table": ("Table", "Secret"),
    "assent.domain.errors": ("AssentError", "Invalid", "NotFound", "Refused", "Incomplete"),
}
"""Module by module, the names that a release may not change without saying so one release before."""

HEAD: Final = """# Python

{made}

These names may be imported. They are typed (`py.typed`), and change only as [releases](releases.md) may. Whatever is
not on this page is the inside of assent. Most of what assent does has no call of its own here: use a
[command](commands.md) with `--json`, or the HTTP API (`/openapi.json`).
"""


def python_page(made: str) -> str:
    """Give every public name with its signature and what its docstring says first."""
    sections = [HEAD.format(made=made).rstrip()]
    for module, names in PUBLIC.items():
        loaded = import_module(module)
        sections.append(f"## `{module}`")
        sections += [_entry(name, getattr(loaded, name)) for name in names]
    return "\n\n".join(sections) + "\n"


def _entry(name: str, value: Any) -> str:
    if inspect.isfunction(value):
        return f"### `{name}`\n\n{_said(name, value)}"
    if not inspect.isclass(value):
        return f"### `{name}`\n\n```python\n{name} = {str(value).removeprefix('collections.abc.')}\n```"
    lines = [f"### `{name}`", inspect.getdoc(value) or ""]
    methods = [_said(one, method) for one, method in _methods(value)]
    return "\n\n".join([*lines, *methods]) if methods else "\n\n".join(lines)


def _said(name: str, function: Any) -> str:
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    return f"```python\n{name}{signature}\n```\n\n{inspect.getdoc(function) or ''}".rstrip()


def _methods(value: type) -> Iterator[tuple[str, Any]]:
    if issubclass(value, BaseException) or not value.__module__.startswith("assent"):
        return
    for name, member in vars(value).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield name, member
