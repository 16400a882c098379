"""Stop what runs: where a policy says that taking back stops runs that started, a run looks whether somebody has.

A run that was stopped so has failed, with the reason. It does not go on: the next one starts on a refreshed cut.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Refused
from assent.services.cut.differing import find_cut
from assent.services.run.gate import not_to_be_used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from assent.services.run.world import RunWorld
    from assent.store.records import Run

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

EVERY: Final = timedelta(minutes=1)
"""How long a run goes on, at most and but for the step it is at, after it should have stopped."""


class Guard:
    """Says whether a run may go on. The gate has looked when the run started, so the first look comes `EVERY` later."""

    def __init__(self, world: RunWorld, run: Run) -> None:
        """Guard a run that has started or goes on now."""
        self._world = world
        self._run = run
        self._due = world.clock() + EVERY

    def __call__(self) -> None:
        """Look if it is time. Raises `Refused` if rows of the run may not be used any more and a policy stops it."""
        if not stops(self._world) or self._world.clock() < self._due:
            return
        spared = frozenset(self._world.store.left_out(self._run.id))
        found = not_to_be_used(self._world, find_cut(self._world.store, self._run.cut, self._run.number))
        ended = Counter(reason for name, reason in found.items() if name not in spared)
        if ended:
            said = ", ".join(f"{count:,} x {reason}" for reason, count in sorted(ended.items()))
            fix = f"assent cut refresh {self._run.cut}, and start again"
            raise Refused(f"the policy stops run `{self._run.id}`, for rows may not be used any more: {said}", fix)
        self._due = self._world.clock() + EVERY

    def within(self, progress: Progress) -> Progress:
        """Return the same progress that also looks with every step."""

        @contextmanager
        def guarded(task: str, total: int) -> Iterator[Callable[[int], None]]:
            with progress(task, total) as advance:

                def step(count: int) -> None:
                    advance(count)
                    self()

                yield step

        return guarded


def stops(world: RunWorld) -> bool:
    """Tell whether a policy that may be in force stops runs that have started."""
    return any(policy.taking_back.started_runs == "stop" for policy, _ in world.policies)
