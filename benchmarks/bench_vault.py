"""Vault: parts of 1 KB sealed, read, erased, against the same bodies as plain rows of SQLite.

The peer commits as often as the vault waits for the disk, and deletes with `secure_delete=ON`. The vault compresses,
seals each body under a key of its own, and erases by destroying keys. Both must give back the same texts, before and
after. Then: rotation of the epoch for a million keys, beside copying as many rows into another table.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from tests.vaults import vault_in

from assent.domain.contents import Piece, Sealed
from assent.vault.vault import Vault
from benchmarks.make_dictionary import texts

PARTS = 50_000
BATCH = 1_000
BODY = 1_024
KEYS = 1_000_000
ROUNDS = 5
SEED = 7
DAY = date(2026, 11, 22)


def bodies() -> list[str]:
    """Draw texts of 1,024 bytes from talk that the dictionary was not trained on."""
    chance = random.Random(SEED)
    said = texts(SEED, 1_000)
    return [" ".join(chance.choices(said, k=12)).encode()[:BODY].decode("utf-8", "ignore") for _ in range(PARTS)]


class Rows:
    """The peer: one table of bodies."""

    def __init__(self, folder: Path) -> None:
        """Make the table, as durable and as careful about deleted bytes as SQLite can be."""
        self.connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE content (part INTEGER PRIMARY KEY, body TEXT NOT NULL)")

    def keep(self, pieces: Sequence[Piece]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO content VALUES (?, ?)", [(one.slot, one.text) for one in pieces])
        self.connection.execute("COMMIT")

    def read(self, slots: Sequence[int]) -> dict[int, str]:
        marks = ",".join("?" * len(slots))
        return dict(self.connection.execute(f"SELECT part, body FROM content WHERE part IN ({marks})", slots))

    def erase(self, slots: Sequence[int]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("DELETE FROM content WHERE part = ?", [(slot,) for slot in slots])
        self.connection.execute("COMMIT")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def batches(items: Sequence[Piece]) -> list[Sequence[Piece]]:
    return [items[at : at + BATCH] for at in range(0, len(items), BATCH)]


def round_of(folder: Path, pieces: list[Piece]) -> dict[str, tuple[float, float]]:
    """Time both sides on the same work, in turn; seconds of the vault and of the rows."""
    vault, rows = vault_in(folder), Rows(folder)
    places: list[Sealed] = []
    times = {
        "keep": (
            timed(lambda: [places.extend(vault.keep(some, day=DAY)) for some in batches(pieces)]),
            timed(lambda: [rows.keep(some) for some in batches(pieces)]),
        )
    }
    times["read"] = read(vault, rows, places)
    slots = [piece.slot for piece in pieces]
    scattered = random.Random(SEED).sample(slots[PARTS // 2 :], PARTS // 4)
    for name, some in (("erase, in order", slots[: PARTS // 2]), ("erase, scattered", scattered)):
        times[name] = (timed(lambda some=some: vault.destroy(some)), timed(lambda some=some: rows.erase(some)))
    read(vault, rows, places)
    rows.connection.close()
    return times


def read(vault: Vault, rows: Rows, places: Sequence[Sealed]) -> tuple[float, float]:
    """Read everything, in batches; stop unless both sides say the same."""
    ours: dict[int, str] = {}
    theirs: dict[int, str] = {}
    groups = [places[at : at + BATCH] for at in range(0, len(places), BATCH)]
    times = (
        timed(lambda: [ours.update(vault.read(group)) for group in groups]),
        timed(lambda: [theirs.update(rows.read([place.slot for place in group])) for group in groups]),
    )
    if ours != theirs:
        sys.exit("the two sides do not hold the same texts")
    return times


def rotation(folder: Path) -> tuple[float, float]:
    """Time a rotation of a million keys, and the copy of as many rows of 40 bytes into another table."""
    store, rows = vault_in(folder).slots, Rows(folder).connection
    store.write({slot: os.urandom(32) for slot in range(1, KEYS + 1)})
    rows.execute("CREATE TABLE wrapped (slot INTEGER PRIMARY KEY, key BLOB)")
    rows.execute("CREATE TABLE anew (slot INTEGER PRIMARY KEY, key BLOB)")
    rows.execute("BEGIN")
    rows.executemany("INSERT INTO wrapped VALUES (?, ?)", ((slot, os.urandom(40)) for slot in range(1, KEYS + 1)))
    rows.execute("COMMIT")
    ours = timed(lambda: store.rotate(on_slots=lambda _amount: None))

    def copied() -> None:
        rows.execute("BEGIN")
        rows.execute("INSERT INTO anew SELECT slot, key FROM wrapped")
        rows.execute("DELETE FROM wrapped")
        rows.execute("COMMIT")
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    theirs = timed(copied)
    rows.close()
    if store.count() != KEYS:
        sys.exit("the rotation lost a key")
    return ours, theirs


def report(name: str, count: int, times: Sequence[tuple[float, float]]) -> None:
    ratios = sorted(ours / theirs for ours, theirs in times)
    ours, theirs = (statistics.median(one[side] for one in times) / count * 1e6 for side in (0, 1))
    megabytes = f", {BODY / ours:.0f} MB/s" if count == PARTS else f", {1e6 / ours:,.0f}/s"
    print(
        f"  {name:17} vault {ours:7.2f} µs each{megabytes}; rows {theirs:7.2f} µs; "
        f"ratio of times {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )


def main() -> None:
    """Run both sides."""
    pieces = [Piece(slot, "plain", body) for slot, body in enumerate(bodies(), 1)]
    print(f"{PARTS:,} parts of 1 KB in batches of {BATCH:,}, {ROUNDS} rounds in turn after one to warm up")
    times = []
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as made:
            times.append(round_of(Path(made), pieces))
    counts = {"keep": PARTS, "read": PARTS, "erase, in order": PARTS // 2, "erase, scattered": PARTS // 4}
    for name, count in counts.items():
        report(name, count, [one[name] for one in times[1:]])
    turns = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as made:
            turns.append(rotation(Path(made)))
    report("rotate a million", KEYS, turns)
    with tempfile.TemporaryDirectory() as made:
        vault = vault_in(Path(made))
        vault.keep(pieces, day=DAY)
        size = sum(size for _, size in vault.segments())
        print(
            f"  {size / PARTS:.0f} bytes a part in segments, {BODY * PARTS / size:.1f} times smaller, and 43 in slots"
        )


if __name__ == "__main__":
    main()
