"""Libraries that only training needs: said by name where they are missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needing(what: str, package: str = "assent[train]") -> Iterator[None]:
    """Import what training needs. Raises `Refused`, saying how to install it, if a library is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        fix = f"install it: pip install '{package}'"
        raise Refused(f"{what} needs `{missing.name}`, which is not installed", fix) from None
