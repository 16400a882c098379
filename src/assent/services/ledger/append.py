"""Append choices to the ledger: stage, sign, swap; each comes back with the proof that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from assent.domain.errors import AssentError, Refused
from assent.ledger.leaf import SALT_BYTES, commitment
from assent.ledger.proof import Proof
from assent.services.ledger.paths import paths
from assent.services.ledger.seal import sealed
from assent.services.receipts.record import record_of
from assent.store.records import Choice, Staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.services.ledger.log import Log
    from assent.services.ledger.seal import Remembered
    from assent.services.ledger.tree import Tree
    from assent.store.port import Ledger
    from assent.store.records import Leaf


@dataclass(frozen=True, slots=True)
class Appended:
    """A choice in the ledger with all that shows it: its record and salt, its leaf's number, and a C2SP tlog-proof."""

    choice: Choice
    record: bytes
    salt: bytes
    number: int
    proof: str


def append(
    store: Ledger, log: Log, choices: Sequence[Choice], *, now: datetime, remembered: Remembered | None = None
) -> list[Appended]:
    """Store choices together with their leaves and bring them under a checkpoint: all of them or none.

    Whoever got no answer may call again with the same choices: each has one leaf, whatever
    happened. A writer that appends again and again keeps what is `remembered`. Raises `Refused` if
    an id is taken by another meaning, or if the salt of a choice that was stored before is erased.
    """
    if not choices:
        return []
    records = [record_of(choice, log.identity).encode() for choice in choices]
    salts = log.new_salts(len(choices))
    entries = []
    for n, (choice, record) in enumerate(zip(choices, records, strict=True)):
        salt = salts[n * SALT_BYTES : (n + 1) * SALT_BYTES]
        entries.append(Staged(choice, salt, commitment(salt, record)))
    leaves = store.stage(entries)
    known = {leaf.number: leaf.commitment for leaf in leaves}
    head, tree = sealed(store, log, 1 + max(known), known, now=now, remembered=remembered)
    texts = proofs(known, head.size, head.checkpoint, tree)
    found = []
    for entry, record, leaf in zip(entries, records, leaves, strict=True):
        salt = entry.salt if leaf.commitment == entry.commitment else salt_of(leaf, record)
        found.append(Appended(entry.choice, record, salt, leaf.number, texts[leaf.number]))
    return found


def salt_of(leaf: Leaf, record: bytes) -> bytes:
    """Return the salt by which a leaf commits to a record. Raises `Refused` if it was erased, or commits to another."""
    if leaf.salt is None:
        raise Refused(f"leaf `{leaf.number}` was made meaningless: its salt is erased", "nothing proves it any more")
    if commitment(leaf.salt, record) != leaf.commitment:
        raise AssentError(
            f"leaf `{leaf.number}` was made for another record than its choice gives now",
            "restore `controller` in the settings file and the key of subjects, then run `assent ledger verify`",
        )
    return leaf.salt


def proofs(numbers: Iterable[int], size: int, checkpoint: str, tree: Tree) -> dict[int, str]:
    """Write the tlog-proofs of these leaves under a signed checkpoint of `size` leaves, by number."""
    header, index, footer = Proof(0, (), checkpoint).text.partition("index 0\n")
    kind = index.removesuffix("0\n")
    found: dict[int, str] = {}
    for _, run in groupby(enumerate(sorted(set(numbers))), lambda pair: pair[1] - pair[0]):
        wanted = [number for _, number in run]
        lines = paths(wanted[0], wanted[-1] + 1, size, tree.read, tree.tile)
        for number, path in zip(wanted, lines, strict=True):
            found[number] = f"{header}{kind}{number}\n{path}{footer}"
    return found
