"""A small ledger for tests: choices that are quickly made, keys that are always the same, and every text signed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.stores import new_store

from assent.ledger.checkpoint import Checkpoint, parse_checkpoint
from assent.ledger.leaf import commitment
from assent.ledger.note import ED25519, Signer, new_signer
from assent.ledger.proof import check_proof, parse_proof
from assent.services.ledger.append import Appended
from assent.services.ledger.log import Log
from assent.services.ledger.rotate import found
from assent.services.receipts.record import Identity
from assent.store.port import Store
from assent.store.records import Choice

ORIGIN = "log.example/assent"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNED: list[str] = []
"""Every text that a signer of these tests signed, in order."""


class RecordingSigner(Signer):
    """A signer that remembers what it signed, also what nobody ever saw."""

    __slots__ = ()

    def sign(self, text: str, *, at: int = 0) -> str:
        SIGNED.append(text)
        return super().sign(text, at=at)


def signer(number: int = 0) -> Signer:
    return RecordingSigner(ORIGIN, ED25519, bytes([number]) * 32)


def witness(number: int = 0) -> Signer:
    return new_signer(f"witness.example/w{number}", bytes([100 + number]) * 32, 4)


def log_of(*signers: Signer, witnesses: int = 0) -> Log:
    return Log(
        ORIGIN,
        signers or (signer(),),
        Identity("controller.example", b"k" * 32),
        lambda count: os.urandom(32 * count),
        tuple(witness(number).verifier for number in range(witnesses)),
    )


def choice(number: int, act: str = "allow") -> Choice:
    at = NOW + timedelta(seconds=number)
    return Choice(f"c{number}", f"s{number}", "training", act, at, "sha256:n", "web", "web", at)


def choices(first: int, count: int) -> list[Choice]:
    return [choice(number) for number in range(first, first + count)]


def holds(appended: Appended, log: Log, *, as_of: Log | None = None) -> Checkpoint:
    """Check a proof as a stranger would; returns the checkpoint that it leads to."""
    keys = [one.verifier for one in (as_of or log).signers]
    entry = commitment(appended.salt, appended.record)
    proof = parse_proof(appended.proof)
    assert proof.index == appended.number
    assert proof.text == appended.proof
    return check_proof(proof, entry, [*keys, *log.witnesses], log.origin)


def roots_signed() -> dict[int, set[bytes]]:
    """Every root that was ever signed, by the size it was signed for."""
    roots: dict[int, set[bytes]] = {}
    for text in SIGNED:
        if not text.startswith("assent/"):
            checkpoint = parse_checkpoint(text)
            roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    return roots


@contextmanager
def ledger(folder: Path, log: Log | None = None) -> Iterator[Store]:
    """Give a SQLite store whose ledger has begun."""
    store = new_store(folder / "ledger.db")
    try:
        found(store, log or log_of(), now=NOW)
        yield store
    finally:
        store.close()
