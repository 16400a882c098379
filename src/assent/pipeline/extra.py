"""Libraries that only a cut needs: said by name where they are missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needing(what: str, extra: str = "cut") -> Iterator[None]:
    """Import libraries of an extra inside; raises `Refused` with the command that installs them if one is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        fix = f"install it: pip install 'assent[{extra}]'"
        raise Refused(f"{what} needs `{missing.name}`, which is not installed", fix) from None
