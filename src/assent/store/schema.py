"""The tables of a store, as SQLAlchemy Core metadata; `migrations/` makes the same ones, and a test compares them.

Facts are stored, deadlines are not: no column holds a date on which something is due. A
part carries its retention class (categorical facts, interned) and copies of the clocks
that nominate it; the truth that decides stands in `conversation` and `account`.
Instants are integers: microseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)

from assent.domain.instants import from_micros, to_micros

if TYPE_CHECKING:
    from datetime import datetime

NAMES: Final = {
    "ix": "%(table_name)s_by_%(column_0_N_name)s",
    "uq": "%(table_name)s_unique_%(column_0_N_name)s",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_of_%(referred_table_name)s",
    "pk": "%(table_name)s_key",
}
"""Every constraint and index has a name, so that a later migration can name it too."""

METADATA: Final = MetaData(naming_convention=NAMES)


class Instant(TypeDecorator["datetime"]):
    """An instant as microseconds since 1970, compared and indexed as a number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


# SQLite gives numbers of its own only to a column of type INTEGER.
KEY: Final = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str = "id") -> Column[int]:
    return Column(name, KEY, primary_key=True, autoincrement=True)


def _text(name: str, *, required: bool = True) -> Column[str]:
    return Column(name, Text, nullable=not required)


def _instant(name: str, *, required: bool = False) -> Column[datetime]:
    return Column(name, Instant, nullable=not required)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


account: Final = Table(
    "account",
    METADATA,
    Column("subject", Text, primary_key=True),
    _text("plan", required=False),
    _text("region", required=False),
    Column("age", SmallInteger),
    Column("signed_in", Boolean),
    _text("role", required=False),
    _instant("acknowledged_at"),
    _instant("closed_at"),
    _instant("moved_to_business_at"),
    _text("user_duration", required=False),
)

conversation: Final = Table(
    "conversation",
    METADATA,
    _key("key"),
    _text("id"),
    _text("subject", required=False),
    _text("source"),
    _text("title"),
    _text("project"),
    _text("surface"),
    _text("mode"),
    _text("plan", required=False),
    _instant("created_at"),
    _instant("last_turn_at"),
    _instant("deleted_at"),
    _instant("feedback_at"),
    # what the flags of the conversation come to; written with the flags, in the same transaction
    _instant("flagged_at"),
    _instant("flag_reversed_at"),
    _instant("reviewed_at"),
    _instant("recorded_at", required=True),
    _instant("imported_at", required=True),
    # digest of the source's conversation; NULL once a part of it was erased
    _text("digest", required=False),
    UniqueConstraint("id"),
    Index(None, "subject", "last_turn_at"),
    Index(None, "last_turn_at"),
)

retention_class: Final = Table(
    "retention_class",
    METADATA,
    _key(),
    _text("facts"),
    _text("plan", required=False),
    _text("region", required=False),
    Column("age", SmallInteger),
    Column("signed_in", Boolean),
    _text("role", required=False),
    _text("surface", required=False),
    _text("mode", required=False),
    _text("data", required=False),
    _text("origin", required=False),
    # canonical text of the columns behind it: NULLs are equal there, as they are not in a UNIQUE of columns
    UniqueConstraint("facts"),
)

part: Final = Table(
    "part",
    METADATA,
    _key("key"),
    Column("conversation", KEY, ForeignKey("conversation.key"), nullable=False),
    _text("id"),
    _text("turn"),
    Column("ordinal", Integer, nullable=False),
    _text("speaker"),
    _text("marks"),
    _text("name"),
    Column("retention_class", KEY, ForeignKey("retention_class.id"), nullable=False),
    _instant("created_at"),
    _instant("recorded_at", required=True),
    _instant("last_turn_at"),
    _instant("deleted_at"),
    _instant("account_closed_at"),
    _instant("moved_to_business_at"),
    UniqueConstraint("conversation", "id"),
    Index(None, "retention_class", "last_turn_at"),
    Index(None, "retention_class", "created_at"),
    Index(None, "retention_class", "recorded_at"),
    *(
        Index(
            None,
            name,
            sqlite_where=text(f"{name} IS NOT NULL"),
            postgresql_where=text(f"{name} IS NOT NULL"),
        )
        for name in ("deleted_at", "account_closed_at", "moved_to_business_at")
    ),
    # keys stand in plans: they are never given twice
    sqlite_autoincrement=True,
)

content: Final = Table(
    "content",
    METADATA,
    Column("part", KEY, ForeignKey("part.key"), primary_key=True, autoincrement=False),
    _text("body"),
)

choice: Final = Table(
    "choice",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("subject"),
    _text("purpose"),
    _text("act"),
    _instant("at", required=True),
    _text("notice"),
    _text("surface"),
    _text("recorded_by"),
    _instant("recorded_at", required=True),
    CheckConstraint("act IN ('allow', 'decline', 'defer', 'withdraw')", name="act"),
    Index(None, "subject", "at"),
)

