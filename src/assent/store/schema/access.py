"""The tables of the API: who may call it, and which answers it has given already."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from assent.store.schema.base import METADATA, instant_column, text_column

token: Final = Table(
    "token",
    METADATA,
    Column("digest", Text, primary_key=True),
    text_column("name"),
    text_column("role"),
    instant_column("added_at", required=True),
    instant_column("revoked_at"),
    UniqueConstraint("name"),
    CheckConstraint("role IN ('product', 'officer', 'engineer', 'safety', 'auditor', 'directory')", name="role"),
)

answered: Final = Table(
    "answered",
    METADATA,
    text_column("caller"),
    text_column("key"),
    text_column("request"),  # digest of method, path and body
    Column("status", Integer, nullable=False),
    text_column("body"),
    instant_column("at", required=True),
    PrimaryKeyConstraint("caller", "key"),
    Index(None, "at"),
)
