"""Training runs: on what, what they left out, what they made, and what the ledger says of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SETTLED = "id, cut, number, manifest, purpose, trainer, config, code, planned_at, base, parent"
STARTED = "started_at, policies, rows, conversations, people, gate"
REFUSALS = (
    ("run_never_changes", f"UPDATE OF {SETTLED}", "run", "what a run was told stays", ""),
    (
        "run_keeps_its_start",
        f"UPDATE OF {STARTED}",
        "run",
        "what a run started with stays",
        "OLD.started_at IS NOT NULL",
    ),
    ("run_never_goes", "DELETE", "run", "runs are kept", ""),
    ("run_without_never_changes", "UPDATE", "run_without", "what a run left out stays", ""),
    ("run_without_never_goes", "DELETE", "run_without", "what a run left out stays", ""),
    ("weights_never_change", "UPDATE OF run, digest, made_at", "weights", "what a run made stays", ""),
    ("weights_never_go", "DELETE", "weights", "what a run made stays on record", ""),
)


def upgrade() -> None:
    """Make the tables."""
    _runs()
    op.create_table(
        "run_without",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("run_without_run_of_run")),
        sa.PrimaryKeyConstraint("run", "conversation", name=op.f("run_without_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_leaf",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("run_leaf_run_of_run")),
        sa.PrimaryKeyConstraint("leaf", name=op.f("run_leaf_key")),
    )
    op.create_index(op.f("run_leaf_by_run"), "run_leaf", ["run"], unique=False)
    op.create_table(
        "weights",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("claim", "evaluation", "superseded_by")),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("weights_run_of_run")),
        sa.PrimaryKeyConstraint("run", name=op.f("weights_key")),
    )
    op.create_index(op.f("weights_by_digest"), "weights", ["digest"], unique=False)
    dialect = op.get_bind().dialect.name
    for name, when, table, message, only in REFUSALS:
        op.execute(refusal_statement(dialect, name, when, table, message, only=only))


def downgrade() -> None:
    """Forget the runs here; what the ledger says of them stays in the ledger."""
    for table in ("weights", "run_leaf", "run_without", "run"):
        op.drop_table(table)


def _runs() -> None:
    texts = ("manifest", "purpose", "trainer", "config", "code")
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cut", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("policies", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
            for name in ("rows", "conversations", "people")
        ),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'started', 'finished', 'failed', 'abandoned')", name=op.f("run_state")
        ),
        sa.CheckConstraint("state NOT IN ('started', 'finished') OR started_at IS NOT NULL", name=op.f("run_start")),
        sa.ForeignKeyConstraint(["cut", "number"], ["cut.name", "cut.number"], name=op.f("run_cut_number_of_cut")),
        sa.ForeignKeyConstraint(["parent"], ["run.id"], name=op.f("run_parent_of_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("run_key")),
    )
    op.create_index(op.f("run_by_cut_number"), "run", ["cut", "number"], unique=False)
    op.create_index(op.f("run_by_planned_at_id"), "run", ["planned_at", "id"], unique=False)
