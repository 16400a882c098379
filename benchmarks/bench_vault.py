"""Vault: parts of 1 KB sealed, read, erased, against the same bodies as plain rows of SQLite.

The peer commits as often as the vault waits for the disk, and deletes with `secure_delete=ON`. The vault compresses,
seals each body under a key of its own, and erases by destroying keys. Both must give back the same texts, before and
after. Then: rotation of the epoch for a million keys, beside copying as many rows into another table.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tests.vaults import vault_in

from assent.domain.contents import Piece, Sealed
from assent.vault.vault import Vault
from benchmarks.board.rounds import Times, growth, setting, thirds, took
from benchmarks.board.values import Figure, Headline, Result, Spread, Words
from benchmarks.make_dictionary import texts

PARTS = setting("PARTS", 50_000, small=1_600)
BATCH = 1_000
BODY = 1_024
KEYS = setting("KEYS", 1_000_000, small=5_000)
ROUNDS = setting("ROUNDS", 5, small=2)
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


def batches(items: Sequence[Piece]) -> list[Sequence[Piece]]:
    return [items[at : at + BATCH] for at in range(0, len(items), BATCH)]


def round_of(folder: Path, pieces: list[Piece], times: Times) -> None:
    """Time both sides on the same work, in turn."""
    vault, rows = vault_in(folder), Rows(folder)
    places: list[Sealed] = []
    with times.timing("keep, vault"):
        for some in batches(pieces):
            places.extend(vault.keep(some, day=DAY))
    with times.timing("keep, rows"):
        for some in batches(pieces):
            rows.keep(some)
    read(vault, rows, places, times)
    slots = [piece.slot for piece in pieces]
    half = len(slots) // 2
    scattered = random.Random(SEED).sample(slots[half:], half // 2)
    for name, gone in (("erase in order", slots[:half]), ("erase scattered", scattered)):
        with times.timing(f"{name}, vault"):
            vault.destroy(gone)
        with times.timing(f"{name}, rows"):
            rows.erase(gone)
    read(vault, rows, places, Times())
    rows.connection.close()


def read(vault: Vault, rows: Rows, places: Sequence[Sealed], times: Times) -> None:
    """Read everything, in batches; stop unless both sides say the same."""
    ours: dict[int, str] = {}
    theirs: dict[int, str] = {}
    groups = [places[at : at + BATCH] for at in range(0, len(places), BATCH)]
    with times.timing("read, vault"):
        for group in groups:
            ours.update(vault.read(group))
    with times.timing("read, rows"):
        for group in groups:
            theirs.update(rows.read([place.slot for place in group]))
    if ours != theirs:
        sys.exit("the two sides do not hold the same texts")


def rotation(folder: Path, times: Times) -> None:
    """Time a rotation of a million keys, and the copy of as many rows of 40 bytes into another table."""
    store, rows = vault_in(folder).slots, Rows(folder).connection
    store.write({slot: os.urandom(32) for slot in range(1, KEYS + 1)})
    rows.execute("CREATE TABLE wrapped (slot INTEGER PRIMARY KEY, key BLOB)")
    rows.execute("CREATE TABLE anew (slot INTEGER PRIMARY KEY, key BLOB)")
    rows.execute("BEGIN")
    rows.executemany("INSERT INTO wrapped VALUES (?, ?)", ((slot, os.urandom(40)) for slot in range(1, KEYS + 1)))
    rows.execute("COMMIT")
    times.add("rotate, vault", took(lambda: store.rotate(on_slots=lambda _amount: None)))

    def copied() -> None:
        rows.execute("BEGIN")
        rows.execute("INSERT INTO anew SELECT slot, key FROM wrapped")
        rows.execute("DELETE FROM wrapped")
        rows.execute("COMMIT")
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    times.add("rotate, rows", took(copied))
    rows.close()
    if store.count() != KEYS:
        sys.exit("the rotation lost a key")


def stored(pieces: list[Piece]) -> float:
    """Return the bytes a part in segments."""
    with tempfile.TemporaryDirectory() as made:
        vault = vault_in(Path(made))
        vault.keep(pieces, day=DAY)
        return sum(size for _, size in vault.segments()) / len(pieces)


def measure() -> Result:
    """Run both sides, then the vault alone at three sizes."""
    pieces = [Piece(slot, "plain", body) for slot, body in enumerate(bodies(), 1)]
    times, by_size = Times(), {size: Times() for size in thirds(PARTS)}
    for number in range(ROUNDS + 1):  # the first round warms up
        with tempfile.TemporaryDirectory() as made:
            round_of(Path(made), pieces, times if number else Times())
        for size, found in by_size.items() if number else ():
            with tempfile.TemporaryDirectory() as made:
                round_of(Path(made), pieces[:size], found)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as made:
            rotation(Path(made), times)
    counts = {"keep": PARTS, "read": PARTS, "erase in order": PARTS // 2, "erase scattered": PARTS // 4, "rotate": KEYS}
    kept = stored(pieces)
    return Result(
        figures=(
            *(
                Figure(f"{act}, {side}", times.spread(f"{act}, {side}", 1e6 / count), "µs each")
                for act, count in counts.items()
                for side in ("vault", "rows")
            ),
            Figure("a part in segments, beside 43 bytes in slots", Spread.single(kept), "bytes"),
        ),
        ratios=tuple(
            Figure(f"to {act}, against plain rows", times.against(f"{act}, vault", f"{act}, rows")) for act in counts
        ),
        growth=tuple(
            growth(f"to {act}", {size: found[f"{act}, vault"] for size, found in by_size.items()}, of="parts")
            for act in ("keep", "read")
        ),
    )


HEADLINE = Headline(
    Words(
        title="Vault",
        work=(
            f"{PARTS:,} parts of 1 KB in batches of {BATCH:,}: sealed, read, half of them erased in order and a "
            f"quarter scattered; then the epoch is rotated for {KEYS:,} keys. Both sides must give back the same "
            "texts, before and after."
        ),
        peer=(
            "the same bodies as plain rows of SQLite, committed as often and deleted with `secure_delete`; for "
            "the rotation, as many rows copied into another table"
        ),
        remarks=("The peer neither compresses nor seals, and its deletion leaves copies in backups.",),
    ),
    measure,
    uses=("cryptography", "zstandard"),
)
