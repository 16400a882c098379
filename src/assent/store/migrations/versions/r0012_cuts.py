"""Who is in which cuts, by stretches of numbers; what the ledger says of cuts; their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ADDED = (("purpose", sa.Text()), ("decided_at", sa.BigInteger()), ("retired_at", sa.BigInteger()))


def upgrade() -> None:
    """Make the tables; a row of a cut becomes a member of that number alone."""
    for name, kind in ADDED:
        op.add_column("cut", sa.Column(name, kind, nullable=True))
    op.create_table(
        "cut_member",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", "conversation", "part", "since", name=op.f("cut_member_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("cut_member_by_conversation"), "cut_member", ["conversation"], unique=False)
    op.create_index(op.f("cut_member_by_subject"), "cut_member", ["subject"], unique=False)
    op.create_table(
        "cut_leaf",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cut", KEY, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cut"], ["cut.id"], name=op.f("cut_leaf_cut_of_cut")),
        sa.PrimaryKeyConstraint("leaf", name=op.f("cut_leaf_key")),
    )
    op.create_index(op.f("cut_leaf_by_cut"), "cut_leaf", ["cut"], unique=False)
    op.execute(
        "INSERT INTO cut_member (name, conversation, part, subject, since, until)"
        " SELECT cut.name, r.conversation, r.part, r.subject, cut.number, cut.number"
        " FROM cut_row AS r JOIN cut ON cut.id = r.cut"
    )
    op.drop_table("cut_row")


def downgrade() -> None:
    """Give each cut its rows back. What the ledger says of cuts is forgotten here, and stays in the ledger."""
    op.create_table(
        "cut_row",
        sa.Column("cut", KEY, nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["cut"], ["cut.id"], name=op.f("cut_row_cut_of_cut")),
        sa.PrimaryKeyConstraint("cut", "conversation", "part", name=op.f("cut_row_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("cut_row_by_conversation"), "cut_row", ["conversation"], unique=False)
    op.create_index(op.f("cut_row_by_subject"), "cut_row", ["subject"], unique=False)
    op.execute(
        "INSERT INTO cut_row (cut, conversation, part, subject)"
        " SELECT cut.id, m.conversation, m.part, m.subject FROM cut_member AS m"
        " JOIN cut ON cut.name = m.name AND cut.number >= m.since AND (m.until IS NULL OR cut.number <= m.until)"
    )
    for table in ("cut_leaf", "cut_member"):
        op.drop_table(table)
    for name, _ in reversed(ADDED):
        op.drop_column("cut", name)
