"""The tables of backups, restores and tracers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from assent.store.schema.base import METADATA, instant_column, key_column, text_column

backup: Final = Table(
    "backup",
    METADATA,
    Column("id", Text, primary_key=True),
    instant_column("taken_at", required=True),
    text_column("folder"),
    text_column("keys_folder"),
    # digest of its manifest
    text_column("manifest"),
    Column("journal", BigInteger, nullable=False),
    Column("slots", BigInteger, nullable=False),
    instant_column("keys_expire_at", required=True),
    instant_column("keys_gone_at"),
)

restore: Final = Table(
    "restore",
    METADATA,
    key_column(),
    text_column("backup"),
    instant_column("taken_at", required=True),
    instant_column("started_at", required=True),
    # the last entry of the journal that is carried out here
    Column("journal", BigInteger, nullable=False),
    # NULL: nothing but the replay may write
    instant_column("finished_at"),
    # who answers for a restore whose journal was lost, and why
    text_column("lost_by", required=False),
    text_column("lost_reason", required=False),
)

tracer: Final = Table(
    "tracer",
    METADATA,
    Column("conversation", Text, primary_key=True),
    # what its markers are made from: the markers themselves must stand nowhere
    Column("seed", LargeBinary, nullable=False),
    instant_column("planted_at", required=True),
)
