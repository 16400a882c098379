"""Content leaves the database: where sealed bytes lie, and sealed headings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables. What lies in `content` and `title` is moved when the store is opened, not here."""
    op.create_table(
        "sealed",
        sa.Column("slot", KEY, autoincrement=True, nullable=False),
        sa.Column("part", KEY, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["part"], ["part.key"], name=op.f("sealed_part_of_part")),
        sa.PrimaryKeyConstraint("slot", name=op.f("sealed_key")),
        sa.UniqueConstraint("part", name=op.f("sealed_unique_part")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("sealed_by_segment"), "sealed", ["segment"], unique=False)
    op.add_column("conversation", sa.Column("heading", sa.LargeBinary(), nullable=True))
    op.add_column("conversation", sa.Column("heading_slot", KEY, nullable=True))


def downgrade() -> None:
    """Take them away, and with them the way to what was sealed."""
    op.drop_column("conversation", "heading_slot")
    op.drop_column("conversation", "heading")
    op.drop_index(op.f("sealed_by_segment"), table_name="sealed")
    op.drop_table("sealed")
