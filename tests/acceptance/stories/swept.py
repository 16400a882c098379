"""A store and its vault, on either database, that plans, sweeps, proves and reconciles as the program does."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest
from tests.conformance.store.samples import DAY, POLICY_FILE, T0, policy, talk

from assent.domain.conversation import Conversation
from assent.domain.errors import NotFound
from assent.services.erase.carry_out import CarriedOut, carry_out
from assent.services.erase.journal import Journal
from assent.services.erase.reclaim import Yard
from assent.services.erase.registry import begin, served
from assent.services.erase.world import ErasureWorld
from assent.services.plan import PlanReport, make_plan
from assent.services.reconcile.run import reconcile
from assent.services.reconcile.world import ReconcileWorld
from assent.services.sweep import SweepReport, SweepTerms, find_plan, sweep_plan
from assent.store.columns import Columns
from assent.store.sql.store import SqlStore
from assent.vault.vault import Vault

LEAD = timedelta(days=16)
"""How long before its end a part is ripe, as in a home with the settings that `assent init` writes."""

Open = Callable[[Vault], SqlStore]

both = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
"""For stories that a database could tell otherwise: they meet PostgreSQL in every run too."""


class Swept:
    """One home under one policy: 30 days for whoever has not answered, gone 30 days after a deletion."""

    def __init__(self, folder: Path, vault: Vault, open_store: Open) -> None:
        """Open a database that has room, over this vault."""
        self.folder = folder
        self.vault = vault
        self._open = open_store
        self.store = open_store(vault)
        begin(self.store, now=T0)

    def again(self) -> SqlStore:
        """Open the database as another process does."""
        return self._open(self.vault)

    @cached_property
    def columns(self) -> Columns:
        return Columns(threads=1)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "journal")

    @property
    def yard(self) -> Yard:
        return Yard(self.store, self.vault, self.folder / "clearing")

    @property
    def world(self) -> ErasureWorld:
        derived = served(self.store, self.vault, self.folder / "clearing", self.folder / "cuts", lead=LEAD)
        return ErasureWorld(self.vault, derived, self.journal, lambda count: os.urandom(32 * count))

    def takes(self, *talks: Conversation | str, at: datetime = T0) -> None:
        """Take conversations in, all at once: those of one kind share a segment."""
        made = [talk(one, at=at) if isinstance(one, str) else one for one in talks]
        self.store.intake(made, plan="free", recorded_at=at)

    def plan(self, at: datetime) -> PlanReport:
        text = POLICY_FILE.read_text("utf-8")
        return make_plan(self.store, self.columns, [(policy(), text)], at=at, batch_rows=50, lead=LEAD)

    def sweep(
        self, at: datetime, *, on_rows: Callable[[int], None] = lambda _rows: None, batch_rows: int = 50
    ) -> SweepReport:
        """Plan, and carry the plan out."""
        plan = find_plan(self.store, self.plan(at).digest)
        terms = SweepTerms(valid=DAY, lead=LEAD, batch_rows=batch_rows)
        return sweep_plan(self.store, self.columns, [policy()], plan, self.world, now=at, terms=terms, on_rows=on_rows)

    def redo(self, at: datetime) -> CarriedOut:
        return carry_out(self.store, self.world, now=at)

    def reconcile(self, at: datetime) -> dict[str, int]:
        """Count what an independent look finds wrong, by check."""
        places = {"segments": [self.folder / "vault"]}
        vault, journal = self.vault, self.journal
        world = ReconcileWorld(self.store, self.columns, vault, journal, [policy()], at, LEAD, DAY, places)
        return {one.check: one.count for one in reconcile(world, lambda _check: None).findings}

    def kept(self, *names: str) -> list[str]:
        """Name which of these conversations are kept, wholly and readable."""
        return [name for name in names if self.texts(name) == [f"marker-{name}-a", f"marker-{name}-b"]]

    def texts(self, name: str) -> list[str]:
        """Open what a conversation says, in the order of its parts; empty if it is not here."""
        found = self.store.conversation(f"test:{name}")
        if found is None:
            return []
        texts = self.store.content_of([part.key for part in found.parts])
        return [texts[part.key] for part in found.parts if part.key in texts]

    def states(self, erasure: int = 1) -> dict[str, str]:
        return {one.store: one.state for one in self.store.obligations(erasure)}

    def segments(self) -> list[str]:
        return [name for name, _ in self.vault.segments()]

    def records(self) -> dict[int, bytes]:
        """Read every sealed record of a folder of segments, by slot, as it lies there."""
        found = {}
        for place in self.store.places(0, 1_000):
            with suppress(FileNotFoundError):
                data = (self.folder / "vault" / "segments" / place.segment).read_bytes()
                found[place.slot] = data[place.position : place.position + place.length]
        return found

    def reads(self, places: list[object]) -> dict[int, str]:
        """Go around the database: open places that were noted before."""
        try:
            return self.vault.read(places)
        except NotFound:  # bytes are gone and keys are not
            return {}
