"""Choices that say what they cover and what was on the screen; links, guardians, contracts, signals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = ("device_link", "guardian", "contract", "signal")
ADDED = (
    "scope",
    "locale",
    "layout",
    "options",
    "policy",
    "client",
    "prior",
    "snapshot",
    "campaign",
    "guardian",
    "terms",
)


def upgrade() -> None:
    """Make the tables."""
    for name in ADDED:
        default = sa.text("'everything'" if name == "scope" else "''")
        column = sa.Column(name, sa.Text(), server_default=default, nullable=False)
        op.add_column("choice", column)
        if name == "scope":
            op.add_column("choice", sa.Column("target", sa.Text(), nullable=True))
    scoped = sa.text("scope <> 'everything'")
    name = op.f("choice_by_subject")
    op.create_index(name, "choice", ["subject"], unique=False, sqlite_where=scoped, postgresql_where=scoped)
    op.create_table(
        "device_link",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("device_link_key")),
    )
    op.create_index(op.f("device_link_by_subject"), "device_link", ["subject"], unique=False)
    op.create_table(
        "guardian",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("guardian", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject", "guardian", name=op.f("guardian_key")),
    )
    op.create_table(
        "contract",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("contract_key")),
    )
    op.create_index(op.f("contract_by_organisation"), "contract", ["organisation"], unique=False)
    op.create_table(
        "signal",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("signal_key")),
    )
    op.create_index(op.f("signal_by_subject_at"), "signal", ["subject", "at"], unique=False)


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_index(op.f("choice_by_subject"), table_name="choice")
    for name in (*ADDED, "target"):
        op.drop_column("choice", name)
