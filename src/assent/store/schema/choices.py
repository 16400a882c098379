"""The tables of choices: the acts themselves, who may act for whom, and what was said by signal or contract."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Text, text

from assent.store.schema.base import METADATA, added_text, instant_column, key_column, text_column

SCOPED: Final = "scope <> 'everything'"

choice: Final = Table(
    "choice",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("subject"),
    text_column("purpose"),
    text_column("act"),
    instant_column("at", required=True),
    text_column("notice"),
    text_column("surface"),
    text_column("recorded_by"),
    instant_column("recorded_at", required=True),
    # what it covers: everything, one project, or one conversation; the target names which
    added_text("scope", "everything"),
    text_column("target", required=False),
    # what was on the screen
    added_text("locale"),
    added_text("layout"),
    added_text("options"),  # JSON: the acts offered, in the order shown
    added_text("policy"),
    added_text("client"),
    # what stood before, what the client was served, and who acted instead of the subject
    added_text("prior"),
    added_text("snapshot"),
    added_text("campaign"),
    added_text("guardian"),
    added_text("terms"),
    CheckConstraint("act IN ('allow', 'decline', 'defer', 'withdraw')", name="act"),
    Index(None, "subject", "at"),
    # finds the few whose acts are about less than everything
    Index(None, "subject", sqlite_where=text(SCOPED), postgresql_where=text(SCOPED)),
)

device_link: Final = Table(
    "device_link",
    METADATA,
    Column("device", Text, primary_key=True),
    text_column("subject"),
    instant_column("at", required=True),
    Index(None, "subject"),
)

guardian: Final = Table(
    "guardian",
    METADATA,
    text_column("subject"),
    text_column("guardian"),
    text_column("method"),
    text_column("recorded_by"),
    instant_column("verified_at", required=True),
    instant_column("ended_at"),
    PrimaryKeyConstraint("subject", "guardian"),
)

contract: Final = Table(
    "contract",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("organisation"),
    text_column("purposes"),  # JSON list
    text_column("terms"),  # digest of the signed text
    text_column("signed_by"),
    instant_column("starts_at", required=True),
    instant_column("ends_at"),
    instant_column("recorded_at", required=True),
    Index(None, "organisation"),
)

signal: Final = Table(
    "signal",
    METADATA,
    key_column(),
    text_column("subject"),
    text_column("kind"),
    text_column("value"),
    text_column("outcome"),
    text_column("surface"),
    instant_column("at", required=True),
    Index(None, "subject", "at"),
)
