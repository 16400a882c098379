"""Files that a command writes for its caller alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


def write_for_owner(path: Path) -> BinaryIO:
    """Open a file to be written, its old bytes gone, that nobody but its owner may read or change."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    # one that is there keeps the mode it was made with
    os.fchmod(file, 0o600)
    return os.fdopen(file, "wb")
