"""Leases, heartbeats and what guards a sweep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("lease", "round", "clock", "safeguard")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("lease_key")),
    )
    op.create_table(
        "round",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("next_by", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("due", "erased", "late", "overdue")
        ),
        sa.Column("oldest_overdue", sa.BigInteger(), nullable=True),
        sa.Column("first_end", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("stage IN ('idle', 'canary', 'whole', 'stopped', 'failed')", name=op.f("round_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("round_key")),
    )
    op.create_index(op.f("round_by_ended_at"), "round", ["ended_at"], unique=False)
    op.create_table(
        "clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("clock_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("clock_key")),
    )
    op.create_table(
        "safeguard",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=True),
        sa.Column("wanted_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("safeguard_key")),
    )


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
