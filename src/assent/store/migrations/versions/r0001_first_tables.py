"""The first tables.

Written out, not taken from `schema/`: a migration must make the same database for ever.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import REFUSE, refusal_statement

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite gives numbers of its own only to a column of type INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "account",
    "choice",
    "conversation",
    "retention_class",
    "part",
    "content",
    "flag",
    "hold",
    "policy",
    "plan",
    "plan_item",
    "sweep",
    "tombstone",
    "cut",
    "cut_row",
    "import_run",
    "import_note",
)
"""In the order in which they refer to each other."""

REFUSALS = (
    ("choice_never_changes", "UPDATE", "choice", "choices are append-only"),
    ("choice_never_goes", "DELETE", "choice", "choices are append-only"),
    (
        "tombstone_never_changes",
        "UPDATE OF id, part, conversation, erased_at, erase_by, rule, policy, sweep",
        "tombstone",
        "a tombstone can lose its subject and nothing else",
    ),
    ("tombstone_never_goes", "DELETE", "tombstone", "erased stays erased"),
)
"""Triggers: name, when, table, and what the database answers."""


def upgrade() -> None:
    """Make every table, its indexes, and the triggers that keep choices and tombstones as they are."""
    _people()
    _conversations()
    _findings()
    _erasure()
    _selections()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(REFUSE)
    for refusal in REFUSALS:
        op.execute(refusal_statement(dialect, *refusal))


def downgrade() -> None:
    """Drop everything. Their indexes and triggers go with the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse()")


def _people() -> None:
    op.create_table(
        "account",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("age", sa.SmallInteger(), nullable=True),
        sa.Column("signed_in", sa.Boolean(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("moved_to_business_at", sa.BigInteger(), nullable=True),
        sa.Column("user_duration", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("account_key")),
    )
    op.create_table(
        "choice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("act IN ('allow', 'decline', 'defer', 'withdraw')", name=op.f("choice_act")),
        sa.PrimaryKeyConstraint("id", name=op.f("choice_key")),
    )
    op.create_index(op.f("choice_by_subject_at"), "choice", ["subject", "at"], unique=False)


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("last_turn_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("feedback_at", sa.BigInteger(), nullable=True),
        sa.Column("flagged_at", sa.BigInteger(), nullable=True),
        sa.Column("flag_reversed_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("conversation_key")),
        sa.UniqueConstraint("id", name=op.f("conversation_unique_id")),
    )
    op.create_index(op.f("conversation_by_last_turn_at"), "conversation", ["last_turn_at"], unique=False)
    op.create_index(
        op.f("conversation_by_subject_last_turn_at"), "conversation", ["subject", "last_turn_at"], unique=False
    )
    op.create_table(
        "retention_class",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("age", sa.SmallInteger(), nullable=True),
        sa.Column("signed_in", sa.Boolean(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("surface", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("retention_class_key")),
        sa.UniqueConstraint("facts", name=op.f("retention_class_unique_facts")),
    )
    op.create_table(
        "part",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("conversation", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("turn", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("retention_class", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("last_turn_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("account_closed_at", sa.BigInteger(), nullable=True),
        sa.Column("moved_to_business_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversation.key"], name=op.f("part_conversation_of_conversation")),
        sa.ForeignKeyConstraint(
            ["retention_class"], ["retention_class.id"], name=op.f("part_retention_class_of_retention_class")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("part_key")),
        sa.UniqueConstraint("conversation", "id", name=op.f("part_unique_conversation_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("part_by_account_closed_at"),
        "part",
        ["account_closed_at"],
        unique=False,
        sqlite_where=sa.text("account_closed_at IS NOT NULL"),
        postgresql_where=sa.text("account_closed_at IS NOT NULL"),
    )
    op.create_index(
        op.f("part_by_deleted_at"),
        "part",
        ["deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        op.f("part_by_moved_to_business_at"),
        "part",
        ["moved_to_business_at"],
        unique=False,
        sqlite_where=sa.text("moved_to_business_at IS NOT NULL"),
        postgresql_where=sa.text("moved_to_business_at IS NOT NULL"),
    )
    op.create_index(op.f("part_by_retention_class_created_at"), "part", ["retention_class", "created_at"], unique=False)
    op.create_index(
        op.f("part_by_retention_class_last_turn_at"), "part", ["retention_class", "last_turn_at"], unique=False
    )
    op.create_index(
        op.f("part_by_retention_class_recorded_at"), "part", ["retention_class", "recorded_at"], unique=False
    )
    op.create_table(
        "content",
        sa.Column("part", KEY, autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["part"], ["part.key"], name=op.f("content_part_of_part")),
        sa.PrimaryKeyConstraint("part", name=op.f("content_key")),
    )


def _findings() -> None:
    op.create_table(
        "flag",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("flagged_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reversed_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversation.key"], name=op.f("flag_conversation_of_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("flag_key")),
    )
    op.create_index(op.f("flag_by_at"), "flag", ["at"], unique=False)
    op.create_index(op.f("flag_by_conversation"), "flag", ["conversation"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("review_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(scope = 'everyone') = (target IS NULL)", name=op.f("hold_target")),
        sa.CheckConstraint("scope IN ('person', 'conversation', 'everyone')", name=op.f("hold_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("hold_key")),
    )
    op.create_index(op.f("hold_by_scope_target"), "hold", ["scope", "target"], unique=False)


def _erasure() -> None:
    op.create_table(
        "policy",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("policy_key")),
    )
    op.create_table(
        "plan",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("plan_key")),
    )
    op.create_index(op.f("plan_by_created_at"), "plan", ["created_at"], unique=False)
    op.create_table(
        "plan_item",
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("part", KEY, nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["plan.digest"], name=op.f("plan_item_plan_of_plan")),
        sa.PrimaryKeyConstraint("plan", "part", name=op.f("plan_item_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sweep",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("erased", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("kept", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("after", KEY, server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["plan.digest"], name=op.f("sweep_plan_of_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("sweep_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("sweep_by_plan"), "sweep", ["plan"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("sweep", KEY, nullable=False),
        sa.ForeignKeyConstraint(["sweep"], ["sweep.id"], name=op.f("tombstone_sweep_of_sweep")),
        sa.PrimaryKeyConstraint("id", name=op.f("tombstone_key")),
        sa.UniqueConstraint("conversation", "part", name=op.f("tombstone_unique_conversation_part")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("tombstone_by_subject"), "tombstone", ["subject"], unique=False)
    op.create_index(op.f("tombstone_by_sweep"), "tombstone", ["sweep"], unique=False)


def _selections() -> None:
    op.create_table(
        "cut",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("cut_key")),
        sa.UniqueConstraint("name", "number", name=op.f("cut_unique_name_number")),
    )
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
    op.create_table(
        "import_run",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("imported", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("malformed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("import_run_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_note",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("kind IN ('skipped', 'malformed')", name=op.f("import_note_kind")),
        sa.ForeignKeyConstraint(["run"], ["import_run.id"], name=op.f("import_note_run_of_import_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("import_note_key")),
    )
    op.create_index(op.f("import_note_by_run"), "import_note", ["run"], unique=False)
