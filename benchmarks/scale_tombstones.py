"""Tombstones in one table and in partitions: what one more costs as they become many.

`python -m benchmarks.scale_tombstones --stones 1000000 10000000`. What is measured does not depend on
what else runs on the machine: bytes of log that 20,000 more tombstones write behind a checkpoint,
and pages that intake touches to see whether 200 conversations were erased before.
The server is one of our own in a temporary folder; a million tombstones take 0.4 GB there.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator

import psycopg
from tests import postgres_server
from tests.conformance.store.partitioned import partition

from assent.store.postgres.database import Database
from assent.store.sql.burying import home_of

AN_ERASURE = 5_000
MORE = 20_000
ASKED = 200
COLUMNS = "home, erase_by, erasure, number, ground, conversation, part, subject"


def name_of(number: int) -> str:
    """Return an id as long as those of products."""
    found = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))


def fill(asking: psycopg.Connection, stones: int) -> None:
    """Make tombstones of conversations that were never there."""
    asking.execute("SET synchronous_commit = off")
    asking.execute("INSERT INTO ground (id, rule, policy) VALUES (1, 'base', 'sha256:0')")
    asking.execute(
        f"INSERT INTO tombstone ({COLUMNS})"
        " SELECT ('x' || substr(encode(sha256(name::bytea), 'hex'), 1, 16))::bit(64)::bigint,"
        f" 1795348800000000, 1 + n / {AN_ERASURE}, n % {AN_ERASURE}, 1, name, 'p1', 'person-' || n / 32"
        f" FROM generate_series(0, {stones - 1}) AS n, LATERAL (SELECT md5(n::text)::uuid::text AS name) AS named"
    )


def rows(first: int) -> Iterator[tuple[object, ...]]:
    """Yield the next tombstones, as a sweep writes them: an erasure for each batch."""
    for n in range(first, first + MORE):
        name = name_of(n)
        yield home_of(name), 1795348800000000, 1 + n // AN_ERASURE, n % AN_ERASURE, 1, name, "p1", f"person-{n // 32}"


def one(asking: psycopg.Connection, query: str) -> int:
    """Return the one number that a query gives."""
    row = asking.execute(query).fetchone()
    return int(row[0]) if row else 0


def measure(asking: psycopg.Connection, stones: int) -> tuple[float, float]:
    """Return bytes of log for one more tombstone, and pages touched for one conversation asked about."""
    asking.execute("VACUUM (ANALYZE, FREEZE) tombstone")
    asking.execute("CHECKPOINT")
    position = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
    before = one(asking, position)
    with asking.cursor() as cursor, cursor.copy(f"COPY tombstone ({COLUMNS}) FROM STDIN") as stream:
        for row in rows(stones):
            stream.write_row(row)
    log = (one(asking, position) - before) / MORE
    homes = [home_of(name_of(n * 7 + stones // 2)) for n in range(ASKED)]
    query = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT DISTINCT conversation FROM tombstone WHERE home = ANY(%s)"
    plan = asking.execute(query, (homes,)).fetchone()
    top = plan[0][0]["Plan"] if plan else {}
    return log, (top["Shared Hit Blocks"] + top["Shared Read Blocks"]) / ASKED


def main() -> None:
    """Measure each number of tombstones in both layouts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stones", type=int, nargs="+", default=[1_000_000], metavar="N")
    told = parser.parse_args()
    print("| tombstones | bytes each | log for one more | in partitions | pages to ask for one | in partitions |")
    print("|---|---|---|---|---|---|")
    for stones in told.stones:
        with postgres_server.starting("shared_buffers=256MB", "max_wal_size=16GB", "autovacuum=off") as server:
            address = server.address(server.blank())
            Database(address, create=True).close()
            with psycopg.connect(address, autocommit=True) as asking:
                fill(asking, stones)
                size = one(asking, "SELECT pg_total_relation_size('tombstone')") / stones
                plain = measure(asking, stones)
            partition(address)
            with psycopg.connect(address, autocommit=True) as asking:
                apart = measure(asking, stones + MORE)
        print(
            f"| {stones:,} | {size:.0f} | {plain[0]:,.0f} B | {apart[0]:,.0f} B | {plain[1]:.1f} | {apart[1]:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
