"""A provider with a store of its own: people, chats, answers, and a clock that the test sets."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger_world import log_of
from tests.vaults import vault_in

from assent.connectors.formats.port import Record, Source
from assent.domain.conversation import Conversation, Part
from assent.domain.decision import Decision
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.policy.versions import decide_versions, governing
from assent.services.erase.journal import Journal
from assent.services.erase.registry import begin, served
from assent.services.erase.world import ErasureWorld
from assent.services.ledger.log import Log
from assent.services.ledger.rotate import found
from assent.services.plan import PlanReport, make_plan
from assent.services.sweep import SweepReport, SweepTerms, find_plan, sweep_plan
from assent.store.columns import Columns
from assent.store.records import (
    Account,
    Choice,
    ConversationEntry,
    ConversationFilter,
    Flag,
    Hold,
    Page,
    PlanItem,
    Tombstone,
)
from assent.store.sql.store import SqlStore
from assent.store.sqlite import SqliteStore
from assent.vault.vault import Vault

LIBRARY = Path(__file__).resolve().parents[3] / "policies"
T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
VALID = timedelta(hours=72)
ALL = Page(limit=1000)
OLD, MOVED, NEW = "anthropic/2025-05-01", "anthropic/2025-09-28", "anthropic/2025-10-08"


def day(number: float) -> datetime:
    return T0 + number * DAY


def text_of(name: str) -> str:
    return (LIBRARY / f"{name}.toml").read_text("utf-8")


def policies(*names: str) -> list[tuple[Policy, str]]:
    """Policy versions with their texts, oldest first, as a home folder gives them."""
    found = [(parse_policy(text_of(name), name), text_of(name)) for name in names]
    return sorted(found, key=lambda pair: pair[0].effective)


def part(key: str, text: str = "", at: datetime | None = T0, **more: object) -> Part:
    """What the person typed, unless it is said otherwise."""
    values = {"speaker": "user", "origin": "person", "data": "text", "turn": key, **more}
    return Part(id=key, text=text or f"words of {key}", created_at=at, **values)


def talk(name: str, subject: str | None = "s1", at: datetime | None = T0, *parts: Part, **more: object) -> Conversation:
    """A question and an answer, unless parts are given."""
    made = parts or (part("q", f"marker-{name}-q", at), part("a", f"marker-{name}-a", at, speaker="assistant"))
    values = {"title": f"marker-{name}-title", "created_at": at, "last_turn_at": at, **more}
    return Conversation(f"test:{name}", "test", made, subject, **values)


class Told:
    """An importer that yields what it was told to, and fails where an exception stands."""

    name = "told"
    summary = "told"

    def __init__(self, *records: Record | Exception) -> None:
        self.records = records

    def sniff(self, _path: Path) -> bool:
        return False

    def read(self, _source: Source) -> Iterator[Record]:
        for record in self.records:
            if isinstance(record, Exception):
                raise record
            yield record


class Provider:
    """A store, a session of the set evaluator and the policies in force."""

    lead = timedelta()

    def __init__(self, folder: Path, store: SqlStore, *names: str) -> None:
        self.folder = folder
        self.store = store
        self.texts = list(policies_named(names or (NEW,)))

    @cached_property
    def columns(self) -> Columns:
        return Columns(threads=1)

    @cached_property
    def log(self) -> Log:
        return log_of()

    @property
    def versions(self) -> list[Policy]:
        return [policy for policy, _ in self.texts]

    def person(self, subject: str = "s1", *, plan: str = "pro", age: int = 30, **more: object) -> None:
        self.store.put_accounts([Account(subject, plan=plan, age=age, region="DE", **more)])

    def keep(self, *talks: Conversation, at: datetime = T0) -> None:
        self.store.intake(talks, plan=None, recorded_at=at)

    def choose(self, act: str, at: datetime, subject: str = "s1", purpose: str = "training") -> None:
        name = f"{subject}-{purpose}-{act}-{at.isoformat()}"
        self.store.add_choice(Choice(name, subject, purpose, act, at, "sha256:n", "web", "web", at))

    def hold(self, name: str, target: str | None, at: datetime) -> None:
        scope = "everyone" if target is None else "conversation" if target.startswith("test:") else "person"
        self.store.place_hold(Hold(name, "m", scope, target, at, "desk", "order", at + 90 * DAY))

    def flag(self, conversation: str, at: datetime, name: str = "") -> None:
        self.store.add_flag(Flag(name or f"flag-{conversation}", conversation, at, "fraud", "team", "seen"))

    def plan(self, at: datetime, batch_rows: int = 50) -> PlanReport:
        return make_plan(self.store, self.columns, self.texts, at=at, batch_rows=batch_rows, lead=self.lead)

    @cached_property
    def world(self) -> ErasureWorld:
        return erasure_world(self.folder, self.store, lead=self.lead)

    def sweep(
        self, digest: str, now: datetime, *, on_rows: Callable[[int], None] = lambda _rows: None, **more: object
    ) -> SweepReport:
        terms = SweepTerms(**{"valid": VALID, "lead": self.lead, "batch_rows": 50, **more})
        plan = find_plan(self.store, digest)
        return sweep_plan(
            self.store, self.columns, self.versions, plan, self.world, now=now, terms=terms, on_rows=on_rows
        )

    def entries(self) -> Iterator[ConversationEntry]:
        page: str | None = None
        while True:
            listing = self.store.conversations(ConversationFilter(), Page(500, page))
            yield from listing.items
            page = listing.after
            if page is None:
                return

    def decided(self, at: datetime) -> dict[str, Decision]:
        """Every part that is kept, decided by the reference."""
        return {
            fact.part: decide_versions(fact, governing(self.versions, fact, at), at)
            for entry in self.entries()
            for fact in self.store.facts_of(entry.id)
        }

    def names(self) -> set[str]:
        return {fact.part for entry in self.entries() for fact in self.store.facts_of(entry.id)}

    def items(self, digest: str) -> dict[str, PlanItem]:
        """What a plan names, by the names of the parts."""
        found = self.store.plan_items(digest, 0, 100_000)
        names = self.store.names_of([item.part for item in found])
        return {"#".join(names[item.part]): item for item in found}

    def stones(self) -> list[Tombstone]:
        found, page = [], Page(1000)
        while True:
            listing = self.store.tombstones(page)
            found += listing.items
            if listing.after is None:
                return found
            page = Page(1000, listing.after)


def erasure_world(home: Path, store: SqlStore, *, lead: timedelta = timedelta()) -> ErasureWorld:
    """What erasing reaches beside the database of a home, with a ledger that is signed."""
    begin(store, now=T0)
    vault = store.contents
    assert isinstance(vault, Vault)
    derived = served(store, vault, home / "vault" / "clearing", home / "cuts", lead=lead)
    return ErasureWorld(vault, derived, Journal(home / "journal"), lambda count: os.urandom(32 * count), log_of())


@cache
def empty() -> bytes:
    """A database at the newest step of its schema, with a ledger that has begun, made once."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "assent.db"
        store = SqliteStore.open(path, vault_in(path.parent), create=True)
        found(store, log_of(), now=T0)
        assert store.checkpoint()
        store.close()
        return path.read_bytes()


