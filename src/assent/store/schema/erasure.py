"""The tables of erasure: intents and their chain, what is left of erased parts, copies elsewhere and their answers.

Tombstones are many, and each costs what its indexes cost. The key finds those of a
conversation by a number drawn from its id (`home`): intake asks for them all the time. Those of
an erasure lie together, and those of a person are asked for when that person asks; for both,
PostgreSQL keeps a summary of every 16 pages (BRIN), which costs next to nothing to write. No
foreign key leads to an erasure or a ground, which never go: each row would look them up.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from assent.store.schema.base import KEY, METADATA, instant_column, number_column, text_column
from assent.store.schema.refusals import Refusal

erasure: Final = Table(
    "erasure",
    METADATA,
    # 1, 2, 3: the writer gives it, without a gap
    Column("id", Integer, primary_key=True, autoincrement=False),
    text_column("kind"),
    Column("sweep", KEY, ForeignKey("sweep.id")),
    instant_column("at", required=True),
    # spec/erasure.md, section 3; empty for what was erased before erasures were chained
    Column("previous", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("slots_digest", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    number_column("parts"),
    Column("salt", LargeBinary),
    # packed numbers of the keys to destroy; NULL once the receipt is there
    Column("slots", LargeBinary),
    instant_column("keys_destroyed_at"),
    instant_column("finished_at"),
    text_column("receipt", required=False),
    CheckConstraint("kind IN ('swept', 'replaced', 'before')", name="kind"),
    CheckConstraint("finished_at IS NULL OR keys_destroyed_at IS NOT NULL", name="keys_first"),
    Index(None, "finished_at"),
)

ground: Final = Table(
    "ground",
    METADATA,
    # why parts were erased: a rule of a policy
    Column("id", Integer, primary_key=True, autoincrement=False),
    text_column("rule"),
    text_column("policy"),
    UniqueConstraint("rule", "policy"),
)

tombstone: Final = Table(
    "tombstone",
    METADATA,
    # the first 8 bytes of the SHA-256 of the conversation's id, signed
    Column("home", BigInteger, nullable=False),
    instant_column("erase_by", required=True),
    Column("erasure", Integer, nullable=False),
    # the leaf in the erasure's tree
    Column("number", Integer, nullable=False),
    Column("ground", Integer, nullable=False),
    text_column("conversation"),
    text_column("part"),
    text_column("subject", required=False),
    PrimaryKeyConstraint("home", "erasure", "number"),
    Index(None, "erasure", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
    Index(
        None,
        "subject",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16},
        postgresql_ops={"subject": "text_bloom_ops(n_distinct_per_range=2000)"},
    ),
)

derived_store: Final = Table(
    "derived_store",
    METADATA,
    Column("name", Text, primary_key=True),
    text_column("kind"),
    instant_column("registered_at", required=True),
    instant_column("retired_at"),
    # JSON
    text_column("settings"),
)

obligation: Final = Table(
    "obligation",
    METADATA,
    Column("erasure", Integer, ForeignKey("erasure.id"), nullable=False),
    Column("store", Text, ForeignKey("derived_store.name"), nullable=False),
    text_column("state"),
    instant_column("settled_at"),
    text_column("note"),
    PrimaryKeyConstraint("erasure", "store"),
    CheckConstraint("state IN ('present', 'removed', 'pending maintenance', 'not reachable')", name="state"),
    Index(None, "erasure", sqlite_where=text("state <> 'removed'"), postgresql_where=text("state <> 'removed'")),
)

REFUSALS: Final = (
    (
        erasure,
        Refusal(
            "erasure_never_changes",
            "UPDATE OF id, kind, sweep, at, previous, root, slots_digest, chain, parts",
            "erasure",
            "erasures are chained",
        ),
    ),
    (erasure, Refusal("erasure_never_goes", "DELETE", "erasure", "erasures are chained")),
    (
        erasure,
        Refusal("erasure_slots_go", "UPDATE OF slots", "erasure", "slots can only go", only="NEW.slots IS NOT NULL"),
    ),
    (
        erasure,
        Refusal("erasure_salt_goes", "UPDATE OF salt", "erasure", "a salt can only go", only="NEW.salt IS NOT NULL"),
    ),
    (
        erasure,
        Refusal(
            "erasure_ends_once",
            "UPDATE OF finished_at, receipt",
            "erasure",
            "a receipt never changes",
            only="OLD.finished_at IS NOT NULL",
        ),
    ),
    (ground, Refusal("ground_never_changes", "UPDATE", "ground", "tombstones name it")),
    (ground, Refusal("ground_never_goes", "DELETE", "ground", "tombstones name it")),
    (
        tombstone,
        Refusal(
            "tombstone_never_changes",
            "UPDATE OF home, erase_by, erasure, number, ground, conversation, part",
            "tombstone",
            "a tombstone can lose its subject and nothing else",
        ),
    ),
    (tombstone, Refusal("tombstone_never_goes", "DELETE", "tombstone", "erased stays erased")),
)
"""What the database itself refuses, whoever asks."""
