"""The tables of reviewing: what waits for people, and what they decided."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from assent.store.schema.base import KEY, METADATA, child_of, instant_column, text_column
from assent.store.schema.refusals import Refusal

_BAND: Final = "band IN ('flag', 'uncertain', 'clear')"

candidate: Final = Table(
    "candidate",
    METADATA,
    # the id of its flag, or of the flag that it becomes; it goes with its conversation
    Column("id", Text, primary_key=True),
    Column("conversation", KEY, nullable=False),
    text_column("band"),
    text_column("category"),
    Column("severity", Integer, nullable=False),
    text_column("detector"),
    instant_column("queued_at", required=True),
    Column("score", Float),
    Column("drawn", Boolean, nullable=False),
    instant_column("settled_at"),
    child_of("conversation", "conversation.key"),
    CheckConstraint(_BAND, name="band"),
    CheckConstraint("severity BETWEEN 1 AND 3", name="severity"),
    Index(None, "conversation"),
    Index(None, "settled_at", "severity"),
)

flag_review: Final = Table(
    "flag_review",
    METADATA,
    # a name, no foreign key: what was decided outlives what it was decided on
    text_column("candidate"),
    text_column("stage"),
    text_column("reviewer"),
    instant_column("at", required=True),
    text_column("decision"),
    text_column("reason"),
    text_column("band"),
    text_column("category"),
    Column("drawn", Boolean, nullable=False),
    PrimaryKeyConstraint("candidate", "stage", "reviewer"),
    CheckConstraint("stage IN ('review', 'appeal')", name="stage"),
    CheckConstraint("decision IN ('uphold', 'reverse')", name="decision"),
    CheckConstraint(_BAND, name="band"),
    Index(None, "at"),
)

REVIEW_REFUSALS: Final = (
    (flag_review, Refusal("flag_review_never_changes", "UPDATE", "flag_review", "what was decided was decided")),
)
"""What the database itself refuses, whoever asks."""
