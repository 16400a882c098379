"""The daemon: a round again and again, by whoever of those that share the store has the lease."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.services.guard.lease import held_lease
from assent.services.guard.round import sweep_round
from assent.services.guard.world import Stopping
from assent.store.port.leases import LeaseLost

if TYPE_CHECKING:
    from threading import Event

    from assent.services.guard.world import SweepWorld
    from assent.store.records import Round

PROMISED: Final = 3
"""After how many intervals without the end of a round the heartbeat counts as stopped."""

GRACE: Final = timedelta(minutes=15)
"""What a round may take by itself before its heartbeat is missed."""


class Watcher(Protocol):
    """Hears what the daemon does."""

    def round_ended(self, done: Round) -> None: ...

    def stood_by(self) -> None:
        """Somebody else had the lease."""
        ...

    def lease_lost(self) -> None:
        """Somebody else took the lease from us; what we had not committed was refused."""
        ...

    def failed(self, problem: Exception) -> None:
        """Hear that a round could not even be written down."""
        ...


def sweep_on(world: SweepWorld, every: timedelta, stop: Event, watcher: Watcher) -> None:
    """Do rounds until `stop` is set, `every` so often; whatever fails is told and tried again."""
    while not stop.is_set():
        try:
            with held_lease(world.store, world.holder, world.now) as lease:
                if lease is None:
                    watcher.stood_by()
                else:
                    watcher.round_ended(sweep_round(world, lease, next_within=PROMISED * every + GRACE))
        except Stopping:
            return
        except LeaseLost:
            watcher.lease_lost()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next round tries again, and health tells
            watcher.failed(problem)
        stop.wait(every.total_seconds())
