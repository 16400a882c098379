"""Reading files that settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import AssentError, Invalid, NotFound, Place

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """Read a text file, with or without a byte order mark. Raises `Invalid` if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text", "save it as UTF-8", Place(path.name)) from None


def read_secret(path: Path) -> str:
    """Read a secret without the newline at its end. Raises `NotFound`, and `AssentError` where it may not be read."""
    try:
        return read_text(path).rstrip("\r\n")
    except FileNotFoundError:
        raise NotFound(f"there is no file `{path.name}` with the secret", "write it, and nothing else in it") from None
    except PermissionError:
        fix = "let this program read it"
        raise AssentError(f"the file `{path.name}` with the secret cannot be read", fix) from None
