"""What plan, hold, sweep, withdrawal and policy change cost as PostgreSQL fills: `python -m benchmarks.scale --help`.

Each store holds a number of facts (parts, four to a conversation, eight conversations to a person)
of which the same 20,000 are due, and 60,000 of 100,000 older ones become due under a stricter policy.
So a step that costs what is due or changed costs the same at every size. Beside seconds stand CPU
seconds of both sides and the pages that the server touched, which depend little on what else runs.

What is due comes in by intake, sealed for real; the mass is copies of the rows of one conversation,
made by the server itself. `--mix young`: no fact is old. `--mix steady`: years later; two thirds of
the people allow, and most of their facts are older than what everybody else's are kept for.
The server is one of our own in a temporary folder; a million facts take half a gigabyte there, and as
much again while they are made.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
from tests import postgres_server

from assent.domain.conversation import Conversation
from assent.domain.instants import to_micros
from assent.interfaces.cli.init import make_home
from assent.policy.parse import parse_policy
from assent.services.guard.newly import newly_due
from assent.services.guard.promise import lead_of
from assent.services.plan import PlanReport, keep_policies, make_plan
from assent.services.sweep import SweepTerms, find_plan, sweep_plan
from assent.store.records import Choice, Hold
from assent.store.schema import METADATA
from assent.wiring import Wiring
from benchmarks.talks import conversation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUE = 20_000
CHANGED = 100_000
"""Facts that only the stricter policy makes due."""
PARTS = 4
TALKS = 8
"""Conversations of a person; the first owner of the mass has 10,000."""
OWNER_OF_MANY = 10_000
GIB = 1 << 30
BYTES_A_FACT = 1_100
"""Room that is asked for before anything is made: rows, indexes, and the log of making them."""

MASS = ("conversation", "part", "sealed")
WORDS = "the kettle was on when the letter came, and nobody thought of reading it before the tea was poured; "


@dataclass
class Scene:
    """A filled home, and a connection of its own that looks at the server."""

    home: Wiring
    asking: psycopg.Connection
    found: dict[str, Any] = field(default_factory=dict)

    def timed(self, name: str, step: Callable[[], Any]) -> Any:
        """Take a step, and note seconds, CPU seconds on both sides and the pages that the server touched meanwhile."""
        before = self._touched()
        self.home.store.plan("none")  # connects, which is not measured
        start = time.perf_counter()
        result = step()
        seconds = time.perf_counter() - start
        cpu, pages = (now - then for now, then in zip(self._touched(), before, strict=True))
        self.found[name] = {"seconds": round(seconds, 3), "cpu": round(cpu, 2), "pages": int(pages)}
        print(f"{name}: {seconds:.2f} s, {cpu:.2f} s of CPU, {pages:,.0f} pages", file=sys.stderr, flush=True)
        return result

    def _touched(self) -> tuple[float, float]:
        """Return CPU seconds of this process and of the server's processes that have ended, and pages."""
        # sessions tell what they touched at the latest when they end
        self.home.store._database.engine.dispose()  # noqa: SLF001 - nothing else ends them
        time.sleep(0.3)
        query = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
        server = psutil.Process(int(self._one("SELECT pg_backend_pid()"))).parent()
        ours, theirs = psutil.Process().cpu_times(), server.cpu_times() if server else psutil.Process().cpu_times()
        cpu = ours.user + ours.system + theirs.children_user + theirs.children_system
        return cpu, float(self._one(query))

    def _one(self, query: str) -> Any:
        row = self.asking.execute(query).fetchone()
        return row[0] if row else None

    def sizes(self) -> None:
        """Note rows, and bytes with and without indexes, of every table that holds much."""
        rows = self.asking.execute(
            "SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 10000"
        )
        self.found["tables"] = {name: {"rows": n, "table": t, "indexes": i} for name, n, t, i in rows}

    def vacuumed(self) -> float:
        """Return the seconds that the server has spent vacuuming by command (PostgreSQL 18)."""
        return float(self._one("SELECT coalesce(sum(total_vacuum_time), 0) FROM pg_stat_user_tables") or 0) / 1000


@contextmanager
def scene(facts: int, mix: str, folder: Path) -> Iterator[Scene]:
    """Give a home on a server of our own that holds `facts` parts."""
    settings = ("shared_buffers=1GB", "max_wal_size=4GB", "maintenance_work_mem=512MB", "autovacuum=off")
    with postgres_server.starting(*settings) as server:
        address = server.address(server.blank())
        home = make_home(Wiring(None, NOW), folder, ["anthropic/2025-10-08"], database=address).at(NOW, folder)
        try:
            with psycopg.connect(address, autocommit=True) as asking:
                made = Scene(home, asking)
                start = time.perf_counter()
                arrive(home)
                multiply(asking, facts, mix)
                made.found["filled_s"] = round(time.perf_counter() - start, 1)
                yield made
        finally:
            home.store.close()


