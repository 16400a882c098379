"""`assent` as it is wired, asked through its services; which one answers what stands in the benchmark."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from tests import postgres_server

from assent.domain.conversation import Conversation, Part
from assent.domain.errors import NotFound
from assent.interfaces.cli.init import make_home
from assent.pipeline.recipe import PLAIN, parse_recipe
from assent.policy.parse import parse_policy
from assent.policy.versions import by_date
from assent.services.centre.chats import list_chats, own, weigher
from assent.services.centre.deleting import hide_chosen
from assent.services.choose.request import WrittenRequest, choose_on_request
from assent.services.cut.order import CutOrder
from assent.services.cut.take import take
from assent.services.erase.carry_out import carry_out
from assent.services.erase.prove import erasures_of, prove
from assent.services.guard.promise import lead_of
from assent.services.ledger.append import append
from assent.services.plan import keep_policies, make_plan
from assent.services.sweep import SweepTerms, find_plan, require_done, sweep_plan
from assent.store.records import Account, Choice, ConversationFilter, Page
from assent.wiring import Wiring
from benchmarks.gdprbench.policy import SHARING, policy_text
from benchmarks.gdprbench.records import PURPOSES, Operation, Scale, data, key, purpose

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEPT_AT: Final = NOW - timedelta(days=5)
LOGGED: Final = 100
"""Entries of each log that a regulator reads at once."""

_AT_ONCE: Final = 1_000
_A_PAGE: Final = 500


class Ours:
    """A home of assent that was filled. `cuts_s`: what taking a cut for every purpose took."""

    def __init__(self, folder: Path, scale: Scale, database: str) -> None:
        """Make a home in a new folder and fill it."""
        self._scale = scale
        self._folder = folder
        policy = folder.with_suffix(".toml")
        policy.write_text(policy_text(), "utf-8")
        self._home = make_home(Wiring(None, NOW), folder, [str(policy)], database=database).at(NOW, folder)
        self._policies = by_date(self._home.policies)
        self._file = next((folder / "policies").glob("*.toml"))
        self._revisions: dict[int, int] = {}
        self._fill()
        start = time.perf_counter()
        self._cuts = [self._cut(f"pur{n:02}") for n in range(PURPOSES)]
        self.cuts_s = time.perf_counter() - start

    def close(self) -> None:
        """Give back files and connections."""
        self._home.store.close()

    # -- before the first operation --------------------------------------------------------

    def _fill(self) -> None:
        store, scale = self._home.store, self._scale
        store.put_accounts(Account(f"p{n}", plan="free", age=30, region="DE") for n in range(scale.people))
        allowed = [self._allow(n) for n in range(scale.people)]
        for start in range(0, len(allowed), _AT_ONCE * 5):
            append(store, self._home.log, allowed[start : start + _AT_ONCE * 5], now=NOW)
        everything = range(scale.erased.stop)
        for start in range(0, len(everything), _AT_ONCE):
            store.intake([self._talk(n) for n in everything[start : start + _AT_ONCE]], plan=None, recorded_at=KEPT_AT)
        for n in scale.erased:
            store.request_deletion(key(n), KEPT_AT)
        self._sweep(len(scale.erased))

    def _allow(self, person: int) -> Choice:
        at = KEPT_AT - timedelta(days=30)
        return Choice(f"allow-{person}", f"p{person}", purpose(person), "allow", at, "sha256:n", "web", "web", at)

    def _talk(self, number: int, revision: int = 0) -> Conversation:
        part = Part("p", "t", "user", "person", "text", data(number, revision), KEPT_AT)
        who = f"p{self._scale.person(number)}"
        return Conversation(key(number), "bench", (part,), who, created_at=KEPT_AT, last_turn_at=KEPT_AT)

    def _cut(self, name: str) -> Path:
        order = CutOrder(
            name, name, NOW, NOW, self._folder / "out" / name, self._folder / "cuts", bytes(32), bytes(32), "bench",
            recipe=parse_recipe(PLAIN, "bench"), buckets=1,
        )  # fmt: skip
        (self._folder / "out").mkdir(exist_ok=True)
        take(order, self._home.store, self._home.columns, self._policies, _quiet)
        return order.directory / "data"

    # -- operations ------------------------------------------------------------------------

    def answer(self, mix: str, operation: Operation) -> object:  # noqa: PLR0911 - one answer a kind
        """Carry an operation out by the service that a product, a person, a processor or a regulator would ask."""
        number, who = operation.number, f"p{self._scale.person(operation.number)}"
        store = self._home.store
        match operation.kind:
            case "read":
                return self._read(who, number)
            case "find by person":
                return self._of_person(who)
            case "find by purpose" if mix == "processor":
                return self._in_cut(number % PURPOSES)
            case "find by purpose":
                return self._of_person(who, purpose(number))
            case "create":
                store.intake([self._talk(number)], plan=None, recorded_at=NOW)
            case "update":
                self._update(who, number)
            case "delete":
                self._delete(who, number)
            case "set by purpose" if mix == "controller":
                self._change_policy(operation.place * PURPOSES + number % PURPOSES)
            case "set by purpose" | "set by person":
                self._object(who, operation)
            case "logs":
                return self._logs() > 0
            case "verify":
                return self._verified(number)
        return None

    def _read(self, who: str, number: int) -> str | None:
        try:
            stored = own(self._home.store, who, key(number))
        except NotFound:
            return None
        if stored.entry.deleted_at is not None:
            return None
        return "".join(self._home.store.content_of([part.key for part in stored.parts]).values())

    def _of_person(self, who: str, wanted: str | None = None) -> set[int]:
        """Ask as a person's page does: each record with its decision, and, if wanted, only what a purpose may use."""
        weighing = weigher(self._home.store, self._policies, who, NOW)
        page = list_chats(self._home.store, weighing, ConversationFilter(who, deleted=False), Page(_A_PAGE))
        return {int(row.entry.id[4:]) for row in page.rows if wanted is None or wanted in row.uses}

    def _in_cut(self, number: int) -> set[int]:
        """Read everything that a processor may use, from the cut that was taken for it."""
        found: set[int] = set()
        for file in self._cuts[number].glob("*.parquet"):
            table = pq.read_table(file, use_threads=False)
            found.update(int(name[4:]) for name in table["conversation"].to_pylist())
        return found

    def _update(self, who: str, number: int) -> None:
        if self._read(who, number) is not None:
            revision = self._revisions[number] = self._revisions.get(number, 0) + 1
            self._home.store.intake([self._talk(number, revision)], plan=None, recorded_at=NOW)

    def _delete(self, who: str, number: int) -> None:
        try:
            hide_chosen(self._home.store, who, [key(number)], now=KEPT_AT)
        except NotFound:
            return

    def _change_policy(self, change: int) -> None:
        text = policy_text(change % (1_500 * PURPOSES))
        policy = parse_policy(text, self._file.name)
        self._file.write_text(text, "utf-8")
        keep_policies(self._home.store, [(policy, text)], NOW)

    def _object(self, who: str, operation: Operation) -> None:
        request = WrittenRequest(
            subject=who, purpose=SHARING, act="decline", role="desk", reference=f"letter-{operation.place}"
        )
        choose_on_request(self._home.store, self._home.log, request, now=NOW)

    def _logs(self) -> int:
        store = self._home.store
        leaves = store.staged()
        newest = store.commitments(max(leaves - LOGGED, 0), min(leaves, LOGGED))
        listed = (
            store.erasures(Page(LOGGED)).items,
            store.sweeps(Page(LOGGED)).items,
            store.imports(Page(LOGGED)).items,
        )
        return len(newest) + sum(map(len, listed))

    def _verified(self, number: int) -> bool:
        """Prove the erasure of a record anew: tombstone, path, receipt, checkpoint, and that no key opens."""
        (erasure,) = erasures_of(self._home.store, key(number))
        proven = prove(self._home.store, self._home.erasure_world, self._home.log, erasure, key(number))
        return len(proven.proof.stones) == 1 and not proven.attempt.opened and not proven.attempt.here

    # -- afterwards ------------------------------------------------------------------------

    def settle(self) -> None:
        """Erase what was deleted or replaced, keys, copies and receipts included, as if its quarantine were over."""
        self._sweep(None)

    def _sweep(self, expected: int | None) -> None:
        home = self._home.at(KEPT_AT + timedelta(days=16), self._folder)
        store, lead = self._home.store, lead_of(home.settings)
        report = make_plan(
            store, self._home.columns, self._home.policy_texts, at=home.now(), batch_rows=50_000, lead=lead
        )
        terms = SweepTerms(valid=timedelta(hours=72), lead=lead, batch_rows=5_000)
        world = self._home.erasure_world
        swept = sweep_plan(
            store, self._home.columns, self._policies, find_plan(store, report.digest), world,
            now=home.now(), terms=terms, on_rows=lambda _rows: None,
        )  # fmt: skip
        require_done(carry_out(store, world, now=home.now()))
        if expected is not None and swept.erased != expected:
            raise SystemExit(f"{swept.erased} records were erased before the first mix, not {expected}")


@contextmanager
def filled(kind: str, folder: Path, scale: Scale) -> Iterator[Ours]:
    """Give a filled home on SQLite or PostgreSQL."""
    if kind == "sqlite":
        ours = Ours(folder, scale, "assent.db")
        yield ours
        ours.close()
    else:
        with postgres_server.running() as server:
            ours = Ours(folder, scale, server.address(server.fresh(lambda _: None)))
            yield ours
            ours.close()
    shutil.rmtree(folder)


@contextmanager
def _quiet(_what: str, _total: int) -> Iterator[object]:
    yield lambda _amount: None
