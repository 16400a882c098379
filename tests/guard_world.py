"""A provider whose daemon the test drives round by round: a clock, settings and policies that the test changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from assent.domain.conversation import Conversation, Part
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.approve import approve, ask
from assent.services.erase.carry_out import carry_out
from assent.services.erase.journal import Journal
from assent.services.erase.world import ErasureWorld
from assent.services.guard.erasing import Erasing
from assent.services.guard.lease import VALID
from assent.services.guard.permit import target_of
from assent.services.guard.promise import lead_of
from assent.services.guard.round import sweep_round
from assent.services.guard.world import SweepWorld
from assent.services.plan import PlanReport, make_plan
from assent.services.sweep import SweepTerms
from assent.settings import Settings
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import Account, Page, Round
from assent.store.sqlite import SqliteStore
from tests.vaults import vault_in

ACME = (Path(__file__).parent / "unit" / "policy" / "small.toml").read_text("utf-8").replace("2026-0", "2025-0")
"""A made-up policy: kept for 30 days after the last turn, gone 30 days after the person deleted it."""

LIMITS = {"guard_floor_parts": 4, "guard_most_percent": 100, "canary_parts": 2, "batch_rows": 3}
"""Few enough that a test can go beyond them."""

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
EVERY = timedelta(minutes=15)


def day(number: float) -> datetime:
    return T0 + number * DAY


class GuardWorld:
    """A store, its policies and settings, and the instant it is."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.clock = T0
        self.texts = [ACME]
        self.stopping = False
        self.settings = Settings(folder, folder / "assent.db", **LIMITS)
        self.columns = Columns(threads=1)
        self._asked = 0

    def set(self, **values: int) -> None:
        self.settings = replace(self.settings, **values)

    @property
    def policies(self) -> list[tuple[Policy, str]]:
        return [(parsed(text), text) for text in self.texts]

    @property
    def erasing(self) -> ErasureWorld:
        return ErasureWorld(vault_in(self.folder), {}, Journal(self.folder / "journal"), lambda n: os.urandom(32 * n))

    def world(self, holder: str = "one", **more: object) -> SweepWorld:
        def terms() -> SweepTerms:
            valid = timedelta(hours=self.settings.plan_valid_hours)
            return SweepTerms(valid, lead_of(self.settings), self.settings.batch_rows)

        def rules() -> object:
            return self.settings, tuple(self.texts)

        values = {
            "store": self.store,
            "columns": self.columns,
            "holder": holder,
            "now": lambda: self.clock,
            "settings": lambda: self.settings,
            "policies": lambda: self.policies,
            "erase": Erasing(self.store, self.columns, lambda: self.erasing, terms, rules, lambda: self.stopping),
            "carry_out": lambda now: len(carry_out(self.store, self.erasing, now=now).problems),
            **more,
        }
        return SweepWorld(**values)

    def keep(self, count: int, at: datetime | None = None, subject: str = "s1", plan: str = "pro") -> None:
        """Keep conversations of one part each, whose last turn was at `at`."""
        when = at or self.clock
        self.store.put_accounts([Account(subject, plan=plan, age=30, region="DE")])
        made = []
        for number in range(count):
            name = f"test:{subject}-{when:%m%d%H}-{number}"
            part = Part(id="q", text="words", turn="q", speaker="user", origin="person", data="text", created_at=when)
            made.append(Conversation(name, "test", (part,), subject, created_at=when, last_turn_at=when))
        self.store.intake(made, plan=None, recorded_at=when)

    def use_again(self, plan: str, count: int, subject: str, created_at: datetime) -> None:
        """Let the person write once more where the first parts of a plan lie, so that they are due no longer."""
        keys = [item.part for item in self.store.plan_items(plan, 0, count)]
        part = Part("more", text="words", turn="m", speaker="user", origin="person", data="text", created_at=self.clock)
        for name in {found[0] for found in self.store.names_of(keys).values()}:
            talk = Conversation(name, "test", (part,), subject, created_at=created_at, last_turn_at=self.clock)
            self.store.intake([talk], plan=None, recorded_at=self.clock)

    def parts(self) -> int:
        return self.store.counts().parts

    def round(self, at: datetime | None = None, **more: object) -> Round:
        """Let the daemon do one round at an instant, and say how it went."""
        self.clock = at or self.clock + EVERY
        world = self.world(**more)
        lease = self.store.take_lease("sweep", world.holder, self.clock, self.clock + VALID)
        assert lease is not None
        try:
            return sweep_round(world, lease, next_within=4 * EVERY)
        finally:
            self.store.give_lease_back(lease)

    def rounds_until(self, last: datetime, every: timedelta = EVERY) -> list[Round]:
        """Let the daemon do its rounds up to an instant."""
        done = []
        while self.clock + every <= last:
            done.append(self.round(self.clock + every))
        return done

    def plan(self, at: datetime | None = None) -> PlanReport:
        lead = lead_of(self.settings)
        return make_plan(self.store, self.columns, self.policies, at=at or self.clock, batch_rows=50, lead=lead)

    def ask(self, act: str, target: str) -> str:
        self._asked += 1
        target = target_of(target) if act == "exceed" else target
        found = ask(
            self.store,
            id=f"ask-{self._asked}",
            act=act,
            target=target,
            by="ada",
            reason="looked at it",
            now=self.clock,
            valid=7 * DAY,
        )
        return found.id

    def agree(self, act: str, target: str) -> None:
        """Let one person ask and another one approve; a plan is named by its digest."""
        approve(self.store, self.ask(act, target), by="bo", now=self.clock)

    def stones(self) -> list[str]:
        """Name what was erased, tombstone by tombstone."""
        found, page = [], Page(1000)
        while True:
            listing = self.store.tombstones(page)
            found += [f"{stone.conversation}#{stone.part}" for stone in listing.items]
            if listing.after is None:
                return found
            page = Page(1000, listing.after)


@cache
def parsed(text: str) -> Policy:
    return parse_policy(text, "acme.toml")


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "assent.db"
        store = SqliteStore.open(path, vault_in(path.parent), create=True)
        assert store.checkpoint()
        store.close()
        return path.read_bytes()


@contextmanager
def guard_world(folder: Path, opened: Callable[[], Store] | None = None) -> Iterator[GuardWorld]:
    """Open a world on a fresh SQLite store, or on the store that is given."""
    folder.mkdir(exist_ok=True, parents=True)
    if opened is None:
        (folder / "assent.db").write_bytes(_empty())
        store: Store = SqliteStore.open(folder / "assent.db", vault_in(folder))
    else:
        store = opened()
    try:
        yield GuardWorld(folder, store)
    finally:
        store.close()
