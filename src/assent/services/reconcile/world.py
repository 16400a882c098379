"""What reconciling looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from assent.policy.model import Policy
from assent.services.erase.journal import Journal
from assent.store.columns import Columns
from assent.store.port import Store
from assent.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class ReconcileWorld:
    """The home and its rules at one instant.

    `lead`: how long before its end a part is ripe. `lag`: how long an erasure may be under way. `places`: files and
    folders by name, in which no marker of a tracer may stand; None where they are not reachable from here.
    """

    store: Store
    columns: Columns
    vault: Vault
    journal: Journal
    policies: Sequence[Policy]
    now: datetime
    lead: timedelta
    lag: timedelta
    places: Mapping[str, Sequence[Path] | None]
    sample: int = 200
    batch_rows: int = 50_000
