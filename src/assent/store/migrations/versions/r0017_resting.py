"""Parts that a standing choice keeps rest in a class of their own, until an act wakes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.resting import WAKE, wake_statement

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

WAKINGS = (
    ("choice_wakes", "choice", "subject", "NEW.act IN ('decline', 'withdraw') OR NEW.scope <> 'everything'"),
    ("device_link_wakes", "device_link", "device", ""),
)


def upgrade() -> None:
    """Nothing rests yet: the next plan looks at everything once more, and lays to rest what it can."""
    op.add_column("retention_class", sa.Column("permits", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("retention_class", sa.Column("base", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.add_column("retention_class", sa.Column("since", sa.BigInteger()))
    op.create_table(
        "resting",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("woken", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("subject", name=op.f("resting_key")),
    )
    where = sa.text("woken")
    op.create_index("resting_by_woken", "resting", ["subject"], sqlite_where=where, postgresql_where=where)
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(WAKE)
    for said in WAKINGS:
        op.execute(wake_statement(dialect, *said))


def downgrade() -> None:
    """Bring every part back into the class that it came from."""
    dialect = op.get_bind().dialect.name
    for name, table, *_ in WAKINGS:
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if dialect == "postgresql" else ""))
    if dialect == "postgresql":
        op.execute("DROP FUNCTION wake()")
    op.drop_table("resting")
    op.execute(
        "UPDATE part SET retention_class = (SELECT base FROM retention_class WHERE id = part.retention_class) "
        "WHERE retention_class IN (SELECT id FROM retention_class WHERE base IS NOT NULL)"
    )
    op.execute("DELETE FROM retention_class WHERE base IS NOT NULL")
    for column in ("since", "base", "permits"):
        op.drop_column("retention_class", column)
