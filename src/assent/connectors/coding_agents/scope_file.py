"""The file `.assent.toml` of a repository: what its owner wants less of, whatever a person chose elsewhere.

    training = "deny"        # sessions in this repository are never trained on
    retention_days = 7       # and count as deleted by their person this long after the last turn

A file can only narrow: anything that would permit or lengthen is refused, since who commits to a
repository is not the person whose sessions these are. `training` becomes a refusal in scope
`project` (spec/choice.md), `retention_days` a deletion; how soon after it a session is erased, the
policy says (`services.connect.narrow`).
"""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.connectors.port import ProjectScope
from assent.domain.errors import Invalid, Place
from assent.policy.parse import Places

FILE: Final = ".assent.toml"
MAX_BYTES: Final = 64 << 10

_FIXES: Final = {
    "training": 'a file can only narrow: write `training = "deny"`, or leave it out',
    "retention_days": "write a whole number of days, 1 or more",
}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    training: Literal["deny"] | None = None
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None


def read_scope(project: str) -> ProjectScope | None:
    """Read the file of a project's folder, or of the repository around it; None if there is none.

    Raises `Invalid` naming line and fix: a file that cannot be read must not count as none.
    """
    if not project.startswith("/"):
        return None
    for folder in (Path(project), *Path(project).parents):
        content = _content(folder / FILE)
        if content is not None:
            found = parse_scope(content)
            return ProjectScope(project, found.training, found.retention_days)
        if (folder / ".git").exists():
            return None
    return None


def parse_scope(content: bytes) -> _Document:
    """Read the text of a scope file. Raises `Invalid` naming line and fix."""
    try:
        text = content.decode("utf-8")
        raw: dict[str, Any] = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise Invalid(f"`{FILE}` is not TOML", "see docs/reference/systems.md", Place(FILE, 1)) from None
    try:
        return _Document.model_validate(raw)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        fix = _FIXES.get(key, f"use {', '.join(_FIXES)}")
        said = "is not a key of this file" if key not in _FIXES else "cannot say that"
        raise Invalid(f"`{key}` {said}", fix, Places(text, FILE).of((key,))) from None


def _content(path: Path) -> bytes | None:
    """Read a small regular file; None if there is none. A link counts as unreadable, not as absent."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise Invalid(f"`{FILE}` cannot be read", "make it a plain file that you may read", Place(FILE)) from None
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise Invalid(f"`{FILE}` is no small plain file", "write a file with the keys that you need", Place(FILE))
        return stream.read()
