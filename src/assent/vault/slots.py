"""The slot store: wrapped data keys by number, outside the database, each destroyed by zeros in its place.

    lock           who writes or destroys holds it with others, who rotates holds it alone
    current        the number of the epoch in force; replaced whole
    EPOCH/slots    the wrapped keys of that epoch

Readers take no lock. What they read is true if the epoch in force is afterwards still the one they read from, because
a generation is only zeroed once another one is in force; else they read again.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from assent.domain.errors import AssentError
from assent.vault import generation
from assent.vault.disk import locked, make_folder, replace_whole, sync_folder, zero_and_remove
from assent.vault.generation import Generation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from assent.vault.epochs import Destroyed, EpochKeys

T = TypeVar("T")

_CURRENT: Final = "current"
_SLOTS: Final = "slots"
_TOLD_EVERY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation: `survivors` keys are wrapped by `to_epoch` now, and nothing is by `from_epoch`."""

    from_epoch: int
    to_epoch: int
    survivors: int
    destroyed: Destroyed


class SlotStore:
    """Data keys of a vault. Any number of threads and processes of one machine may use it at once."""

    def __init__(self, folder: Path, epochs: EpochKeys) -> None:
        """Open the slot store in `folder`, or begin one there."""
        self._folder = folder
        self._epochs = epochs
        self._opened: tuple[int, bytes] = (0, b"")
        if not (folder / _CURRENT).exists():
            self._found()

    @property
    def epoch(self) -> int:
        """The epoch in force."""
        try:
            return int((self._folder / _CURRENT).read_text("ascii"))
        except ValueError:
            raise AssentError("the slot store does not say its epoch", "put it back from a backup") from None

    @property
    def since(self) -> datetime:
        """When the epoch came into force, in whole seconds, by the clock of the file system."""
        return datetime.fromtimestamp(int((self._folder / _CURRENT).stat().st_mtime), UTC)

    @property
    def keeper(self) -> str:
        """What keeps the epoch keys, by name."""
        return self._epochs.name

    def write(self, keys: Mapping[int, bytes]) -> None:
        """Keep data keys of 32 bytes by slot. They are durable when this returns."""
        with self._together() as now:
            now.write(sorted(keys.items()))
            now.sync()

    def read(self, slots: Sequence[int]) -> dict[int, bytes]:
        """Return the keys of slots; one that is destroyed or was never written is left out.

        Raises `AssentError` if one is damaged.
        """
        return self._seen(lambda now: now.read(slots))

    def holding(self, slots: Sequence[int]) -> set[int]:
        """Return which of these slots hold anything, be it damaged."""
        return self._seen(lambda now: {slot for slot, _ in now.wrapped(slots)})

    def destroy(self, slots: Sequence[int]) -> None:
        """Destroy the keys of slots. When this returns they are zeros on the disk; again does no harm.

        Zeros are written even where the slot reads as zeros: after a failed wait for the disk that may not be what
        the disk holds.
        """
        with self._together() as now:
            now.destroy(slots)

    def live(self, after: int, limit: int) -> list[int]:
        """Return up to `limit` slots above `after` that hold a key, in ascending order."""
        return self._seen(lambda now: [slot for slot, _ in islice(now.every(after), limit)])

    def count(self) -> int:
        """Count the slots that hold a key; takes a quarter of a second for a million."""
        return self._seen(lambda now: sum(1 for _ in now.every()))

    def leftovers(self) -> list[int]:
        """Return epochs that a rotation that was cut short left behind: `rotate` destroys them first."""
        now = self.epoch
        return sorted({*self._epochs.known(), *self._generations()} - {now})

    def rotate(self, *, on_slots: Callable[[int], None]) -> Rotation:
        """Wrap what is live under a new epoch key, and destroy the old key and the old slots.

        `on_slots` hears of each further amount that is wrapped. Writers wait meanwhile, readers do not. Cut short at
        any moment, either the old epoch is still in force, whole, or the new one is and the old one goes with the
        next call. Raises `AssentError`, and the old epoch stays in force, if a slot is damaged.
        """
        with locked(self._folder / "lock", alone=True):
            old = self.epoch
            if left := self.leftovers():
                # the disk must agree on the epoch in force before any other is destroyed
                self._put_in_force(old)
                for epoch in left:
                    self._destroy(epoch)
            new = max(old, *self._epochs.known()) + 1
            survivors = self._carry_over(old, new, on_slots)
            self._put_in_force(new)
            self.close()
            return Rotation(old, new, survivors, self._destroy(old))

    def _put_in_force(self, epoch: int) -> None:
        replace_whole(self._folder / _CURRENT, f"{epoch}\n".encode())

    def close(self) -> None:
        """Forget the epoch key; it is opened again when it is needed."""
        self._opened = (0, b"")

    def _carry_over(self, old: int, new: int, on_slots: Callable[[int], None]) -> int:
        """Write a generation with what is live in another one; durable when this returns."""
        coming = self._begin(new)
        survivors = 0

        def counted() -> Iterator[tuple[int, bytes]]:
            nonlocal survivors
            for one in self._generation(old).unwrapped():
                survivors += 1
                if survivors % _TOLD_EVERY == 0:
                    on_slots(_TOLD_EVERY)
                yield one

        coming.write(counted())
        coming.sync()
        on_slots(survivors % _TOLD_EVERY)
        return survivors

    def _destroy(self, epoch: int) -> Destroyed:
        """Destroy the key of an epoch first, then zero and remove its slots."""
        gone = self._epochs.destroy(epoch)
        folder = self._folder / str(epoch)
        if folder.is_dir():
            zero_and_remove(folder / _SLOTS)
            shutil.rmtree(folder)
            sync_folder(self._folder)
        return gone

    def _found(self) -> None:
        """Begin a slot store, once, whoever comes first."""
        make_folder(self._folder)
        with locked(self._folder / "lock", alone=True):
            if (self._folder / _CURRENT).exists():
                return
            for epoch in self._generations():
                # what was begun and never came into force is empty; anything else is a store that lost its pointer
                if any(path.stat().st_size for path in (self._folder / str(epoch)).iterdir()):
                    fix = "put `current` back: it holds the number of the newest folder beside it"
                    raise AssentError("the slot store does not say which epoch is in force", fix)
            first = max([0, *self._generations(), *self._epochs.known()]) + 1
            self._begin(first)
            self._put_in_force(first)

    def _begin(self, epoch: int) -> Generation:
        """Make a key and an empty generation for an epoch, durably."""
        key = self._epochs.make(epoch)
        folder = self._folder / str(epoch)
        make_folder(folder)
        generation.begin(folder / _SLOTS)
        sync_folder(folder)
        return Generation(folder / _SLOTS, key)

    def _generation(self, epoch: int) -> Generation:
        opened, key = self._opened
        if opened != epoch:
            # whoever put it in force may have died before the disk knew
            sync_folder(self._folder)
            key = self._epochs.open(epoch)
            self._opened = (epoch, key)
        return Generation(self._folder / str(epoch) / _SLOTS, key)

    def _generations(self) -> list[int]:
        return [int(path.name) for path in self._folder.iterdir() if path.name.isdecimal()]

    @contextmanager
    def _together(self) -> Iterator[Generation]:
        with locked(self._folder / "lock", alone=False):
            yield self._generation(self.epoch)

    def _seen(self, look: Callable[[Generation], T]) -> T:
        while True:
            epoch = self.epoch
            try:
                found = look(self._generation(epoch))
            except (AssentError, FileNotFoundError):
                if self.epoch == epoch:
                    raise
                continue
            if self.epoch == epoch:
                return found
