"""Libraries that only some detectors need: said by name where they are missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needing(what: str) -> Iterator[None]:
    """Import libraries of the extra `detect`. Raises `Refused`, saying how to install it, if one is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        fix = "install it: pip install 'assent[detect]'"
        raise Refused(f"{what} needs `{missing.name}`, which is not installed", fix) from None
