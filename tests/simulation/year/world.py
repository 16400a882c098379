"""A real home that lives through a script, and is compared with the oracle after every sweep."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.simulation.erasing import CALLS, STEPS, Tripwire
from tests.simulation.year.oracle import DAY, QUARANTINE, Held, Kept, Oracle
from tests.simulation.year.script import (
    TIGHTENED,
    BackUp,
    Choose,
    Crash,
    Delete,
    Event,
    FlagIt,
    Overturn,
    Place,
    Release,
    Restore,
    Script,
    Talk,
    Tighten,
    Undelete,
)
from tests.unit.interfaces.homes import call

from assent.domain.contents import Sealed
from assent.domain.conversation import Conversation, Part
from assent.domain.errors import AssentError
from assent.services.erase.quarantine import undelete
from assent.services.hold.place import place
from assent.store.records import Account, Choice, Flag, Hold
from assent.store.sql.store import SqlStore
from assent.wiring import Wiring

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = "anthropic/2025-10-08"
EVENING = timedelta(hours=6)
KEYS_KEPT = 14 * DAY


class Broken(AssertionError):  # noqa: N818 - the world is, the program may be right
    """The home and the oracle disagree."""


class PowerCut(BaseException):
    """The machine stops: nothing in the program may catch this."""


class World:
    """A home, what the oracle thinks of it, and what happened so far."""

    def __init__(self, folder: Path, new_database: Callable[[], str]) -> None:
        """Make the home in a folder; `new_database` names a database that is empty."""
        self._around = folder
        self._new_database = new_database
        self._homes = 0
        self.oracle = Oracle()
        self._texts: dict[str, dict[str, str]] = {}
        self._places: dict[str, list[Sealed]] = {}
        self._saved: tuple[datetime, Oracle] | None = None
        self._committed: set[str] = set()
        self._fuse: int | None = None
        self.sweeps = self.crashes = self.restores = 0
        self.home = self._next_folder()
        self._said(START, "init", self.home, "--policy", POLICY, "--database", self._new_database(), wiring=None)

    def live(self, script: Script) -> None:
        """Live through a script, sweeping on each evening and whenever something falls due between."""
        people = sorted({event.person for event in script if isinstance(event, Talk | Choose)})
        with self._store(START) as store:
            store.put_accounts([Account(one, plan="pro", region="DE", age=30, signed_in=True) for one in people])
        now = START
        for day in sorted({event.day for event in script}):
            noon = START + day * DAY
            self._wait(now, noon)
            today = [event for event in script if event.day == day]
            for number, event in enumerate(today):
                now = noon + number * timedelta(minutes=1)
                self._happen(event, now)
            now = noon + EVENING
            self.sweep(now)
        end = now + 40 * DAY
        self._wait(now, end)
        self.sweep(end)

    def _wait(self, now: datetime, until: datetime) -> None:
        """Sweep a second before anything may go, and at the instant at which something must be gone."""
        while (moment := next(iter(self.oracle.moments(now)), until)) < until:
            now = moment
            self.sweep(now)

    # -- events -------------------------------------------------------------------------

    def _happen(self, event: Event, now: datetime) -> None:
        getattr(self, f"_{type(event).__name__.lower()}")(event, now)

    def _talk(self, event: Talk, now: datetime) -> None:
        oracle = self.oracle
        if event.name in oracle.erased | self._committed:
            return
        kept = oracle.talks.get(event.name)
        if kept is None:
            kept = oracle.talks[event.name] = Kept(event.person, now, now)
            self._texts[event.name] = {}
        else:
            kept.last, kept.turns = now, kept.turns + 1
        texts = self._texts[event.name]
        texts[str(kept.turns)] = f"MARKER {event.name} {kept.turns} {now:%j}"
        parts = tuple(
            Part(name, name, "user", "person", "text", text, kept.first if name == "1" else now)
            for name, text in texts.items()
        )
        made = Conversation(
            event.name, "year", parts, event.person, "a title", created_at=kept.first, last_turn_at=kept.last
        )
        with self._store(now) as store:
            (outcome,) = store.intake([made], plan="pro", recorded_at=now)
            if outcome.status not in ("new", "grown"):
                raise Broken(f"{event} was {outcome.status}")
            self._places[event.name] = [
                *self._places.get(event.name, ()),
                *(place for place in _places(store, event.name) if place not in self._places.get(event.name, ())),
            ]

    def _choose(self, event: Choose, now: datetime) -> None:
        self.oracle.acts.setdefault(event.person, []).append((now, event.act))
        with self._store(now) as store:
            name = f"{event.person}-{now:%j-%H%M}"
            store.add_choice(Choice(name, event.person, "training", event.act, now, "sha256:n", "web", "web", now))

    def _delete(self, event: Delete, now: datetime) -> None:
        kept = self._known(event.name)
        if kept is not None and kept.deleted is None:
            kept.deleted = now
            with self._store(now) as store:
                store.request_deletion(event.name, now)

    def _undelete(self, event: Undelete, now: datetime) -> None:
        kept = self._known(event.name)
        if kept is not None and kept.deleted is not None and now < kept.deleted + QUARANTINE:
            kept.deleted = None
            with self._store(now) as store:
                undelete(store, event.name, by=kept.person, now=now, window=QUARANTINE)

    def _flagit(self, event: FlagIt, now: datetime) -> None:
        kept = self._known(event.name)
        if kept is not None:
            kept.flags.append((now, None))
            with self._store(now) as store:
                store.add_flag(Flag(f"{event.name}-{now:%j-%H%M}", event.name, now, "fraud", "team", "seen"))

    def _overturn(self, event: Overturn, now: datetime) -> None:
        kept = self._known(event.name)
        if kept is not None:
            with self._store(now) as store:
                for at, overturned in kept.flags:
                    if overturned is None:
                        store.reverse_flag(f"{event.name}-{at:%j-%H%M}", now)
            kept.flags = [(at, overturned or now) for at, overturned in kept.flags]

    def _place(self, event: Place, now: datetime) -> None:
        if event.hold in self.oracle.holds:
            return
        scope = "everyone" if not event.target else "person" if event.target.startswith("p") else "conversation"
        self.oracle.holds[event.hold] = Held(event.target, now)
        wiring = Wiring(self.home, now)
        hold = Hold(event.hold, "m", scope, event.target or None, now, "desk", "order", now + 90 * DAY)
        place(wiring.store, wiring.journal, hold)
        wiring.store.close()

    def _release(self, event: Release, now: datetime) -> None:
        hold = self.oracle.holds.get(event.hold)
        if hold is not None and hold.released is None:
            hold.released = now
            asked = self._said(now, "release", event.hold, "--by", "one", "--reason", "settled", "--json").json()
            self._said(now, "approve", asked["approval"], "--by", "another")

    def _tighten(self, _event: Tighten, now: datetime) -> None:
        if self.oracle.tightened is not None:
            return
        self.oracle.tightened = now
        (file,) = (self.home / "policies").glob("*.toml")
        text = file.read_text("utf-8").replace('version = "2025-10-08"', 'version = "stricter"')
        text = text.replace('use_for = "P30D"', f'use_for = "P{TIGHTENED}D"')
        text = text.replace("effective = 2025-10-08T00:00:00Z", f"effective = {now:%Y-%m-%dT%H:%M:%SZ}")
        text = text.replace("announced = 2025-08-28T00:00:00Z\n", "")
        file.with_name("stricter.toml").write_text(text, "utf-8")

    def _crash(self, event: Crash, _now: datetime) -> None:
        self._fuse = event.write

    def _backup(self, _event: BackUp, now: datetime) -> None:
        self._said(now, "backup", self._around / "copies", "--keys", self._around / "keys")
        self._saved = now, self.oracle.as_of()

    def _restore(self, _event: Restore, now: datetime) -> None:
        if self._saved is None or now - self._saved[0] >= KEYS_KEPT:
            return
        lost = self.home
        self.home = self._next_folder()
        self._said(
            now, "restore", self._around / "copies", self.home, "--keys", self._around / "keys",
            "--database", self._new_database(), "--journal", lost / "journal", wiring=None,
        )  # fmt: skip
        (self.home / "policies").mkdir(exist_ok=True)
        for file in (lost / "policies").glob("*.toml"):
            (self.home / "policies" / file.name).write_bytes(file.read_bytes())
        self.oracle.restored(self._saved[1])
        self._committed.clear()
        self.restores += 1
        self.look(now)

    def _known(self, name: str) -> Kept | None:
        return None if name in self._committed else self.oracle.talks.get(name)

    # -- sweeping and looking -----------------------------------------------------------

    def sweep(self, now: datetime) -> None:
        """Plan and sweep as a person does; the power may go meanwhile."""
        self.sweeps += 1
        if self._fuse is not None and self._dies(now, self._fuse):
            self.crashes += 1
            self._fuse = None
            with self._store(now) as store:
                gone = {name for name in self.oracle.talks if store.conversation(name) is None}
            self._committed |= gone
            return
        self._fuse = None
        self._sweep(now)
        self.look(now)

    def _sweep(self, now: datetime) -> None:
        plan = self._said(now, "plan", "--json").json()["digest"]
        # 4: a copy waits for upkeep that has a date
        self._said(now, "sweep", "--plan", plan, expected=(0, 4))

    def _dies(self, now: datetime, write: int) -> bool:
        def cut() -> None:
            raise PowerCut

        wire = Tripwire(write, cut, lasting=True)
        wire.lay(os, CALLS)
        wire.lay(SqlStore, STEPS)
        try:
            self._sweep(now)
        except PowerCut:
            return True
        finally:
            wire.take_away()
        self.look(now)
        return False

    def look(self, now: datetime) -> None:
        """Compare everything."""
        oracle = self.oracle
        with self._store(now) as store:
            for name in list(oracle.talks):
                kept = store.conversation(name)
                if kept is None:
                    self._was_right_to_go(name, now)
                    del oracle.talks[name]
                    oracle.erased.add(name)
                    continue
                if not oracle.held(name) and oracle.gone_by(name, now) <= now:
                    raise Broken(f"{name} had to be gone by {oracle.gone_by(name, now)}, and is here at {now}")
                texts = store.content_of([part.key for part in kept.parts])
                said = {part.id: texts.get(part.key) for part in kept.parts}
                expected = dict(list(self._texts[name].items())[: oracle.talks[name].turns])
                if said != expected:
                    raise Broken(f"{name} does not say at {now} what was said in it")
            for name in oracle.erased:
                if store.conversation(name) is not None:
                    raise Broken(f"{name} is back at {now}")
                if self._opens(store, name):
                    raise Broken(f"{name} opens at {now}, though it was erased")

    def _was_right_to_go(self, name: str, now: datetime) -> None:
        if name in self._committed:
            self._committed.discard(name)
            return
        if self.oracle.held(name):
            raise Broken(f"{name} was held, and is gone at {now}")
        if (earliest := self.oracle.earliest(name, now)) > now:
            raise Broken(f"{name} was to stay until {earliest}, and is gone at {now}")

    def _opens(self, store: SqlStore, name: str) -> bool:
        texts = set(self._texts[name].values())
        for one in self._places[name]:
            try:
                opened = set(store.contents.read([one]).values())
            except AssentError:  # a number given again after a restore, and a record that its key does not open
                continue
            if opened & texts:
                return True
        return False

    # -- the home -----------------------------------------------------------------------

    def _next_folder(self) -> Path:
        self._homes += 1
        return self._around / f"home{self._homes}"

    @contextmanager
    def _store(self, now: datetime):  # noqa: ANN202
        wiring = Wiring(self.home, now)
        try:
            yield wiring.store
        finally:
            wiring.store.close()

    def _said(self, now: datetime, *words: object, expected: tuple[int, ...] = (0,), wiring: str | None = "home"):  # noqa: ANN202
        said = call(Wiring(self.home if wiring else None, now), *words)
        if said.status not in expected:
            raise Broken(f"`assent {words[0]}` said {said.status} at {now}: {said.err}")
        return said


def _places(store: SqlStore, name: str) -> list[Sealed]:
    query = (
        "SELECT s.slot, s.segment, s.position, s.length FROM sealed AS s JOIN part AS p ON p.key = s.part"
        " JOIN conversation AS c ON c.key = p.conversation WHERE c.id = '" + name + "'"
    )
    with store._database.reading() as connection:
        return [Sealed(*row) for row in connection.exec_driver_sql(query)]
