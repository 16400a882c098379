"""Reading files that settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Invalid, Place

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """Read a text file. Raises `Invalid` if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text", "save it as UTF-8", Place(path.name)) from None
