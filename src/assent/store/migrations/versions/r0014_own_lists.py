"""What a person looks at apart: the deleted, the flagged and those of projects, and their own requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FEW = (
    ("conversation_by_subject_deleted", "deleted_at IS NOT NULL"),
    ("conversation_by_subject_flagged", "flagged_at IS NOT NULL"),
    ("conversation_by_subject_in_project", "project != ''"),
)


def upgrade() -> None:
    """Make the indexes."""
    for name, condition in FEW:
        where = sa.text(condition)
        op.create_index(name, "conversation", ["subject", "last_turn_at"], sqlite_where=where, postgresql_where=where)
    op.create_index("rights_request_by_subject", "rights_request", ["subject"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("rights_request_by_subject", "rights_request")
    for name, _ in FEW:
        op.drop_index(name, "conversation")
