"""Downloads: archives that people asked for. When anything of a person is erased, every archive of theirs goes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from assent.domain.instants import parse_instant
from assent.services.erase.derived.port import DOWNLOADS, Acknowledged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.services.erase.derived.port import ErasureOrder

STATE: Final = "state.json"
"""What says whose an archive is, how far it is and when it ends; it lies in the folder of the archive."""


class InDownloads:
    """Archives in a folder of the home, sealed under keys that only their owners have."""

    name = DOWNLOADS
    reach = "archives that people had made here and have not fetched; not the files that they fetched"

    def __init__(self, folder: Path) -> None:
        """Look after the archives in this folder."""
        self._folder = folder

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Remove every archive of whoever anything is erased of; which conversations are in it does not matter."""
        if not any(self._folder.glob(f"*/{STATE}")):
            return {order.erasure.id: Acknowledged("removed") for order in orders}
        for order in orders:
            drop_archives(self._folder, {stone.subject for stone in order.tombstones() if stone.subject is not None})
        return {order.erasure.id: Acknowledged("removed") for order in orders}


def archives(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Read whose archives there are; one that is being removed is left out."""
    for state in sorted(folder.glob(f"*/{STATE}")):
        try:
            yield state.parent, json.loads(state.read_bytes())
        except (FileNotFoundError, ValueError):
            continue


def drop_archives(folder: Path, subjects: Collection[str]) -> int:
    """Remove the archives of these people; returns how many there were."""
    return _drop(place for place, state in archives(folder) if state["subject"] in subjects)


def drop_ended(folder: Path, now: datetime) -> int:
    """Remove the archives whose time is over; returns how many there were."""
    return _drop(place for place, state in archives(folder) if parse_instant(state["ends_at"]) <= now)


def _drop(places: Iterator[Path]) -> int:
    count = 0
    for place in list(places):
        shutil.rmtree(place, ignore_errors=True)
        count += not place.exists()
    return count
