"""The files of a home that belong into a backup: its papers, and in the backup of keys the other keys."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final

from assent.vault.disk import create_whole, make_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PAPERS: Final = ("notices", "connectors", "vendors")
"""Folders of a home beside its settings and policies: what was shown, which systems are connected, and what those
remember of their erasures, and what vendors signed."""

KEY_FOLDER: Final = "keys"
EPOCHS: Final = "epochs"
"""Keys of epochs are never copied: what they wrap is copied unwrapped, under the key of the backup."""


def papers_of(home: Path, named: Iterable[Path]) -> Iterator[tuple[bytes, int]]:
    """Read these files, and those in these folders, as far as they lie in the home."""
    for path in named:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.is_relative_to(home):
                yield _packed(home, file)


def keys_of(home: Path) -> Iterator[tuple[bytes, int]]:
    """Read the keys of a home that are not of the vault: of the ledger, of pseudonyms, of snapshots, of webhooks."""
    folder = home / KEY_FOLDER
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and EPOCHS not in file.relative_to(folder).parts:
            yield _packed(home, file)


def unpack(home: Path, packed: Iterable[bytes]) -> list[str]:
    """Write files into a home; one that is there already with the same bytes stays. Returns their names."""
    names = []
    for piece in packed:
        name, encoded = json.loads(piece)
        path, data = home / name, b64decode(encoded)
        make_folder(path.parent)
        if not path.exists() or path.read_bytes() != data:
            path.unlink(missing_ok=True)
            create_whole(path, data)
        names.append(name)
    return names


def _packed(home: Path, file: Path) -> tuple[bytes, int]:
    name = file.relative_to(home).as_posix()
    return json.dumps([name, b64encode(file.read_bytes()).decode()]).encode(), 1
