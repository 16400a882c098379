"""The tables of asking: notices, every rendering ever shown, campaigns, and who was prompted when."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from assent.store.schema.base import METADATA, instant_column, key_column, text_column

notice: Final = Table(
    "notice",
    METADATA,
    Column("digest", Text, primary_key=True),
    text_column("name"),
    text_column("version"),
    text_column("policy"),
    text_column("document"),
    instant_column("added_at", required=True),
)

rendering: Final = Table(
    "rendering",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("notice", Text, ForeignKey("notice.digest"), nullable=False),
    text_column("surface"),
    text_column("locale"),
    text_column("layout"),
    text_column("options"),  # JSON list, in the order shown
    text_column("body"),
    instant_column("added_at", required=True),
    instant_column("deadline"),
    Index(None, "notice"),
)

campaign: Final = Table(
    "campaign",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("notice", Text, ForeignKey("notice.digest"), nullable=False),
    Column("policy", Text, ForeignKey("policy.digest"), nullable=False),
    text_column("document"),
    text_column("digest"),
    text_column("by"),
    instant_column("created_at", required=True),
)

campaign_event: Final = Table(
    "campaign_event",
    METADATA,
    key_column(),
    Column("campaign", Text, ForeignKey("campaign.id"), nullable=False),
    Column("number", Integer, nullable=False),
    instant_column("at", required=True),
    text_column("kind"),
    text_column("by"),
    text_column("change"),  # canonical JSON
    text_column("signature"),
    UniqueConstraint("campaign", "number"),
)

prompt: Final = Table(
    "prompt",
    METADATA,
    key_column(),
    Column("campaign", Text, ForeignKey("campaign.id"), nullable=False),
    text_column("subject"),
    text_column("purpose"),
    instant_column("at", required=True),
    text_column("kind"),
    text_column("layout"),
    text_column("client"),
    text_column("surface"),
    text_column("locale"),
    text_column("rendering"),
    text_column("snapshot"),
    UniqueConstraint("campaign", "subject", "purpose", "at", "kind"),
    Index(None, "subject"),
)