@cache
def policies_named(names: tuple[str, ...]) -> list[tuple[Policy, str]]:
    return policies(*names)


def opened(home: Path, *, busy_timeout_s: float = 30.0) -> SqliteStore:
    """Open the store of a home once more."""
    return SqliteStore.open(home / "assent.db", vault_in(home), busy_timeout_s=busy_timeout_s)


@contextmanager
def provider(folder: Path, *names: str) -> Iterator[Provider]:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "assent.db").write_bytes(empty())
    store = opened(folder)
    try:
        yield Provider(folder, store, *names)
    finally:
        store.close()


def crowd(made: Provider, at: datetime, people: int, seed: int = 1) -> None:
    """Fill a store with people and chats whose dates sit on the edges of 30 days, 2 and 5 years before `at`."""
    draw = random.Random(seed)
    lengths = [timedelta(), DAY, 29 * DAY, 30 * DAY, 31 * DAY, 400 * DAY, 731 * DAY, 1826 * DAY, 2557 * DAY]
    edges = [policy.effective for policy in made.versions] + [at - length for length in lengths]
    edges += [edge - 30 * DAY for edge in edges] + [datetime(2024, 2, 29, 12, tzinfo=UTC)]

    def moment() -> datetime:
        return draw.choice(edges) + draw.choice((-1, 0, 0, 1)) * MICROSECOND

    def maybe(share: float) -> datetime | None:
        return moment() if draw.random() < share else None

    for number in range(people):
        subject = f"p{number}"
        plan = draw.choice(("free", "pro", "max", "team", "strange", None))
        account = Account(subject, plan, "DE", draw.choice((12, 30, 30, None)), acknowledged_at=maybe(0.3))
        made.store.put_accounts(
            [replace(account, closed_at=maybe(0.15), moved_to_business_at=maybe(0.1))] if draw.random() < 0.9 else []
        )
        for _ in range(draw.choice((0, 1, 1, 2, 3))):
            made.choose(draw.choice(("allow", "allow", "decline", "defer", "withdraw")), moment(), subject)
        talks = [_drawn(draw, f"{number}-{one}", subject, moment, maybe) for one in range(draw.choice((1, 2)))]
        made.keep(*talks, at=moment())
        for one in talks:
            if (flagged := maybe(0.2)) is not None:
                made.flag(one.id, flagged)
                if draw.random() < 0.4:
                    made.store.reverse_flag(f"flag-{one.id}", flagged + draw.choice((1, 40)) * DAY)
        if (held := maybe(0.15)) is not None:
            made.hold(f"hold-{number}", draw.choice((subject, talks[0].id)), held)
            if draw.random() < 0.5:
                made.store.release_hold(f"hold-{number}", at=held + draw.choice((1, 60)) * DAY, by="desk")


def _drawn(draw: random.Random, name: str, subject: str, moment: object, maybe: object) -> Conversation:
    parts = [
        part(
            f"m{number}",
            at=maybe(0.9),
            data=draw.choice(("text", "text", "score", "voice")),
            origin=draw.choice(("person", "model", "connector")),
        )
        for number in range(draw.choice((1, 2, 3)))
    ]
    return talk(
        name,
        subject if draw.random() < 0.95 else None,
        maybe(0.95),
        *parts,
        mode=draw.choice(("normal", "normal", "private")),
        deleted_at=maybe(0.2),
        feedback_at=maybe(0.15),
    )
