"""The tables of holds and flags: orders not to erase, what they reach, what was found, and who read what and why."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from assent.store.schema.approvals import approval
from assent.store.schema.base import KEY, METADATA, child_of, instant_column, key_column, text_column
from assent.store.schema.refusals import Refusal

matter: Final = Table(
    "matter",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("opened_by"),
    instant_column("opened_at", required=True),
    instant_column("closed_at"),
)

hold: Final = Table(
    "hold",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("matter", Text, ForeignKey("matter.id"), nullable=False),
    text_column("scope"),
    # a subject, a conversation, an organisation, or conditions as canonical JSON
    text_column("target", required=False),
    instant_column("start", required=True),
    text_column("author"),
    text_column("reason"),
    instant_column("review_at", required=True),
    instant_column("released_at"),
    text_column("released_by", required=False),
    Column("gag", Boolean, nullable=False, server_default=false()),
    CheckConstraint("scope IN ('person', 'conversation', 'query', 'organisation', 'everyone')", name="scope"),
    CheckConstraint("(scope = 'everyone') = (target IS NULL)", name="target"),
    Index(None, "scope", "target"),
    Index(None, "matter"),
)

hold_reach: Final = Table(
    "hold_reach",
    METADATA,
    # whom or what a hold covered when its words still fitted, and covers since
    Column("hold", Text, ForeignKey("hold.id"), nullable=False),
    text_column("scope"),
    text_column("target"),
    PrimaryKeyConstraint("hold", "scope", "target"),
    CheckConstraint("scope IN ('person', 'conversation')", name="scope"),
    Index(None, "scope", "target"),
    sqlite_with_rowid=False,
)

finding: Final = Table(
    "finding",
    METADATA,
    Column("id", Text, primary_key=True),
    # names, no foreign keys: a finding outlives the content it was made on
    text_column("conversation"),
    text_column("subject", required=False),
    instant_column("at", required=True),
    text_column("category"),
    Column("score", Float),
    text_column("flagged_by"),
    text_column("reason"),
    instant_column("reversed_at"),
    instant_column("reviewed_at"),
    Index(None, "conversation"),
    Index(None, "subject"),
    Index(None, "at"),
)

flag: Final = Table(
    "flag",
    METADATA,
    # ties a finding to content that is still here, and goes with it
    Column("id", Text, ForeignKey("finding.id"), primary_key=True),
    Column("conversation", KEY, nullable=False),
    child_of("conversation", "conversation.key"),
    Index(None, "conversation"),
)

access: Final = Table(
    "access",
    METADATA,
    key_column(),
    text_column("conversation"),
    text_column("purpose"),
    text_column("reader"),
    text_column("reason"),
    Column("parts", Integer, nullable=False),
    instant_column("at", required=True),
    Index(None, "conversation"),
    sqlite_autoincrement=True,
)

HOLD_REFUSALS: Final = (
    (
        hold,
        Refusal(
            "hold_never_changes",
            "UPDATE OF id, matter, scope, target, start, author, reason",
            "hold",
            "a hold is released, never changed",
        ),
    ),
    (hold, Refusal("hold_never_goes", "DELETE", "hold", "a hold is released, never deleted")),
    (
        hold_reach,
        Refusal("hold_reach_never_goes", "DELETE", "hold_reach", "what a hold reached stays reached"),
    ),
    (
        approval,
        Refusal(
            "approval_never_changes",
            "UPDATE OF id, act, target, asked_by, reason, asked_at, valid_until",
            "approval",
            "a request is approved or not, never changed",
        ),
    ),
    (approval, Refusal("approval_never_goes", "DELETE", "approval", "requests and approvals stay")),
    (access, Refusal("access_never_changes", "UPDATE", "access", "what was read was read")),
    (access, Refusal("access_never_goes", "DELETE", "access", "what was read was read")),
)
"""What the database itself refuses, whoever asks."""
