"""What a round of the daemon works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from assent.policy.model import Policy
from assent.settings import Settings
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import Lease, Plan


class Stopping(Exception):  # noqa: N818 - nothing is wrong: it was asked for
    """Somebody asked to stop; raised between two batches."""


class Erase(Protocol):
    """Erases the next parts of a plan."""

    def __call__(self, plan: Plan, policies: Sequence[Policy], now: datetime, *, lease: Lease, limit: int) -> None:
        """Deal with up to `limit` parts of the plan, go on where it ended before, and close its sweep at its end.

        May raise `Stopping` between two batches.
        """
        ...


@dataclass(frozen=True)
class SweepWorld:
    """A store, and what reaches beside it.

    `settings` and `policies` read their files anew each time they are asked: a stale rule must not erase. `erase` does
    a share of a plan; `carry_out` redoes what erasures still owe, and returns how many of them ran into a problem.
    `holder` names this process among those that share the store.
    """

    store: Store
    columns: Columns
    holder: str
    now: Callable[[], datetime]
    settings: Callable[[], Settings]
    policies: Callable[[], Sequence[tuple[Policy, str]]]
    erase: Erase
    carry_out: Callable[[datetime], int]