def talk(name: str, subject: str, *, deleted: bool) -> Conversation:
    """One conversation of four parts."""
    at = NOW - timedelta(days=16 if deleted else 1)
    deleted_at = NOW - timedelta(days=15) if deleted else None
    return conversation(name, subject, [WORDS * 6] * PARTS, at=at, deleted_at=deleted_at)


def arrive(home: Wiring) -> None:
    """Bring in, as products do, what is due, and one conversation more that is not."""
    due = [talk(f"gone-{n}", f"leaver-{n // TALKS}", deleted=True) for n in range(DUE // PARTS)]
    for start in range(0, len(due), 1_000):
        home.store.intake(due[start : start + 1_000], plan="pro", recorded_at=NOW - timedelta(days=16))
    home.store.intake([talk("model", "nobody", deleted=False)], plan="pro", recorded_at=NOW - timedelta(days=1))


def multiply(asking: psycopg.Connection, facts: int, mix: str) -> None:
    """Copy the rows of the conversation `model` until the store holds `facts` parts, and give people their choices."""
    talks = (facts - DUE) // PARTS - 1
    dropped = [statement for table in (*MASS, "choice") for statement in indexes(asking, table)]
    [(home, first)] = asking.execute(
        "SELECT c.key, min(p.key) FROM conversation c JOIN part p ON p.conversation = c.key"
        " WHERE c.id = 'model' GROUP BY c.key"
    ).fetchall()
    allows = f"n / {TALKS} % 3 < 2"
    days = f"CASE WHEN {allows} THEN n % 1700 ELSE n % 7 END" if mix == "steady" else "n % 7"
    age = f"(CASE WHEN n <= {CHANGED // PARTS} THEN 25 ELSE {days} END) * 86400000000::bigint"
    person = f"CASE WHEN n <= {OWNER_OF_MANY} THEN 'owner-of-many' ELSE 'person-' || n / {TALKS} END"
    older = {name: f"m.{name} - {age}" for name in ("created_at", "last_turn_at", "recorded_at")}
    asking.execute("SET synchronous_commit = off")
    for step in range(0, talks, 1_000_000):
        numbers = f"generate_series({step + 1}, {min(step + 1_000_000, talks)}) AS n"
        spread = f"{home} + n"
        piece = f"{first} + n::bigint * {PARTS} + m.ordinal"
        # ids as long as those of products, in no order
        talks_made = {**older, "key": spread, "id": "md5(n::text)::uuid::text", "subject": person}
        made = {
            "conversation": (talks_made, "m.id = 'model'"),
            "part": ({**older, "key": piece, "conversation": spread}, f"m.conversation = {home}"),
        }
        for table, (values, which) in made.items():
            copy(asking, table, values, f"{table} AS m CROSS JOIN {numbers} WHERE {which}")
        sealed = f"sealed AS m JOIN part AS p ON p.key = m.part CROSS JOIN {numbers} WHERE p.conversation = {home}"
        numbered = f"m.slot + n::bigint * {PARTS}"
        copy(asking, "sealed", {"slot": numbered, "part": f"m.part + n::bigint * {PARTS}"}, sealed)
    act = "CASE WHEN n % 3 < 2 THEN 'allow' ELSE 'decline' END"  # as `allows` says
    at = to_micros(NOW - timedelta(days=2_000))
    asking.execute(
        "INSERT INTO choice (id, subject, purpose, act, at, notice, surface, recorded_by, recorded_at, policy)"
        f" SELECT md5('choice' || n)::uuid::text, 'person-' || n, 'training', {act}, {at}, 'sha256:' || md5(n::text),"
        f" 'web', 'bench', {at}, 'sha256:' || md5('policy') FROM generate_series(0, {talks // TALKS}) AS n"
    )
    for statement in dropped:
        asking.execute(statement)
    for table in (*MASS, "choice"):
        key = METADATA.tables[table].autoincrement_column
        if key is not None:
            asking.execute(f"SELECT setval('{table}_{key.name}_seq', (SELECT max({key.name}) FROM {table}))")
    asking.execute("VACUUM (ANALYZE, FREEZE)")
    asking.execute("CHECKPOINT")


def copy(asking: psycopg.Connection, table: str, values: dict[str, str], source: str) -> None:
    """Insert copies of rows with some columns computed."""
    names = METADATA.tables[table].columns.keys()
    chosen = ", ".join(values.get(name, f"m.{name}") for name in names)
    asking.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM {source}")


def indexes(asking: psycopg.Connection, table: str) -> list[str]:
    """Drop the indexes of a table; returns what makes each again, which is faster when the rows are there."""
    made = []
    named = {"table": table}
    for name, definition in asking.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %(table)s::regclass"
        " AND contype IN ('p', 'u')",
        named,
    ).fetchall():
        asking.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE")
        made.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for name, definition in asking.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %(table)s::regclass",
        named,
    ).fetchall():
        asking.execute(f"DROP INDEX {name}")
        made.append(definition)
    return made


