"""The tables of cuts: what was taken, who was in it, and what the ledger says of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from assent.store.schema.base import KEY, METADATA, instant_column, key_column, text_column

cut: Final = Table(
    "cut",
    METADATA,
    key_column(),
    text_column("name"),
    Column("number", Integer, nullable=False),
    text_column("manifest"),
    instant_column("created_at", required=True),
    text_column("directory"),
    # NULL for cuts from before these were kept
    text_column("purpose", required=False),
    instant_column("decided_at"),
    instant_column("retired_at"),
    UniqueConstraint("name", "number"),
)

cut_member: Final = Table(
    "cut_member",
    METADATA,
    text_column("name"),
    text_column("conversation"),
    text_column("part"),
    text_column("subject", required=False),
    # the numbers of the cut that it is in: from, and up to; NULL while it is in the newest
    Column("since", Integer, nullable=False),
    Column("until", Integer),
    PrimaryKeyConstraint("name", "conversation", "part", "since"),
    Index(None, "conversation"),
    Index(None, "subject"),
    sqlite_with_rowid=False,
)

cut_leaf: Final = Table(
    "cut_leaf",
    METADATA,
    # the leaf of the ledger, and what it commits to
    Column("leaf", BigInteger, primary_key=True, autoincrement=False),
    Column("cut", KEY, ForeignKey("cut.id"), nullable=False),
    text_column("record"),
    Index(None, "cut"),
)
