"""Rights requests, directory entries, events and deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "rights_agent",
    "rights_request",
    "directory_entry",
    "directory_handle",
    "endpoint",
    "outgoing",
    "delivery",
    "telling",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rights_agent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("rights_agent_key")),
    )
    op.create_index(op.f("rights_agent_by_token"), "rights_agent", ["token"], unique=False)
    op.create_table(
        "rights_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("agent_request", sa.Text(), nullable=True),
        sa.Column("exercise", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("callback", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("expected_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("call_at", sa.BigInteger(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["rights_agent.id"], name=op.f("rights_request_agent_of_rights_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("rights_request_key")),
    )
    op.create_index(op.f("rights_request_by_call_at"), "rights_request", ["call_at"], unique=False)
    op.create_index(op.f("rights_request_by_agent"), "rights_request", ["agent"], unique=False)
    op.create_index(
        op.f("rights_request_by_status_expected_by"), "rights_request", ["status", "expected_by"], unique=False
    )
    op.create_table(
        "directory_entry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("directory_entry_key")),
        sa.UniqueConstraint("name_key", name=op.f("directory_entry_unique_name_key")),
    )
    op.create_index(op.f("directory_entry_by_subject"), "directory_entry", ["subject"], unique=False)
    op.create_index(op.f("directory_entry_by_created_at_id"), "directory_entry", ["created_at", "id"], unique=False)
    op.create_table(
        "directory_handle",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["directory_entry.id"], name=op.f("directory_handle_entry_of_directory_entry")
        ),
        sa.PrimaryKeyConstraint("entry", "handle", name=op.f("directory_handle_key")),
    )
    op.create_index(op.f("directory_handle_by_handle"), "directory_handle", ["handle"], unique=False)
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("endpoint_key")),
    )
    op.create_table(
        "outgoing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outgoing_key")),
    )
    op.create_index(op.f("outgoing_by_at"), "outgoing", ["at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.id"], name=op.f("delivery_endpoint_of_endpoint")),
        sa.ForeignKeyConstraint(["event"], ["outgoing.id"], name=op.f("delivery_event_of_outgoing")),
        sa.PrimaryKeyConstraint("endpoint", "event", name=op.f("delivery_key")),
    )
    op.create_index(op.f("delivery_by_next_at"), "delivery", ["next_at"], unique=False)
    op.create_table(
        "telling",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("telling_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("telling_key")),
    )


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