def planned(home: Wiring, at: datetime = NOW) -> PlanReport:
    """Make a plan as the daemon does."""
    lead = lead_of(home.settings)
    return make_plan(home.store, home.columns, home.policy_texts, at=at, batch_rows=50_000, lead=lead)


def measure(made: Scene) -> dict[str, Any]:
    """Take every step once, in an order in which each finds what it needs, and check what each says."""
    home, store = made.home, made.home.store
    first = made.timed("first plan, after which what a choice keeps rests", lambda: planned(home))
    expect(first.due, DUE)
    made.found["nominated at first"] = first.looked_at
    made.asking.execute("VACUUM (INDEX_CLEANUP ON) part")  # autovacuum is off, and would have come
    everybody = Hold("all", "matter", "everyone", None, NOW, "counsel", "order", NOW + timedelta(days=90))
    made.timed("hold of everybody", lambda: store.place_hold(everybody))
    held = made.timed("plan under the hold", lambda: planned(home))
    expect(held.due, 0)
    store.release_hold("all", at=NOW, by="counsel")
    report = made.timed("plan", lambda: planned(home, NOW + timedelta(seconds=1)))
    expect(report.due, DUE)
    made.found["nominated"] = report.looked_at
    policy, text = home.policy_texts[0]
    stricter = text.replace('use_for = "P30D"', 'use_for = "P25D"')
    other = parse_policy(stricter, "stricter")
    made.timed("policy change", lambda: keep_policies(store, [(other, stricter)], NOW))
    lead = lead_of(home.settings)
    count = made.timed("what it makes due", lambda: newly_due(store, home.columns, [policy.digest], [other], NOW, lead))
    made.found["newly due"] = count
    act = Choice("flip", "owner-of-many", "training", "withdraw", NOW, "", "web", "bench", NOW)
    made.timed("withdrawal, 10,000 conversations", lambda: store.add_choice(act))
    arriving = [talk(f"new-{n}", f"person-{n}", deleted=False) for n in range(200)]
    made.timed("intake of 200", lambda: store.intake(arriving, plan="pro", recorded_at=NOW))
    terms = SweepTerms(valid=timedelta(hours=72), lead=lead, batch_rows=5_000)
    plan = find_plan(store, report.digest)
    cleaned = made.vacuumed()
    swept = made.timed(
        "sweep",
        lambda: sweep_plan(
            store, home.columns, home.policies, plan, home.erasure_world,
            now=NOW + timedelta(seconds=2), terms=terms, on_rows=lambda _rows: None,
        ),
    )  # fmt: skip
    expect(swept.erased, DUE)
    made.found["of which vacuum"] = {"seconds": round(made.vacuumed() - cleaned, 3)}
    made.timed("plan with nothing due", lambda: planned(home, NOW + timedelta(seconds=3)))
    made.sizes()
    return made.found


def expect(found: int, wanted: int) -> None:
    """Stop where a step did something else than what is measured."""
    if found != wanted:
        raise SystemExit(f"{found:,} parts are due, not {wanted:,}")


def shown(results: dict[int, dict[str, Any]]) -> None:
    """Print a table: a row a step, a column a size."""
    steps = [name for name, value in next(iter(results.values())).items() if isinstance(value, dict) and "cpu" in value]
    print("| step | " + " | ".join(f"{facts:,} facts" for facts in results) + " |")
    print("|---|" + "---|" * len(results))
    for step in steps:
        cells = [f"{one[step]['cpu']} s of CPU, {one[step]['pages']:,} pages" for one in results.values()]
        print(f"| {step} | " + " | ".join(cells) + " |")


def main() -> None:
    """Measure the sizes that are asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[400_000, 1_600_000], metavar="N")
    parser.add_argument("--mix", choices=("young", "steady"), default="young")
    parser.add_argument("--spare", type=float, default=15, metavar="GIB", help="room that stays free on the disk")
    told = parser.parse_args()
    results = {}
    for facts in told.facts:
        if facts < 4 * CHANGED:
            parser.error(f"--facts {facts}: the least is {4 * CHANGED}")
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free - facts * BYTES_A_FACT < told.spare * GIB:
            print(f"{facts:,} facts: not made; {free / GIB:.0f} GiB are free, and {told.spare:g} stay so")
            continue
        with tempfile.TemporaryDirectory() as folder, scene(facts, told.mix, Path(folder) / "home") as made:
            results[facts] = measure(made)
        print(json.dumps({"facts": facts, "mix": told.mix, **results[facts]}), flush=True)
    if results:
        shown(results)


if __name__ == "__main__":
    main()
