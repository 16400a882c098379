"""Holds of five scopes, matters, approvals, findings that outlive their content, reasons of access.

Tables whose conditions change are made anew: SQLite can change no condition of a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# SQLite gives numbers of its own only to a column of type INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

HOLD = "id, matter, scope, target, start, author, reason, review_at, released_at, released_by"
FINDING = "at, category, flagged_by, reason, reversed_at, reviewed_at"

FINDING_BEFORE = ", ".join(f"flag_before.{name}" for name in FINDING.split(", "))

REFUSALS = (
    (
        "hold_never_changes",
        "UPDATE OF id, matter, scope, target, start, author, reason",
        "hold",
        "a hold is released, never changed",
    ),
    ("hold_never_goes", "DELETE", "hold", "a hold is released, never deleted"),
    ("hold_reach_never_goes", "DELETE", "hold_reach", "what a hold reached stays reached"),
    (
        "approval_never_changes",
        "UPDATE OF id, act, target, asked_by, reason, asked_at, valid_until",
        "approval",
        "a request is approved or not, never changed",
    ),
    ("approval_never_goes", "DELETE", "approval", "requests and approvals stay"),
    ("access_never_changes", "UPDATE", "access", "what was read was read"),
    ("access_never_goes", "DELETE", "access", "what was read was read"),
)
"""Triggers: name, when, table, and what the database answers."""


def upgrade() -> None:
    """Make the tables, and bring holds and flags along."""
    op.add_column("account", sa.Column("organisation", sa.Text(), nullable=True))
    op.create_index(op.f("account_by_organisation"), "account", ["organisation"], unique=False)
    _matters()
    _laid_aside("hold")
    _hold("'person', 'conversation', 'query', 'organisation', 'everyone'", widened=True)
    op.execute(f"INSERT INTO hold ({HOLD}) SELECT {HOLD} FROM hold_before")  # noqa: S608 - names of ours
    op.drop_table("hold_before")
    _reach()
    _laid_aside("flag")
    _findings()
    op.execute(
        f"INSERT INTO finding (id, conversation, subject, {FINDING}) "  # noqa: S608 - names of ours
        f"SELECT flag_before.id, conversation.id, conversation.subject, {FINDING_BEFORE} "
        "FROM flag_before JOIN conversation ON conversation.key = flag_before.conversation"
    )
    op.execute("INSERT INTO flag (id, conversation) SELECT id, conversation FROM flag_before")
    op.drop_table("flag_before")
    _approvals()
    _accesses()
    dialect = op.get_bind().dialect.name
    for refusal in REFUSALS:
        op.execute(refusal_statement(dialect, *refusal))


def downgrade() -> None:
    """Take them away. Findings whose content is gone go with them; a hold of a new scope stands in the way."""
    op.drop_table("access")
    op.drop_table("approval")
    op.execute(
        f"CREATE TABLE flag_before AS SELECT flag.id, flag.conversation, {FINDING} "  # noqa: S608 - names of ours
        "FROM flag JOIN finding ON finding.id = flag.id"
    )
    op.drop_table("flag")
    op.drop_table("finding")
    _flag_before()
    op.execute(f"INSERT INTO flag (id, conversation, {FINDING}) SELECT id, conversation, {FINDING} FROM flag_before")  # noqa: S608
    op.drop_table("flag_before")
    op.drop_table("hold_reach")
    _laid_aside("hold")
    _hold("'person', 'conversation', 'everyone'", widened=False)
    op.execute(f"INSERT INTO hold ({HOLD}) SELECT {HOLD} FROM hold_before")  # noqa: S608 - names of ours
    op.drop_table("hold_before")
    op.drop_table("matter")
    op.drop_index(op.f("account_by_organisation"), table_name="account")
    op.drop_column("account", "organisation")


def _laid_aside(table: str) -> None:
    op.execute(f"CREATE TABLE {table}_before AS SELECT * FROM {table}")  # noqa: S608 - names of ours
    op.drop_table(table)


def _matters() -> None:
    op.create_table(
        "matter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("matter_key")),
    )
    op.execute(
        "INSERT INTO matter (id, opened_by, opened_at) SELECT matter, min(author), min(start) FROM hold GROUP BY matter"
    )


def _hold(scopes: str, *, widened: bool) -> None:
    gag: sa.Column[bool] = sa.Column("gag", sa.Boolean(), server_default=sa.false(), nullable=False)
    of_matter = sa.ForeignKeyConstraint(["matter"], ["matter.id"], name=op.f("hold_matter_of_matter"))
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
        *([gag, of_matter] if widened else []),
        sa.CheckConstraint(f"scope IN ({scopes})", name=op.f("hold_scope")),
        sa.CheckConstraint("(scope = 'everyone') = (target IS NULL)", name=op.f("hold_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("hold_key")),
    )
    op.create_index(op.f("hold_by_scope_target"), "hold", ["scope", "target"], unique=False)
    if widened:
        op.create_index(op.f("hold_by_matter"), "hold", ["matter"], unique=False)


def _reach() -> None:
    op.create_table(
        "hold_reach",
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.CheckConstraint("scope IN ('person', 'conversation')", name=op.f("hold_reach_scope")),
        sa.ForeignKeyConstraint(["hold"], ["hold.id"], name=op.f("hold_reach_hold_of_hold")),
        sa.PrimaryKeyConstraint("hold", "scope", "target", name=op.f("hold_reach_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("hold_reach_by_scope_target"), "hold_reach", ["scope", "target"], unique=False)


def _findings() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("flagged_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reversed_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("finding_key")),
    )
    for name in ("conversation", "subject", "at"):
        op.create_index(op.f(f"finding_by_{name}"), "finding", [name], unique=False)
    op.create_table(
        "flag",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", KEY, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversation.key"], name=op.f("flag_conversation_of_conversation")),
        sa.ForeignKeyConstraint(["id"], ["finding.id"], name=op.f("flag_id_of_finding")),
        sa.PrimaryKeyConstraint("id", name=op.f("flag_key")),
    )
    op.create_index(op.f("flag_by_conversation"), "flag", ["conversation"], unique=False)
    if op.get_bind().dialect.name == "postgresql":  # it would look for flags at every conversation that is erased
        op.drop_constraint(op.f("flag_conversation_of_conversation"), "flag", type_="foreignkey")


def _flag_before() -> None:
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


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("act IN ('release', 'undelete', 'exceed', 'loosen', 'clock')", name=op.f("approval_act")),
        sa.CheckConstraint("approved_by <> asked_by", name=op.f("approval_two_people")),
        sa.CheckConstraint("used_at IS NULL OR approved_at IS NOT NULL", name=op.f("approval_used")),
        sa.PrimaryKeyConstraint("id", name=op.f("approval_key")),
    )
    op.create_index(op.f("approval_by_act_target"), "approval", ["act", "target"], unique=False)
    op.create_index(op.f("approval_by_asked_at"), "approval", ["asked_at"], unique=False)


def _accesses() -> None:
    op.create_table(
        "access",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("access_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("access_by_conversation"), "access", ["conversation"], unique=False)
