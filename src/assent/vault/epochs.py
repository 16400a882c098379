"""Epoch keys: what wraps the data keys of one epoch, and dies with it.

A device (PKCS#11, a cloud's key service) holds one key object for each epoch and destroys that object; what it hands
out by `open` is the 32-byte key that the object protects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What became of the key of an epoch.

    `effective`: "now" if nobody can open it any more, "later" if its keeper only destroys after a waiting time; `note`
    says then how long, and whatever else a person should know.
    """

    epoch: int
    effective: Literal["now", "later"]
    note: str


class EpochKeys(Protocol):
    """The keeper of epoch keys. Epochs are numbers that only grow."""

    name: str

    def make(self, epoch: int) -> bytes:
        """Make a fresh 32-byte key and return it once it is durable. Raises `AssentError` if the epoch has one."""
        ...

    def open(self, epoch: int) -> bytes:
        """Return the key of an epoch. Raises `NotFound` if it was destroyed or never made."""
        ...

    def destroy(self, epoch: int) -> Destroyed:
        """Destroy the key of an epoch; one that is gone already is no error."""
        ...

    def known(self) -> list[int]:
        """Return the epochs whose keys are there, oldest first."""
        ...
