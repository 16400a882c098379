"""Functions that numba compiles once per machine, and in memory where it may write nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from assent.pipeline.extra import needing

with needing("deduplication"):
    import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays when it is first called; other threads run meanwhile."""
    try:
        return cast("F", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # neither the package's folder nor the home may be written: compile anew in each process
        return cast("F", numba.njit(nogil=True)(function))
