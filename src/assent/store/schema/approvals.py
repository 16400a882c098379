"""The table of what takes two people."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from assent.store.schema.base import METADATA, instant_column, text_column

approval: Final = Table(
    "approval",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("act"),
    text_column("target"),
    text_column("asked_by"),
    text_column("reason"),
    instant_column("asked_at", required=True),
    instant_column("valid_until", required=True),
    text_column("approved_by", required=False),
    instant_column("approved_at"),
    instant_column("used_at"),
    CheckConstraint("act IN ('release', 'undelete', 'exceed', 'loosen', 'clock', 'promote')", name="act"),
    # the last line of defence: the room compares people more strictly
    CheckConstraint("approved_by <> asked_by", name="two_people"),
    CheckConstraint("used_at IS NULL OR approved_at IS NOT NULL", name="used"),
    Index(None, "act", "target"),
    Index(None, "asked_at"),
)
