"""Cuts that were written before: rows of erased parts leave their folders, and the workings of their series."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assent.domain.copies import worst
from assent.domain.errors import AssentError
from assent.pipeline.erased import erase_rows
from assent.pipeline.folder import alone
from assent.pipeline.workings import WORKINGS, forget
from assent.services.erase.derived.port import CUTS, Acknowledged
from assent.store.records import part_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.services.erase.derived.port import ErasureOrder


class CutStore(Protocol):
    """What this asks of the store."""

    def cuts_with_erased(self, erasure: int) -> list[tuple[str, int, str, int]]: ...


class InCuts:
    """Folders of cuts on the disks of this machine."""

    name = CUTS
    reach = "folders of cuts where they were written; not copies made of them, nor runs that have read them"

    def __init__(self, store: CutStore, keys: Path) -> None:
        """Find cuts in the record of this store, and the workings of their series in the folder `keys`."""
        self._store = store
        self._keys = keys

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Rewrite each folder once for all these erasures."""
        folders: dict[Path, dict[int, int]] = defaultdict(dict)
        titles: dict[Path, str] = {}
        for order in orders:
            for name, number, directory, count in self._store.cuts_with_erased(order.erasure.id):
                folders[Path(directory)][order.erasure.id] = count
                titles[Path(directory)] = f"cut {name} number {number}"
        busy = self._forget(orders)
        notes: dict[int, list[Acknowledged]] = defaultdict(list, {order.erasure.id: list(busy) for order in orders})
        by_number = {order.erasure.id: order for order in orders}
        for folder, counts in folders.items():
            answer = _erased(folder, titles[folder], counts, [by_number[number] for number in counts])
            for number in counts:
                notes[number].append(answer)
        return {number: _together(notes[number]) for number in by_number}

    def _forget(self, orders: Sequence[ErasureOrder]) -> list[Acknowledged]:
        """Take every touched conversation out of all workings; say which are in use, and so have to be asked again."""
        busy = []
        series = sorted(folder.parent for folder in self._keys.glob(f"*/{WORKINGS}"))
        touched = {stone.conversation for order in orders for stone in order.tombstones()} if series else set()
        for folder in series:
            with alone(folder) as free:
                if free:
                    forget(folder / WORKINGS, touched)
                else:
                    busy.append(Acknowledged("pending maintenance", f"a cut named {folder.name} is being made"))
        return busy


def _erased(folder: Path, title: str, counts: Mapping[int, int], orders: Sequence[ErasureOrder]) -> Acknowledged:
    if not folder.parent.is_dir():
        # a disk that is not mounted looks like this, and holds the rows all the same
        return Acknowledged("not reachable", f"the place where {title} was written is not there")
    if not folder.exists():
        return Acknowledged("removed", f"the folder of {title} is gone")
    parts = {part_name(stone.conversation, stone.part) for order in orders for stone in order.tombstones()}
    try:
        erase_rows(folder, parts, counts)
    except AssentError as problem:
        return Acknowledged("not reachable", f"{title}: {problem.message}")
    except OSError as problem:
        return Acknowledged("not reachable", f"{title}: {(problem.strerror or 'an error of the machine').lower()}")
    return Acknowledged("removed", f"left {title}")


def _together(answers: Sequence[Acknowledged]) -> Acknowledged:
    """Answer for all folders of one erasure: removed only if it left each of them."""
    state = worst(answer.state for answer in answers)
    return Acknowledged(state, "; ".join(sorted({answer.note for answer in answers if answer.state == state})))
