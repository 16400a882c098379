"""What people look at and what they decided; promoting a detector takes two people.

Approvals are made anew: SQLite can change no condition of a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BAND = "band IN ('flag', 'uncertain', 'clear')"
ACTS = "'release', 'undelete', 'exceed', 'loosen', 'clock'"
REFUSALS = (
    (
        "approval_never_changes",
        "UPDATE OF id, act, target, asked_by, reason, asked_at, valid_until",
        "approval",
        "a request is approved or not, never changed",
    ),
    ("approval_never_goes", "DELETE", "approval", "requests and approvals stay"),
)


def upgrade() -> None:
    """Make the tables, and queue the flags that nobody looked at yet."""
    _candidates()
    _reviews()
    op.execute(
        "INSERT INTO candidate (id, conversation, band, category, severity, detector, queued_at, score, drawn,"
        " settled_at) SELECT finding.id, flag.conversation, 'flag', finding.category, 2, finding.flagged_by,"
        " finding.at, finding.score, (1 = 0), coalesce(finding.reversed_at, finding.reviewed_at)"
        " FROM flag JOIN finding ON finding.id = flag.id"
    )
    _approvals(f"{ACTS}, 'promote'", "")


def downgrade() -> None:
    """Take them away: what was decided stays in the flags alone, and requests to promote are forgotten."""
    _approvals(ACTS, " WHERE act <> 'promote'")
    op.drop_table("flag_review")
    op.drop_table("candidate")


def _candidates() -> None:
    op.create_table(
        "candidate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", KEY, nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("candidate_key")),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversation.key"], name=op.f("candidate_conversation_of_conversation")
        ),
        sa.CheckConstraint(BAND, name=op.f("candidate_band")),
        sa.CheckConstraint("severity BETWEEN 1 AND 3", name=op.f("candidate_severity")),
    )
    op.create_index(op.f("candidate_by_conversation"), "candidate", ["conversation"], unique=False)
    op.create_index(op.f("candidate_by_settled_at_severity"), "candidate", ["settled_at", "severity"], unique=False)
    if op.get_bind().dialect.name == "postgresql":  # it would look for candidates at every conversation that is erased
        op.drop_constraint(op.f("candidate_conversation_of_conversation"), "candidate", type_="foreignkey")


def _reviews() -> None:
    texts = ("decision", "reason", "band", "category")
    op.create_table(
        "flag_review",
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("candidate", "stage", "reviewer", name=op.f("flag_review_key")),
        sa.CheckConstraint("stage IN ('review', 'appeal')", name=op.f("flag_review_stage")),
        sa.CheckConstraint("decision IN ('uphold', 'reverse')", name=op.f("flag_review_decision")),
        sa.CheckConstraint(BAND, name=op.f("flag_review_band")),
    )
    op.create_index(op.f("flag_review_by_at"), "flag_review", ["at"], unique=False)
    dialect = op.get_bind().dialect.name
    op.execute(
        refusal_statement(dialect, "flag_review_never_changes", "UPDATE", "flag_review", "what was decided was decided")
    )


def _approvals(acts: str, which: str) -> None:
    op.execute("CREATE TABLE approval_before AS SELECT * FROM approval")
    op.drop_table("approval")
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
        sa.CheckConstraint(f"act IN ({acts})", name=op.f("approval_act")),
        sa.CheckConstraint("approved_by <> asked_by", name=op.f("approval_two_people")),
        sa.CheckConstraint("used_at IS NULL OR approved_at IS NOT NULL", name=op.f("approval_used")),
        sa.PrimaryKeyConstraint("id", name=op.f("approval_key")),
    )
    op.create_index(op.f("approval_by_act_target"), "approval", ["act", "target"], unique=False)
    op.create_index(op.f("approval_by_asked_at"), "approval", ["asked_at"], unique=False)
    op.execute(f"INSERT INTO approval SELECT * FROM approval_before{which}")  # noqa: S608 - words of ours
    op.drop_table("approval_before")
    dialect = op.get_bind().dialect.name
    for refusal in REFUSALS:
        op.execute(refusal_statement(dialect, *refusal))
