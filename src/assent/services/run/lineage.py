"""What a model was made from: its run, the runs whose weights that one went on from, and their cuts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assent.domain.errors import NotFound
from assent.services.cut.differing import find_cut

if TYPE_CHECKING:
    from assent.services.run.world import RunStore
    from assent.store.records import Run


def lineage(store: RunStore, run: Run) -> list[Run]:
    """List a run and, behind it, every run whose weights it grew from, the nearest first.

    A base that no run here made ends the list: what it was trained on nobody here knows.
    """
    found = [run]
    while found[-1].base:
        made = [one for one in store.weights_with(found[-1].base) if one.run not in {known.id for known in found}]
        before = store.run(made[0].run) if made else None
        if before is None:
            break
        found.append(before)
    return found


def folders(store: RunStore, runs: list[Run]) -> list[Path]:
    """Name the folders of the cuts of some runs, each once. Raises `NotFound` for one that is not there."""
    found = dict.fromkeys(Path(find_cut(store, run.cut, run.number).directory) for run in runs)
    for folder in found:
        if not (folder / "manifest.json").is_file():
            raise NotFound(f"the manifest of cut `{folder.name}` is not there any more", "give its folder with --cut")
    return list(found)
