"""The name of weights: a digest of every byte that belongs to them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from assent.domain.digests import digest

if TYPE_CHECKING:
    from pathlib import Path


def weights_digest(folder: Path) -> str:
    """Name the files of a folder by SHA-256: of the canonical JSON of the list of `[name, sha256]`, sorted by name.

    Names are relative to the folder, with `/`. Links are read like the files they lead to.
    """
    return digest(
        [
            [path.relative_to(folder).as_posix(), _sha256(path)]
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix())
            if path.is_file()
        ]
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
