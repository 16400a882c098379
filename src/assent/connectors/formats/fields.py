"""Reading fields of untrusted JSON: what is not there or not of its type is said once, in one way.

Exports are written by other people's programs and change without notice. A field that an
importer can do without is read leniently (None, ""); one it cannot do without raises
`Invalid` with a fixed phrase that never quotes the value.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from assent.domain.conversation import Origin
from assent.domain.errors import Invalid, NotFound
from assent.domain.instants import from_epoch, parse_instant

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""A file that has to be read as a whole is refused above this size."""

CONNECTOR_PREFIX: Final = "mcp__"
"""Tools of MCP servers carry this prefix in every coding agent: their results come from a connector."""


def instant(value: object) -> datetime | None:
    """Read a time in any unit; None when it is missing or no time, since few records need theirs.

    Tables hold times as `datetime`; those without a zone are UTC, as pyarrow stores them.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    try:
        if isinstance(value, str):
            return parse_instant(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return from_epoch(value)
    except (Invalid, OverflowError):
        pass
    return None


def string(value: object) -> str:
    """Read optional text; "" for everything that is no text."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, object]:
    """Read an optional JSON object; an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """Read an optional JSON array; an empty one for everything else."""
    return value if isinstance(value, list) else []


def json_text(value: object) -> str:
    """Write a payload as canonical JSON (sorted keys, no spaces); text stays as it is.

    orjson is many times faster than the standard library and writes the same form for all
    values without floats. It stops at 254 levels, so deeper values take the slow way.
    """
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        pass
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Invalid("a value cannot be written as JSON text", "it is nested too deeply") from None


def arguments_text(value: object) -> str:
    """Write the arguments of a tool call, which many formats hold as JSON inside a string."""
    if not isinstance(value, str):
        return "" if value is None else json_text(value)
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return json_text(parsed) if isinstance(parsed, dict | list) else value


def tool_origin(name: str) -> Origin:
    """Tell a connector's tool from a built-in one by its name."""
    return "connector" if name.startswith(CONNECTOR_PREFIX) else "tool"


def place_file(root: Path, path: Path) -> str:
    """Name a file relative to what the caller pointed at: folders above it often hold a person's name."""
    try:
        relative = path.relative_to(root)
    except ValueError:
        return path.name
    return relative.as_posix() if relative.parts else path.name


def existing(path: Path) -> Path:
    """Give back a path that exists. Raises `NotFound` with what to do next."""
    if not path.exists():
        raise NotFound(f"there is no `{path.name}`", "give the path of an export file or a session folder")
    return path


def files_below(path: Path) -> list[Path]:
    """List the regular files below a folder, links left out, or the path itself if it is a file, in a fixed order."""
    if path.is_file():
        return [path]
    return sorted(item for item in path.rglob("*") if item.is_file() and not item.is_symlink())


def file_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a whole file of bounded size. Raises `Invalid` when it is larger or cannot be read."""
    try:
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError:
        raise Invalid("the file cannot be opened", "check its permissions") from None
    if len(content) > limit:
        raise Invalid("the file is larger than the limit", "split it")
    return content
