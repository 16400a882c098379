"""Notices, renderings, campaigns, prompts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = ("notice", "rendering", "campaign", "campaign_event", "prompt")


def upgrade() -> None:
    """Make the tables, and say since when an account is open."""
    op.add_column("account", sa.Column("opened_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "notice",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("notice_key")),
    )
    op.create_table(
        "rendering",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notice.digest"], name=op.f("rendering_notice_of_notice")),
        sa.PrimaryKeyConstraint("digest", name=op.f("rendering_key")),
    )
    op.create_index(op.f("rendering_by_notice"), "rendering", ["notice"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.digest"], name=op.f("campaign_notice_of_notice")),
        sa.ForeignKeyConstraint(["policy"], ["policy.digest"], name=op.f("campaign_policy_of_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_key")),
    )
    op.create_table(
        "campaign_event",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("campaign_event_campaign_of_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_event_key")),
        sa.UniqueConstraint("campaign", "number", name=op.f("campaign_event_unique_campaign_number")),
    )
    op.create_table(
        "prompt",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("rendering", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("prompt_campaign_of_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("prompt_key")),
        sa.UniqueConstraint(
            "campaign",
            "subject",
            "purpose",
            "at",
            "kind",
            name=op.f("prompt_unique_campaign_subject_purpose_at_kind"),
        ),
    )
    op.create_index(op.f("prompt_by_subject"), "prompt", ["subject"], unique=False)


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("account", "opened_at")
