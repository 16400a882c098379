"""Tokens of the API and the answers it gave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("token", "answered")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "token",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "role IN ('product', 'officer', 'engineer', 'safety', 'auditor', 'directory')", name=op.f("token_role")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("token_key")),
        sa.UniqueConstraint("name", name=op.f("token_unique_name")),
    )
    op.create_table(
        "answered",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("answered_key")),
    )
    op.create_index(op.f("answered_by_at"), "answered", ["at"], unique=False)


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
