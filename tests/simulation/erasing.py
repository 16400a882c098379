"""A home in which much is due, a process that sweeps it and dies, and an audit that believes none of assent's answers.

The audit reads tables with SQL of its own, knows from before the sweep which slot sealed which
text, and tries to open them.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from tests.conformance.store.samples import DAY, T0, day, hold, plan_for, policy, talk
from tests.vaults import vault_in

from assent.domain.contents import Sealed
from assent.domain.decision import NO_LEAD
from assent.domain.errors import NotFound
from assent.services.erase.carry_out import CarriedOut, carry_out
from assent.services.erase.journal import Journal
from assent.services.erase.registry import begin, served
from assent.services.erase.world import ErasureWorld
from assent.services.sweep import SweepTerms, sweep_plan
from assent.store.columns import Columns
from assent.store.postgres import PostgresStore
from assent.store.sql.store import SqlStore
from assent.store.sqlite import SqliteStore

NOW = day(60)
VALID = 1000 * DAY
Name = tuple[str, str]


_HERE = "SELECT c.id, p.id, p.key FROM part AS p JOIN conversation AS c ON c.key = p.conversation"
_PLACED = """SELECT c.id, p.id, p.key, s.slot, s.segment, s.position, s.length FROM part AS p
    JOIN conversation AS c ON c.key = p.conversation JOIN sealed AS s ON s.part = p.key"""


@dataclass(frozen=True)
class Home:
    """Where a home is: its folder, and the address of its database, or None for a file in the folder."""

    folder: Path
    address: str | None = None

    def open(self, *, create: bool = False) -> SqlStore:
        vault = vault_in(self.folder)
        if self.address is not None:
            return PostgresStore.open(self.address, vault)
        return SqliteStore.open(self.folder / "assent.db", vault, create=create)

    @contextmanager
    def opened(self) -> Iterator[SqlStore]:
        store = self.open()
        try:
            yield store
        finally:
            store.close()

    def world(self, store: SqlStore) -> ErasureWorld:
        begin(store, now=T0)
        derived = served(store, store.contents, self.folder / "vault" / "clearing", self.folder / "cuts", lead=NO_LEAD)
        return ErasureWorld(store.contents, derived, Journal(self.folder / "journal"), salts)


def salts(count: int) -> bytes:
    return os.urandom(32 * count)


@dataclass(frozen=True)
class Truth:
    """What was there before anything went: where each part was sealed and what it said, and which parts are due."""

    places: dict[Name, tuple[Sealed, str]]
    due: frozenset[Name]
    plan: str


def furnish(home: Home, *, due: int, kept: int, held: int, seed: int = 1) -> Truth:
    """Fill a new home, in several imports, so that what is due and what is not share segments; and make a plan."""
    draw = random.Random(seed)
    store = home.open(create=True)
    talks = [talk(f"due{n}") for n in range(due)] + [talk(f"held{n}") for n in range(held)]
    talks += [talk(f"kept{n}", at=day(50)) for n in range(kept)]
    draw.shuffle(talks)
    for start in range(0, len(talks), 25):
        store.intake(talks[start : start + 25], plan="free", recorded_at=T0)
    plan = plan_for(store, NOW)
    for n in range(held):  # after the plan: what it names is decided again
        store.place_hold(hold(f"h{n}", f"test:held{n}", day(1)))
    home.world(store)
    rows = _rows(store, _PLACED)
    texts = store.content_of([row[2] for row in rows])
    places = {(row[0], row[1]): (Sealed(*row[3:]), texts[row[2]]) for row in rows}
    store.close()
    return Truth(places, frozenset(name for name in places if name[0].startswith("test:due")), plan.digest)


def sweep(home: Home, truth: Truth, *, batch: int) -> None:
    """Sweep as `assent sweep` does."""
    with home.opened() as store:
        plan = store.plan(truth.plan)
        assert plan is not None
        terms = SweepTerms(valid=VALID, batch_rows=batch)
        columns = Columns(threads=1)
        sweep_plan(
            store, columns, [policy()], plan, home.world(store), now=NOW, terms=terms, on_rows=lambda _rows: None
        )


def redo(home: Home) -> CarriedOut:
    with home.opened() as store:
        return carry_out(store, home.world(store), now=NOW + DAY)


# -- the audit ------------------------------------------------------------------------------


def anomalies(home: Home, truth: Truth) -> list[str]:
    """Say everything that is not as it must be at any moment, whoever died when."""
    with home.opened() as store:
        stones = _rows(store, "SELECT conversation, part, erasure FROM tombstone")
        erasures = {row[0]: row for row in _rows(store, "SELECT id, keys_destroyed_at, finished_at FROM erasure")}
        here = {row[:2]: row[2] for row in _rows(store, _HERE)}
        texts = store.content_of(list(here.values()))
        erased = {row[:2]: erasures[row[2]] for row in stones}
        opens = store.contents.opens([place.slot for place, _ in truth.places.values()])
        written = (entry for entry in home_journal(home).read() if entry.kind == "erasure")
        known = {slot for entry in written for slot in entry.body["slots"]}
        found = [f"{name} has two tombstones" for name in erased if sum(row[:2] == name for row in stones) > 1]
        for name, (place, text) in truth.places.items():
            alive = place.slot in opens
            if name in erased:
                found += ["is erased and here"] * (name in here)
                found += ["is claimed erased and opens"] * (alive and erased[name][1] is not None)
                found += ["is claimed erased and can be read"] * (erased[name][1] is not None and reads(store, place))
            else:
                found += ["is gone without an intent"] * (name not in here)
                found += ["lost its key without an intent"] * (not alive)
                found += ["is kept and says something else"] * (name in here and texts.get(here[name]) != text)
            found += ["lost its key, and no restore would know"] * (not alive and place.slot not in known)
        found += _receipts(store)
    return found


def reads(store: SqlStore, place: Sealed) -> bool:
    try:
        return bool(store.contents.read([place]))
    except NotFound:
        return False


def home_journal(home: Home) -> Journal:
    return Journal(home.folder / "journal")


def _receipts(store: SqlStore) -> list[str]:
    """A receipt comes last: after the keys, after every answer, and into the ledger."""
    query = """SELECT e.id FROM erasure AS e WHERE e.finished_at IS NOT NULL AND (e.keys_destroyed_at IS NULL
        OR EXISTS (SELECT 1 FROM obligation AS o WHERE o.erasure = e.id AND o.state = 'present')
        OR NOT EXISTS (SELECT 1 FROM leaf AS l WHERE l.erasure = e.id))"""
    return [f"erasure {number} has a receipt too early" for (number,) in _rows(store, query)]


def unfinished(home: Home, truth: Truth) -> list[str]:
    """Say what is not done although everything has been: the final set is exact, and every copy is gone."""
    with home.opened() as store:
        stones = {row[:2] for row in _rows(store, "SELECT conversation, part FROM tombstone")}
        found = [f"{name} is due and not erased" for name in truth.due - stones]
        found += [f"{name} is not due and erased" for name in stones - truth.due]
        open_ = _rows(store, "SELECT count(*) FROM erasure WHERE finished_at IS NULL")[0][0]
        found += [f"{open_} erasures without a receipt"] * bool(open_)
        owed = "SELECT store, state FROM obligation WHERE state <> 'removed'"
        # the log of a server that is at rest is not written over
        found += [f"{row}" for row in _rows(store, owed) if home.address is None or row[0] != "database"]
        live = dict(_rows(store, "SELECT segment, sum(length) FROM sealed GROUP BY segment"))
        sizes = dict(store.contents.segments())
        found += [f"{name}: {size} bytes, {live.get(name, 0)} live" for name, size in sizes.items()
                  if size != live.get(name, 0)]  # fmt: skip
    return found


def _rows(store: SqlStore, query: str) -> list[tuple[Any, ...]]:
    with store._database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


# -- dying ----------------------------------------------------------------------------------

STEPS = ("begin_sweep", "intend", "finish_sweep", "keys_destroyed", "settle", "finish", "moved", "unreferenced")
CALLS = ("fsync", "pwrite", "replace", "rename", "link", "unlink")


class Tripwire:
    """Counts calls to the disk and steps of the store, and does something at one of them, or from there on."""

    def __init__(self, at: int, act: Callable[[], None], *, after: bool = False, lasting: bool = False) -> None:
        self.count = 0
        self._lasting = lasting
        self._at = at
        self._act = act
        self._after = after
        self._saved: list[tuple[object, str, Any]] = []

    def lay(self, owner: object, names: tuple[str, ...]) -> None:
        for name in names:
            real = getattr(owner, name)
            self._saved.append((owner, name, real))
            setattr(owner, name, self._wired(real))

    def take_away(self) -> None:
        for owner, name, real in reversed(self._saved):
            setattr(owner, name, real)

    def _wired(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def wired(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            mine = self.count >= self._at if self._lasting else self.count == self._at
            if mine and not self._after:
                self._act()
            result = real(*arguments, **named)
            if mine and self._after:
                self._act()
            return result

        return wired


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def doomed_sweep(folder: str, address: str | None, truth: Truth, batch: int, at: int, after: bool) -> None:
    """Sweep in this process, and die at the `at`-th step; what a child process runs."""
    wire = Tripwire(at, die, after=after)
    wire.lay(SqlStore, STEPS)
    wire.lay(os, CALLS)
    sweep(Home(Path(folder), address), truth, batch=batch)


def copy_of(template: Path, folder: Path) -> Path:
    shutil.copytree(template, folder)
    return folder
