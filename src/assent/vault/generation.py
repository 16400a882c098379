"""The slots of one epoch: one file, 12 wrapped keys of 40 bytes in each 512 bytes.

No slot crosses a sector, so a power cut leaves each whole or zero. A slot of zeros holds no key. Wrapping is AES-256
key wrap (RFC 3394): it needs no nonce, so a slot may be written again.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from assent.domain.errors import AssentError
from assent.vault.disk import OWNER_ONLY, write_at, zero_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

WRAPPED: Final = 40
"""Bytes of a wrapped 32-byte key (RFC 3394)."""

SECTOR: Final = 512
PER_SECTOR: Final = SECTOR // WRAPPED
_SPARE: Final = bytes(SECTOR - PER_SECTOR * WRAPPED)
_NONE: Final = bytes(WRAPPED)
_SPAN: Final = 1 << 20
_RUN: Final = 20_000
_READ_ON: Final = 4096
"""Bytes that are cheaper read and thrown away than skipped by another read."""


class Generation:
    """The slot file of one epoch and the key that wraps what is in it. Locks are its owner's business."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Use the slot file at `path`, whose keys are wrapped with `key`."""
        self._path = path
        self._key = key

    def write(self, keys: Iterable[tuple[int, bytes]]) -> None:
        """Write data keys by slot, in ascending order, without waiting for the disk."""
        with self._file(os.O_RDWR) as descriptor:
            for first, run in _runs(keys):
                laid = bytearray()
                for slot, key in enumerate(run, first):
                    if laid and slot % PER_SECTOR == 0:
                        laid += _SPARE
                    laid += aes_key_wrap(self._key, key)
                write_at(descriptor, bytes(laid), place(first))

    def destroy(self, slots: Sequence[int]) -> None:
        """Overwrite slots with zeros, whatever is in them, and wait for the disk."""
        with self._file(os.O_RDWR) as descriptor:
            end = os.fstat(descriptor).st_size
            for first, last in _stretches(sorted(slots)):
                # what lies behind the end was never written, and zeros there would only make the file longer
                zero_at(descriptor, place(first), min(place(last) + WRAPPED, end) - place(first))
            os.fsync(descriptor)

    def sync(self) -> None:
        """Wait until everything that was written is on the disk."""
        with self._file(os.O_RDWR) as descriptor:
            os.fsync(descriptor)

    def read(self, slots: Sequence[int]) -> dict[int, bytes]:
        """Unwrap the keys of slots; one that holds none is left out. Raises `AssentError` if one is damaged."""
        return {slot: self._unwrap(slot, wrapped) for slot, wrapped in self.wrapped(slots)}

    def wrapped(self, slots: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the slots that hold something, in ascending order, with what they hold."""
        with self._file(os.O_RDONLY) as descriptor:
            for near in _neighbours(sorted(slots)):
                start = place(near[0])
                stretch = os.pread(descriptor, place(near[-1]) + WRAPPED - start, start)
                for slot in near:
                    at = place(slot) - start
                    found = stretch[at : at + WRAPPED]
                    if found and found != _NONE:
                        yield slot, found

    def every(self, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Yield every slot above `after` that holds something, with what it holds, in ascending order."""
        with self._file(os.O_RDONLY) as descriptor:
            sector = (after + 1) // PER_SECTOR
            while stretch := os.pread(descriptor, _SPAN, sector * SECTOR):
                for begin in range(0, len(stretch), SECTOR):
                    slot = (sector + begin // SECTOR) * PER_SECTOR
                    for at in range(begin, min(begin + SECTOR - WRAPPED + 1, len(stretch)), WRAPPED):
                        found = stretch[at : at + WRAPPED]
                        if found != _NONE and slot > after:
                            yield slot, found
                        slot += 1
                sector += _SPAN // SECTOR

    def unwrapped(self) -> Iterator[tuple[int, bytes]]:
        """Yield every slot with its key. Raises `AssentError` if one is damaged."""
        return ((slot, self._unwrap(slot, found)) for slot, found in self.every())

    def _unwrap(self, slot: int, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._key, wrapped)
        except InvalidUnwrap:
            fix = "erase what it sealed, or put the slot store back from a backup"
            raise AssentError(f"slot `{slot}` is damaged: the epoch key does not open it", fix) from None

    @contextmanager
    def _file(self, mode: int) -> Iterator[int]:
        descriptor = os.open(self._path, mode)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def place(slot: int) -> int:
    """Return the byte at which a slot begins."""
    return slot // PER_SECTOR * SECTOR + slot % PER_SECTOR * WRAPPED


def begin(path: Path) -> None:
    """Make an empty slot file and wait for the disk; its name is the folder's to make durable."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, OWNER_ONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _runs(keys: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """Cut ascending slots where a number is missing, and where a run gets long."""
    first, run = 0, list[bytes]()
    for slot, key in keys:
        if run and (slot != first + len(run) or len(run) >= _RUN):
            yield first, run
            run = []
        if not run:
            first = slot
        run.append(key)
    if run:
        yield first, run


def _stretches(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join ascending slots into (first, last) without gaps."""
    first = last = -1
    for slot in slots:
        if slot > last + 1 or first < 0:
            if first >= 0:
                yield first, last
            first = slot
        last = slot
    if first >= 0:
        yield first, last


def _neighbours(slots: Sequence[int]) -> Iterator[list[int]]:
    """Group ascending slots that one read brings."""
    near: list[int] = []
    for slot in slots:
        if near and (place(slot) - place(near[-1]) > _READ_ON or place(slot) - place(near[0]) > _SPAN):
            yield near
            near = []
        near.append(slot)
    if near:
        yield near
