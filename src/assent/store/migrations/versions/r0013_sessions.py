"""Who is signed in, what is spent, who works here, who looked at what, and kept figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("session", "spent", "staff", "look", "figure")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables; what was looked at is kept against change."""
    op.create_table(
        "session",
        *_texts("digest", "kind", "who", "role", "guardian", "note"),
        *_instants("began_at", "ends_at"),
        sa.PrimaryKeyConstraint("digest", name=op.f("session_key")),
        sa.CheckConstraint(
            "kind IN ('person', 'element', 'staff', 'invitation', 'signing in')", name=op.f("session_kind")
        ),
    )
    op.create_table(
        "spent",
        *_texts("digest"),
        *_instants("until"),
        sa.PrimaryKeyConstraint("digest", name=op.f("spent_key")),
    )
    op.create_table(
        "staff",
        *_texts("name", "role"),
        *_instants("added_at"),
        *_texts("added_by"),
        sa.PrimaryKeyConstraint("name", name=op.f("staff_key")),
        sa.CheckConstraint("role IN ('officer', 'engineer', 'safety', 'auditor')", name=op.f("staff_role")),
    )
    op.create_table(
        "look",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        *_instants("at"),
        *_texts("by", "role", "page", "about", "reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("look_key")),
    )
    op.create_table(
        "figure",
        *_texts("name"),
        *_instants("at"),
        *_texts("document"),
        sa.PrimaryKeyConstraint("name", name=op.f("figure_key")),
    )
    for table, columns in (
        ("session", ["who"]),
        ("session", ["ends_at"]),
        ("spent", ["until"]),
        ("look", ["by", "page", "about", "at"]),
    ):
        op.create_index(op.f(f"{table}_by_{'_'.join(columns)}"), table, columns, unique=False)
    dialect = op.get_bind().dialect.name
    for name, when in (("look_never_changes", "UPDATE"), ("look_never_goes", "DELETE")):
        op.execute(refusal_statement(dialect, name, when, "look", "what was looked at stays written down"))


def downgrade() -> None:
    """Drop the tables: everybody signs in again, and what was looked at is forgotten."""
    for table in reversed(TABLES):
        op.drop_table(table)
