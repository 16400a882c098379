"""Epoch keys under the keys of a device: a hardware security module, or a cloud's key service.

The device makes one key for each epoch, never lets it out, and destroys it with the epoch. With it the
32-byte epoch key is wrapped into a file; whoever copies the file has nothing once the device's key is gone.
The data keys are wrapped by the epoch key on this machine: a device that wrapped each of them itself would
have to be asked for every part that is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import AssentError, NotFound
from assent.vault.disk import create_whole, make_folder, zero_and_remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assent.vault.epochs import Destroyed

_NAME: Final = re.compile(r"epoch-(\d+)\.wrapped")


class Device(Protocol):
    """What keeps one key for each epoch and gives none of them away."""

    name: str

    def make(self, epoch: int) -> None:
        """Make the key of an epoch; one that is there already stays."""
        ...

    def wrap(self, epoch: int, key: bytes) -> bytes:
        """Encrypt a key, authenticated and bound to its epoch."""
        ...

    def unwrap(self, epoch: int, wrapped: bytes) -> bytes:
        """Decrypt it. Raises `NotFound` if the device has no key for the epoch, `AssentError` if it does not open."""
        ...

    def destroy(self, epoch: int) -> Destroyed:
        """Destroy the key of an epoch; one that is gone already is no error."""
        ...


class DeviceEpochKeys:
    """One wrapped file for each epoch: `epoch-1.wrapped`."""

    def __init__(self, folder: Path, device: Device, new_key: Callable[[], bytes]) -> None:
        """Keep the files in `folder`, made when the first key is; `new_key` draws 32 bytes."""
        self._folder = folder
        self._device = device
        self._new_key = new_key
        self.name = device.name

    def make(self, epoch: int) -> bytes:
        make_folder(self._folder)
        self._device.make(epoch)
        key = self._new_key()
        try:
            create_whole(self._path(epoch), self._device.wrap(epoch, key))
        except FileExistsError:
            raise AssentError(f"epoch `{epoch}` has a key already", "take a later epoch") from None
        return key

    def open(self, epoch: int) -> bytes:
        try:
            wrapped = self._path(epoch).read_bytes()
        except FileNotFoundError:
            fix = "if it was not destroyed on purpose, put it back from a backup of the keys"
            raise NotFound(f"epoch `{epoch}` has no key", fix) from None
        return self._device.unwrap(epoch, wrapped)

    def destroy(self, epoch: int) -> Destroyed:
        # the file goes last: should this stop half-way, `known` still names the epoch, and it is done again
        destroyed = self._device.destroy(epoch)
        zero_and_remove(self._path(epoch))
        return destroyed

    def known(self) -> list[int]:
        names = [file.name for file in self._folder.iterdir()] if self._folder.is_dir() else []
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch}.wrapped"
