"""The tables of what guards a sweep: its rounds, the newest instant that one saw, and the limits that count."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, SmallInteger, Table, Text

from assent.store.schema.base import METADATA, instant_column, key_column, number_column, text_column

round_: Final = Table(
    "round",
    METADATA,
    key_column(),
    text_column("holder"),
    instant_column("began_at", required=True),
    instant_column("ended_at", required=True),
    instant_column("next_by"),  # by when the round after it must have ended; NULL where nobody promised one
    text_column("stage"),
    text_column("plan", required=False),
    text_column("policies"),  # JSON: digests of the versions in force, oldest first; empty where they are not known
    text_column("stopped_by"),  # names of guards, with spaces between
    number_column("due"),
    number_column("erased"),
    number_column("late"),
    number_column("overdue"),
    instant_column("oldest_overdue"),
    instant_column("first_end"),
    CheckConstraint("stage IN ('idle', 'canary', 'whole', 'stopped', 'failed')", name="stage"),
    Index(None, "ended_at"),
)

clock: Final = Table(
    "clock",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    instant_column("seen_at", required=True),
    CheckConstraint("id = 1", name="one"),
)

safeguard: Final = Table(
    "safeguard",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("wanted", BigInteger),  # a looser value that waits; NULL when there is none
    instant_column("wanted_since"),
)
