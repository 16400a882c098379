"""What runs need: a store, policies, the ledger, a clock, and where their folders lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.services.cut_check.export import EvidenceStore
from assent.store.port import FactColumns, Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.policy.model import Policy
    from assent.services.ledger.log import Log
    from assent.store.columns import Columns


class RunStore(EvidenceStore, FactColumns, Runs, Protocol):
    """What runs ask of a store."""


@dataclass(frozen=True, slots=True)
class RunWorld:
    """Where runs take place.

    `policies` are every version with its text, ordered by date. `clock` is read when a run starts, before anything is
    decided; `salt` draws 32 fresh bytes, `new_id` names a run. Each run has a folder in `folder`. `log` is None in a
    home without a ledger, whose cuts nobody can verify: no run starts there.
    """

    store: RunStore
    columns: Callable[[], Columns]
    policies: Sequence[tuple[Policy, str]]
    log: Log | None
    clock: Callable[[], datetime]
    salt: Callable[[], bytes]
    new_id: Callable[[], str]
    folder: Path
    version: str
