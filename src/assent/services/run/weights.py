"""Weights against the promise: who has left since they were made, and what the policy says of models then."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assent.domain.choices import REFUSALS
from assent.domain.errors import NotFound, Refused
from assent.services.cut.differing import find_cut
from assent.services.run.gate import not_to_be_used
from assent.services.run.plan import find_run, folder_of
from assent.services.run.reach import every_run
from assent.services.run.state import retire_weights

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from assent.services.run.world import RunWorld
    from assent.store.records import Run, Weights

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Standing:
    """How weights stand with the people in them.

    `left` counts the conversations that were used and may not be any more, by reason; `people` those whose they were.
    `promised` is what the policies in force say of finished models when a permission is taken back: `unchanged` or
    `retrained`.
    """

    run: Run
    weights: Weights
    left: Mapping[str, int]
    people: int
    promised: str
    since: datetime | None = None
    """When the first of them took a permission back; None where nobody did, as when conversations were deleted."""

    @property
    def owed(self) -> bool:
        """Whether the promise asks for something: trained again without those who left, and not done."""
        stands = self.weights.retired_at is None and not self.weights.superseded_by
        return bool(self.left) and self.promised == "retrained" and stands


def standings(world: RunWorld) -> list[Standing]:
    """Tell of all weights how they stand, those of the newest run first; every row is decided anew."""
    promised = {policy.taking_back.finished_models for policy, _ in world.policies}
    word = "retrained" if "retrained" in promised else "unchanged"
    stopped: dict[tuple[str, int], Mapping[str, str]] = {}
    found = []
    for run in every_run(world.store):
        made = world.store.weights_of(run.id)
        if made is None:
            continue
        place = (run.cut, run.number)
        if place not in stopped:
            stopped[place] = not_to_be_used(world, find_cut(world.store, *place))
        found.append(_standing(world, run, made, stopped[place], word))
    return found


def retire(world: RunWorld, name: str) -> tuple[Run, list[Path]]:
    """Remove weights and checkpoints of a run where they lie in the home, and record that its weights are destroyed.

    Weights elsewhere are for whoever keeps them: the record says what they must be. Raises `Refused` where that is
    so and they are still there.
    """
    run = find_run(world, name)
    made = world.store.weights_of(run.id)
    if made is None:
        raise NotFound(f"run `{run.id}` has made no weights", "list the runs: assent train list")
    home, weights = folder_of(world, run.id), Path(made.directory)
    if weights.exists() and home.absolute() not in weights.absolute().parents:
        raise Refused(f"the weights lie outside of this home, in `{weights}`", "remove them there, then say it again")
    removed = [path for path in (weights, home / "checkpoints") if path.is_dir()]
    for path in removed:
        shutil.rmtree(path)
    retire_weights(world, run)
    return run, removed


def _standing(world: RunWorld, run: Run, made: Weights, stopped: Mapping[str, str], promised: str) -> Standing:
    without = frozenset(world.store.left_out(run.id))
    left, people = Counter[str](), set[str | None]()
    for one in world.store.still_in(run.cut, run.number):
        reason = stopped.get(one.conversation) if one.rows else ERASED
        if reason is not None and one.conversation not in without:
            left[reason] += 1
            people.add(one.subject)
    return Standing(run, made, left, len(people - {None}), promised, _since(world, run, people - {None}))


def _since(world: RunWorld, run: Run, people: Collection[str | None]) -> datetime | None:
    began = run.started_at or run.planned_at
    acts = (act for who in people if who is not None for act in world.store.choices(who))
    return min((act.at for act in acts if act.act in REFUSALS and act.at >= began), default=None)
