"""Erasures: intents, derived stores, obligations, tombstones."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from assent.store.schema.refusals import refusal_statement

if TYPE_CHECKING:
    from sqlalchemy import Row

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 5_000
CHILDREN = (("part", "conversation", "conversation"), ("sealed", "part", "part"), ("content", "part", "part"))
"""Rows that go with those they name; PostgreSQL no longer looks for them at each row that is erased."""

TABLES = ("erasure", "ground", "tombstone", "derived_store", "obligation")

REFUSALS = (
    (
        "erasure_never_changes",
        "UPDATE OF id, kind, sweep, at, previous, root, slots_digest, chain, parts",
        "erasure",
        "erasures are chained",
    ),
    ("erasure_never_goes", "DELETE", "erasure", "erasures are chained"),
    ("ground_never_changes", "UPDATE", "ground", "tombstones name it"),
    ("ground_never_goes", "DELETE", "ground", "tombstones name it"),
    (
        "tombstone_never_changes",
        "UPDATE OF home, erase_by, erasure, number, ground, conversation, part",
        "tombstone",
        "a tombstone can lose its subject and nothing else",
    ),
    ("tombstone_never_goes", "DELETE", "tombstone", "erased stays erased"),
    ("leaf_keeps_its_erasure", "UPDATE OF erasure", "leaf", "a leaf loses its salt only"),
)
CONDITIONAL = (
    ("erasure_slots_go", "UPDATE OF slots", "slots can only go", "NEW.slots IS NOT NULL"),
    ("erasure_salt_goes", "UPDATE OF salt", "a salt can only go", "NEW.salt IS NOT NULL"),
    (
        "erasure_ends_once",
        "UPDATE OF finished_at, receipt",
        "a receipt never changes",
        "OLD.finished_at IS NOT NULL",
    ),
)
BEFORE = (
    (
        "tombstone_never_changes",
        "UPDATE OF id, part, conversation, erased_at, erase_by, rule, policy, sweep",
        "tombstone",
        "a tombstone can lose its subject and nothing else",
    ),
    ("tombstone_never_goes", "DELETE", "tombstone", "erased stays erased"),
)
"""The triggers of the table that stood here before."""


def upgrade() -> None:
    """Make the tables; what was erased before becomes one finished erasure for each batch of a sweep."""
    op.execute("CREATE TABLE tombstone_before AS SELECT * FROM tombstone")
    op.drop_table("tombstone")
    _intents()
    _tombstones()
    _copies()
    op.add_column("leaf", sa.Column("erasure", sa.Integer(), nullable=True))
    about = sa.text("erasure IS NOT NULL")
    name = op.f("leaf_by_erasure")
    op.create_index(name, "leaf", ["erasure"], unique=True, sqlite_where=about, postgresql_where=about)
    _bring_along()
    op.drop_table("tombstone_before")
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        for child, column, parent in CHILDREN:
            op.drop_constraint(op.f(f"{child}_{column}_of_{parent}"), child, type_="foreignkey")
    for refusal in REFUSALS:
        op.execute(refusal_statement(dialect, *refusal))
    for trigger, when, message, only in CONDITIONAL:
        op.execute(refusal_statement(dialect, trigger, when, "erasure", message, only=only))


def downgrade() -> None:
    """Take them away; tombstones of sweeps stay, receipts lose what they are about."""
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        for child, column, parent in CHILDREN:
            op.create_foreign_key(op.f(f"{child}_{column}_of_{parent}"), child, parent, [column], ["key"])
    of_table = " ON leaf" if dialect == "postgresql" else ""
    op.execute(f"DROP TRIGGER leaf_keeps_its_erasure{of_table}")
    op.drop_index(op.f("leaf_by_erasure"), table_name="leaf")
    op.drop_column("leaf", "erasure")
    op.execute(
        "CREATE TABLE tombstone_after AS SELECT t.part, t.conversation, t.subject, e.at, t.erase_by, g.rule, g.policy,"
        " e.sweep, t.erasure, t.number FROM tombstone AS t"
        " JOIN erasure AS e ON e.id = t.erasure JOIN ground AS g ON g.id = t.ground WHERE e.sweep IS NOT NULL"
    )
    for table in reversed(TABLES):
        op.drop_table(table)
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
    op.execute(
        "INSERT INTO tombstone (part, conversation, subject, erased_at, erase_by, rule, policy, sweep)"
        " SELECT part, conversation, subject, at, erase_by, rule, policy, sweep FROM tombstone_after"
        " ORDER BY erasure, number"
    )
    op.drop_table("tombstone_after")
    for refusal in BEFORE:
        op.execute(refusal_statement(dialect, *refusal))


def _intents() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sweep", KEY, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("previous", "root", "slots_digest", "chain")),
        sa.Column("parts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("slots", sa.LargeBinary(), nullable=True),
        sa.Column("keys_destroyed_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('swept', 'replaced', 'before')", name=op.f("erasure_kind")),
        sa.CheckConstraint("finished_at IS NULL OR keys_destroyed_at IS NOT NULL", name=op.f("erasure_keys_first")),
        sa.ForeignKeyConstraint(["sweep"], ["sweep.id"], name=op.f("erasure_sweep_of_sweep")),
        sa.PrimaryKeyConstraint("id", name=op.f("erasure_key")),
    )
    op.create_index(op.f("erasure_by_finished_at"), "erasure", ["finished_at"], unique=False)
    op.create_table(
        "ground",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("ground_key")),
        sa.UniqueConstraint("rule", "policy", name=op.f("ground_unique_rule_policy")),
    )


def _tombstones() -> None:
    op.create_table(
        "tombstone",
        sa.Column("home", sa.BigInteger(), nullable=False),
        sa.Column("erase_by", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("erasure", "number", "ground")),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("home", "erasure", "number", name=op.f("tombstone_key")),
    )
    summary: dict[str, Any] = {"postgresql_using": "brin", "postgresql_with": {"pages_per_range": 16}}
    op.create_index(op.f("tombstone_by_erasure"), "tombstone", ["erasure"], unique=False, **summary)
    op.create_index(
        op.f("tombstone_by_subject"),
        "tombstone",
        ["subject"],
        unique=False,
        postgresql_ops={"subject": "text_bloom_ops(n_distinct_per_range=2000)"},
        **summary,
    )


def _copies() -> None:
    op.create_table(
        "derived_store",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("derived_store_key")),
    )
    op.create_table(
        "obligation",
        sa.Column("erasure", sa.Integer(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('present', 'removed', 'pending maintenance', 'not reachable')", name=op.f("obligation_state")
        ),
        sa.ForeignKeyConstraint(["erasure"], ["erasure.id"], name=op.f("obligation_erasure_of_erasure")),
        sa.ForeignKeyConstraint(["store"], ["derived_store.name"], name=op.f("obligation_store_of_derived_store")),
        sa.PrimaryKeyConstraint("erasure", "store", name=op.f("obligation_key")),
    )
    owed = sa.text("state <> 'removed'")
    name = op.f("obligation_by_erasure")
    op.create_index(name, "obligation", ["erasure"], unique=False, sqlite_where=owed, postgresql_where=owed)


def _bring_along() -> None:
    """Write what was erased before: an erasure for each instant of each sweep, its hashes empty."""
    written = sa.text(
        "INSERT INTO erasure (id, kind, sweep, at, previous, root, slots_digest, chain, parts,"
        " keys_destroyed_at, finished_at) SELECT row_number() OVER (ORDER BY min(id)), 'before', sweep, erased_at,"
        " :none, :none, :none, :none, count(*), erased_at, erased_at FROM tombstone_before GROUP BY sweep, erased_at"
    )
    op.execute(written.bindparams(sa.bindparam("none", b"", sa.LargeBinary)))
    op.execute(
        "INSERT INTO ground (id, rule, policy) SELECT row_number() OVER (ORDER BY rule, policy), rule, policy"
        " FROM tombstone_before GROUP BY rule, policy"
    )
    read = sa.text(
        "SELECT t.id, t.erase_by, e.id AS erasure,"
        " row_number() OVER (PARTITION BY e.id ORDER BY t.id) - 1 AS number, g.id AS ground,"
        " t.conversation, t.part, t.subject FROM tombstone_before AS t"
        " JOIN erasure AS e ON e.sweep = t.sweep AND e.at = t.erased_at"
        " JOIN ground AS g ON g.rule = t.rule AND g.policy = t.policy ORDER BY t.id"
    )
    write = sa.text(
        "INSERT INTO tombstone (home, erase_by, erasure, number, ground, conversation, part, subject)"
        " VALUES (:home, :erase_by, :erasure, :number, :ground, :conversation, :part, :subject)"
    )
    connection = op.get_bind()
    with connection.execute(read, execution_options={"yield_per": AT_ONCE}) as rows:
        for stretch in rows.partitions():
            connection.execute(write, [_row(row) for row in stretch])


def _row(row: Row[tuple[object, ...]]) -> dict[str, object]:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's names
    home = sha256(str(values["conversation"]).encode()).digest()[:8]
    return {**values, "home": int.from_bytes(home, "big", signed=True)}
