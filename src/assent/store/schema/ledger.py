"""The tables of the ledger: leaves with their erasable salts, tiles, the head, changes of keys and cosignatures."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    text,
)

from assent.store.schema.base import METADATA, instant_column, text_column

leaf: Final = Table(
    "leaf",
    METADATA,
    # the index in the log, from 0, without gap
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # the choice it commits to; no foreign key: the leaf outlives it
    text_column("choice", required=False),
    # NULL once erased: the commitment then says nothing about anybody
    Column("salt", LargeBinary),
    Column("commitment", LargeBinary, nullable=False),
    # the erasure whose receipt it commits to; then it is about no choice
    Column("erasure", Integer),
    Index(None, "choice", unique=True),
    Index(
        None,
        "erasure",
        unique=True,
        sqlite_where=text("erasure IS NOT NULL"),
        postgresql_where=text("erasure IS NOT NULL"),
    ),
)

tile: Final = Table(
    "tile",
    METADATA,
    Column("level", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "number"),
)

ledger_head: Final = Table(
    "ledger_head",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    text_column("checkpoint"),
    instant_column("signed_at", required=True),
    CheckConstraint("id = 1", name="one"),
)

key_change: Final = Table(
    "key_change",
    METADATA,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    text_column("note"),
    instant_column("added_at", required=True),
)

cosignature: Final = Table(
    "cosignature",
    METADATA,
    Column("size", BigInteger, nullable=False),
    text_column("witness"),
    text_column("line"),
    instant_column("added_at", required=True),
    PrimaryKeyConstraint("size", "witness"),
)
