"""The ledger: leaves, tiles, the head, keys, cosignatures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("leaf", "tile", "ledger_head", "key_change", "cosignature")
REFUSALS = (
    ("leaf_never_changes", "UPDATE OF number, choice, commitment", "leaf", "a leaf loses its salt only"),
    ("leaf_never_goes", "DELETE", "leaf", "the ledger is append-only"),
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "leaf",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("leaf_key")),
    )
    op.create_index(op.f("leaf_by_choice"), "leaf", ["choice"], unique=True)
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("tile_key")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ledger_head_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_head_key")),
    )
    op.create_table(
        "key_change",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("key_change_key")),
    )
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("cosignature_key")),
    )
    dialect = op.get_bind().dialect.name
    for refusal in REFUSALS:
        op.execute(refusal_statement(dialect, *refusal))
    only = "NEW.salt IS NOT NULL"
    op.execute(
        refusal_statement(dialect, "salt_never_changes", "UPDATE OF salt", "leaf", "a salt can only go", only=only)
    )


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