flag: Final = Table(
    "flag",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("conversation", KEY, ForeignKey("conversation.key"), nullable=False),
    _instant("at", required=True),
    _text("category"),
    _text("flagged_by"),
    _text("reason"),
    _instant("reversed_at"),
    _instant("reviewed_at"),
    Index(None, "conversation"),
    Index(None, "at"),
)

hold: Final = Table(
    "hold",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("matter"),
    _text("scope"),
    _text("target", required=False),
    _instant("start", required=True),
    _text("author"),
    _text("reason"),
    _instant("review_at", required=True),
    _instant("released_at"),
    _text("released_by", required=False),
    CheckConstraint("scope IN ('person', 'conversation', 'everyone')", name="scope"),
    CheckConstraint("(scope = 'everyone') = (target IS NULL)", name="target"),
    Index(None, "scope", "target"),
)

policy: Final = Table(
    "policy",
    METADATA,
    Column("digest", Text, primary_key=True),
    _text("name"),
    _text("text"),
    _instant("added_at", required=True),
)

plan: Final = Table(
    "plan",
    METADATA,
    Column("digest", Text, primary_key=True),
    # JSON: digests of policies, oldest first; and numbers by label
    _text("policies"),
    _text("counts"),
    _instant("at", required=True),
    _instant("created_at", required=True),
    Index(None, "created_at"),
)

plan_item: Final = Table(
    "plan_item",
    METADATA,
    Column("plan", Text, ForeignKey("plan.digest"), nullable=False),
    # no foreign key: the item outlives the part that it names
    Column("part", KEY, nullable=False),
    _instant("erase_by", required=True),
    _text("rule"),
    _text("decision", required=False),
    PrimaryKeyConstraint("plan", "part"),
    sqlite_with_rowid=False,
)

sweep: Final = Table(
    "sweep",
    METADATA,
    _key(),
    Column("plan", Text, ForeignKey("plan.digest"), nullable=False),
    _instant("started_at", required=True),
    _instant("finished_at"),
    _number("erased"),
    _number("kept"),
    Column("after", KEY, nullable=False, server_default=text("0")),
    Index(None, "plan"),
    sqlite_autoincrement=True,
)

tombstone: Final = Table(
    "tombstone",
    METADATA,
    _key(),
    _text("part"),
    _text("conversation"),
    _text("subject", required=False),
    _instant("erased_at", required=True),
    _instant("erase_by", required=True),
    _text("rule"),
    _text("policy"),
    Column("sweep", KEY, ForeignKey("sweep.id"), nullable=False),
    UniqueConstraint("conversation", "part"),
    Index(None, "subject"),
    Index(None, "sweep"),
    sqlite_autoincrement=True,
)

cut: Final = Table(
    "cut",
    METADATA,
    _key(),
    _text("name"),
    Column("number", Integer, nullable=False),
    _text("manifest"),
    _instant("created_at", required=True),
    _text("directory"),
    UniqueConstraint("name", "number"),
)

cut_row: Final = Table(
    "cut_row",
    METADATA,
    Column("cut", KEY, ForeignKey("cut.id"), nullable=False),
    _text("conversation"),
    _text("part"),
    _text("subject", required=False),
    PrimaryKeyConstraint("cut", "conversation", "part"),
    Index(None, "conversation"),
    Index(None, "subject"),
    sqlite_with_rowid=False,
)

import_run: Final = Table(
    "import_run",
    METADATA,
    _key(),
    _text("format"),
    _text("path"),
    _instant("started_at", required=True),
    _instant("finished_at"),
    _number("imported"),
    _number("skipped"),
    _number("malformed"),
    sqlite_autoincrement=True,
)

import_note: Final = Table(
    "import_note",
    METADATA,
    _key(),
    Column("run", KEY, ForeignKey("import_run.id"), nullable=False),
    _text("place"),
    _text("kind"),
    _text("reason"),
    _number("count"),
    CheckConstraint("kind IN ('skipped', 'malformed')", name="kind"),
    Index(None, "run"),
)


def _refusal(name: str, when: str, table: str, message: str) -> DDL:
    statement = f"CREATE TRIGGER {name} BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
    return DDL(statement).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]


TRIGGERS: Final = (
    (choice, _refusal("choice_never_changes", "UPDATE", "choice", "choices are append-only")),
    (choice, _refusal("choice_never_goes", "DELETE", "choice", "choices are append-only")),
    (
        tombstone,
        _refusal(
            "tombstone_never_changes",
            "UPDATE OF id, part, conversation, erased_at, erase_by, rule, policy, sweep",
            "tombstone",
            "a tombstone can lose its subject and nothing else",
        ),
    ),
    (tombstone, _refusal("tombstone_never_goes", "DELETE", "tombstone", "erased stays erased")),
)
"""What the database itself refuses, whoever asks."""

for _table, _trigger in TRIGGERS:
    event.listen(_table, "after_create", _trigger)
