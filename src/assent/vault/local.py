"""Epoch keys as files on this machine, readable by their owner alone."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError, NotFound, Refused
from assent.vault.disk import create_whole, make_folder, zero_and_remove
from assent.vault.epochs import Destroyed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME: Final = re.compile(r"epoch-(\d+)\.key")
_OTHERS: Final = 0o077


class LocalEpochKeys:
    """One file for each epoch: `epoch-1.key`, 32 bytes. Destroyed by zeros first, then by taking the name away."""

    name = "local"

    def __init__(self, folder: Path, new_key: Callable[[], bytes]) -> None:
        """Keep the files in `folder`, made when the first key is; `new_key` draws 32 bytes."""
        self._folder = folder
        self._new_key = new_key

    def make(self, epoch: int) -> bytes:
        make_folder(self._folder)
        key = self._new_key()
        try:
            create_whole(self._path(epoch), key)
        except FileExistsError:
            raise AssentError(f"epoch `{epoch}` has a key already", "take a later epoch") from None
        return key

    def open(self, epoch: int) -> bytes:
        path = self._path(epoch)
        key = b""
        with suppress(FileNotFoundError), path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise Refused(f"others on this machine may read `{path.name}`", f"run `chmod 600 {path.name}`")
            key = file.read()
        if not any(key):  # none, or zeros that a crash kept from being removed
            fix = "if it was not destroyed on purpose, put it back from a backup of the keys"
            raise NotFound(f"epoch `{epoch}` has no key", fix)
        return key

    def destroy(self, epoch: int) -> Destroyed:
        zero_and_remove(self._path(epoch))
        return Destroyed(epoch, "now", "zeroed and removed")

    def known(self) -> list[int]:
        names = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch}.key"
