"""A provider whose cuts can be trained on: a store with a ledger, people, a cut on the disk, and a clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from tests.stores import new_store
from tests.unit.services.cut_world import LIBRARY, NOW, TURN, World, chat, quiet
from tests.unit.services.ledger_world import log_of

from assent.domain.conversation import Conversation
from assent.policy.parse import parse_policy
from assent.services.cut.take import Taken
from assent.services.ledger.append import append
from assent.services.ledger.rotate import found as begin_log
from assent.services.ledger.seal import seal
from assent.services.run.plan import RunOrder, plan
from assent.services.run.world import RunWorld
from assent.store.columns import Columns
from assent.store.port import Store
from assent.store.records import Choice, Run

POLICY = "anthropic/2025-10-08"
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Provider(World):
    """A world of cuts with a ledger and runs; the clock stands still until a test moves it."""

    def __init__(self, folder: Path, store: Store) -> None:
        super().__init__(folder, store)
        self.log = log_of()
        self.clock = NOW
        self._ids = count(1)
        begin_log(store, self.log, now=TURN)
        text = (LIBRARY / f"{POLICY}.toml").read_text("utf-8")
        self.runs = RunWorld(
            store=store,
            columns=Columns,
            policies=[(parse_policy(text, POLICY), text)],
            log=self.log,
            clock=lambda: self.clock,
            salt=lambda: os.urandom(32),
            new_id=lambda: f"{next(self._ids):08x}{0:024x}",
            folder=folder / "runs",
            version="0.0.1",
        )

    def choose(self, subject: str, act: str, at: datetime, *, purpose: str = "training", name: str = "") -> str:
        name = name or f"{act}-of-{subject}-{at:%m-%d-%H-%M-%S}"
        append(
            self.store,
            self.log,
            [Choice(name, subject, purpose, act, at, "sha256:notice", "web", "web", at)],
            now=at,
        )
        return name

    def people(self, *names: str, chats: int = 1) -> None:
        """Let people allow training, each with some conversations."""
        for name in names:
            self.person(name, allows=True)
            self.keep(*(self.talk(f"{name}-{number}", name) for number in range(chats)))

    def talk(self, name: str, subject: str) -> Conversation:
        return chat(name, subject)

    def cut(self, directory: str = "", progress: object = None, **more: object) -> Taken:
        known = len(self.store.cuts_named("spring")) + 1
        more = {"at": self.clock, "now": self.clock} | more
        taken = super().cut(directory or f"spring-{known}", progress or quiet, **more)
        seal(self.store, self.log, now=self.clock)
        return taken

    def planned(self, **more: object) -> Run:
        return plan(self.runs, replace(RunOrder("spring", "external", "[run]\n"), **more))


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    folder.mkdir(exist_ok=True)
    store = new_store(folder / "assent.db")
    try:
        yield Provider(folder, store)
    finally:
        store.close()
