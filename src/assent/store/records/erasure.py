"""Rows of erasure: what was decided to go, what is left of it, and what every copy answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

import pyarrow as pa

from assent.domain.copies import CopyState
from assent.domain.facts import Facts

ErasureKind = Literal["swept", "replaced", "before"]


@dataclass(frozen=True, slots=True)
class Intent:
    """What one call to `intend` decided: parts erased, kept (no longer due), gone already.

    `id` names the erasure; None if nothing was due.
    """

    id: int | None
    erased: int = 0
    kept: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure: a batch of parts of a sweep (`swept`), or texts that others took the place of (`replaced`).

    `previous`, `root`, `slots_digest` and `chain` are the hashes of spec/erasure.md. `salt` hides
    the leaves from each other. `keys_destroyed_at` is when every key was gone, `finished_at` when
    the receipt went into the ledger, `receipt` its record. Of what was erased before erasures
    were chained (`before`) the hashes are empty and nothing is open.
    """

    id: int
    kind: ErasureKind
    sweep: int | None
    at: datetime
    previous: bytes
    root: bytes
    slots_digest: bytes
    chain: bytes
    parts: int
    salt: bytes | None = None
    keys_destroyed_at: datetime | None = None
    finished_at: datetime | None = None
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of an erased part: names and instants, never content.

    `part` is its id inside the conversation, `number` its leaf in the tree of the erasure,
    `policy` the digest that its last decision carried, `sweep` the sweep of the erasure.
    """

    erasure: int
    number: int
    part: str
    conversation: str
    subject: str | None
    erased_at: datetime
    erase_by: datetime
    rule: str
    policy: str
    sweep: int | None


@dataclass(frozen=True, slots=True)
class DerivedStore:
    """A place that copies are in, and that every erasure waits for: an index, a cut, a cache, another system.

    `kind` says who erases there, `settings` is the JSON it needs. `retired_at`: erasures from
    then on do not ask it any more.
    """

    name: str
    kind: str
    registered_at: datetime
    settings: str = "{}"
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one derived store owes one erasure, and what it answered last (`settled_at` None: nothing yet).

    `present` is no answer that ends anything; `pending maintenance` and `not reachable` are
    answers that a receipt may name, and that a later `removed` takes the place of.
    """

    erasure: int
    store: str
    state: CopyState
    settled_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StoreState:
    """How many erasures a derived store gave one answer to, and when it last did (None: it gave none yet)."""

    store: str
    state: CopyState
    erasures: int
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class StagedReceipt:
    """The receipt of an erasure that is to enter the ledger: `commitment` is over `salt` and `record`."""

    record: str
    salt: bytes
    commitment: bytes


class FactColumnsBatch(NamedTuple):
    """What a decision about some parts is made of, read in the transaction that will erase them.

    `facts`, `acts` and `holds` have the schemas FACTS, ACTS and HOLDS of `store.columns`.
    `sample` holds facts of some of the same parts by key, read another way, for the reference evaluator.
    """

    facts: pa.Table
    acts: pa.Table
    holds: pa.Table
    sample: Mapping[int, Facts]


DUE: Final = pa.schema(
    [("part", pa.int64()), ("erase_by", pa.timestamp("us")), ("rule", pa.string()), ("policy", pa.string())]
)
"""Columns of what is due: the part's key, its end, the rule that sets it and the digest of its decision."""

DueBatch: TypeAlias = pa.Table
"""The parts of a batch that may go, in the schema DUE."""

Redecide: TypeAlias = Callable[[FactColumnsBatch], DueBatch]
"""Decides a batch by sets. Raises if the two evaluators disagree about its sample."""
