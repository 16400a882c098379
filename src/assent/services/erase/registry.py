"""The registry of derived stores: which there are, and who serves each of them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid, NotFound, Refused
from assent.services.erase.derived.connector import Connected, Connector
from assent.services.erase.derived.cuts import InCuts
from assent.services.erase.derived.database import InDatabase
from assent.services.erase.derived.downloads import InDownloads
from assent.services.erase.derived.port import BUILT_IN, CONNECTOR
from assent.services.erase.derived.runs import InRuns
from assent.services.erase.derived.segments import InSegments
from assent.services.erase.reclaim import Yard
from assent.store.port import Accounts, Conversations, Erasures, Holds, Outgoing, Reclaiming, Runs, Sweeps
from assent.store.records import DerivedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from assent.connectors.port import Product
    from assent.services.connect.files import Connector as File
    from assent.services.erase.derived.port import Derived
    from assent.vault.vault import Vault

LONGEST_WAIT: Final = timedelta(days=7)
"""How long bytes without a key may lie in a segment before it is rewritten, where the lead leaves that much."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class DerivedHome(Erasures, Sweeps, Reclaiming, Outgoing, Holds, Conversations, Accounts, Runs, Protocol):
    """What serving derived stores asks of a store."""


def begin(store: Erasures, *, now: datetime) -> None:
    """Register what every home has: its database, its segments, its cuts. Again does nothing."""
    known = {one.name for one in store.derived_stores()}
    for name in BUILT_IN:
        if name not in known:
            store.register(DerivedStore(name, name, now))


def served(
    store: DerivedHome,
    vault: Vault,
    lock: Path,
    series: Path,
    *,
    lead: timedelta,
    downloads: Path | None = None,
    runs: Path | None = None,
    connected: Mapping[str, Callable[[], tuple[File, Product]]] | None = None,
) -> dict[str, Derived]:
    """Return who serves each registered derived store, retired ones too: what they owe stays owed.

    `lock` lets one at a time clear the vault; `series` is the folder of the series of cuts, `downloads` that of
    archives that people asked for, `runs` that of training runs, if there are any. Within half the `lead`, and a week
    at most, no erased byte is left in a segment. `connected` opens the systems that have a connector file; the others
    are told by events.
    """
    own: tuple[Derived, ...] = (
        InDatabase(store),
        InSegments(Yard(store, vault, lock), min(LONGEST_WAIT, lead / 2)),
        InCuts(store, series),
        *(() if downloads is None else (InDownloads(downloads),)),
        *(() if runs is None else (InRuns(runs, store),)),
    )
    opened = connected or {}
    connectors: list[Derived] = [
        Connected(one.name, store, opened[one.name]) if one.name in opened else Connector(one.name, store)
        for one in store.derived_stores()
        if one.kind == CONNECTOR
    ]
    return {one.name: one for one in (*own, *connectors)}


def add(store: Erasures, name: str, *, now: datetime) -> None:
    """Have every erasure from now on wait for another system. Raises `Invalid` for a name that is none."""
    if _NAME.fullmatch(name) is None:
        fix = "use up to 64 of a-z, 0-9, `.`, `_` and `-`, and begin with a letter or digit"
        raise Invalid(f"`{name}` is no name for a derived store", fix)
    store.register(DerivedStore(name, CONNECTOR, now))


def retire(store: Erasures, name: str, *, now: datetime) -> None:
    """Ask another system no more; what it owes stays owed. Raises `NotFound`, `Refused` for what every home has."""
    if name in BUILT_IN:
        raise Refused(f"every home has `{name}`", "it is asked with every erasure")
    if all(one.name != name for one in store.derived_stores()):
        raise NotFound(f"there is no derived store `{name}`", "see `assent derived list`")
    store.retire(name, now)
