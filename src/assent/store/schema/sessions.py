"""The tables of the pages: who is signed in, what is spent, who works here, who looked at what, kept figures."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from assent.store.schema.base import METADATA, instant_column, key_column, text_column
from assent.store.schema.refusals import Refusal

session: Final = Table(
    "session",
    METADATA,
    Column("digest", Text, primary_key=True),
    text_column("kind"),
    text_column("who"),
    text_column("role"),
    text_column("guardian"),
    text_column("note"),
    instant_column("began_at", required=True),
    instant_column("ends_at", required=True),
    CheckConstraint("kind IN ('person', 'element', 'staff', 'invitation', 'signing in')", name="kind"),
    Index(None, "who"),
    Index(None, "ends_at"),
)

spent: Final = Table(
    "spent",
    METADATA,
    Column("digest", Text, primary_key=True),
    instant_column("until", required=True),  # when the token could no longer be used anyway
    Index(None, "until"),
)

staff: Final = Table(
    "staff",
    METADATA,
    Column("name", Text, primary_key=True),
    text_column("role"),
    instant_column("added_at", required=True),
    text_column("added_by"),
    CheckConstraint("role IN ('officer', 'engineer', 'safety', 'auditor')", name="role"),
)

look: Final = Table(
    "look",
    METADATA,
    key_column(),
    instant_column("at", required=True),
    text_column("by"),
    text_column("role"),
    text_column("page"),
    text_column("about"),
    text_column("reason"),
    Index(None, "by", "page", "about", "at"),
)

figure: Final = Table(
    "figure",
    METADATA,
    Column("name", Text, primary_key=True),
    instant_column("at", required=True),
    text_column("document"),
)

LOOK_REFUSALS: Final = (
    (look, Refusal("look_never_changes", "UPDATE", "look", "what was looked at stays written down")),
    (look, Refusal("look_never_goes", "DELETE", "look", "what was looked at stays written down")),
)
