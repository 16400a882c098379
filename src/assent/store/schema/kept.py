"""The tables of conversations, accounts, safety, deciding and erasing."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from assent.store.schema.base import (
    KEY,
    METADATA,
    added_text,
    child_of,
    instant_column,
    key_column,
    number_column,
    text_column,
)

account: Final = Table(
    "account",
    METADATA,
    Column("subject", Text, primary_key=True),
    text_column("plan", required=False),
    text_column("region", required=False),
    Column("age", SmallInteger),
    Column("signed_in", Boolean),
    text_column("role", required=False),
    instant_column("acknowledged_at"),
    instant_column("closed_at"),
    instant_column("moved_to_business_at"),
    text_column("user_duration", required=False),
    instant_column("opened_at"),
    text_column("organisation", required=False),
    Index(None, "organisation"),
)

conversation: Final = Table(
    "conversation",
    METADATA,
    key_column("key"),
    text_column("id"),
    text_column("subject", required=False),
    text_column("source"),
    # empty: titles are sealed; only a database from before the vault holds some, until they are moved
    text_column("title"),
    text_column("project"),
    text_column("surface"),
    text_column("mode"),
    text_column("plan", required=False),
    instant_column("created_at"),
    instant_column("last_turn_at"),
    instant_column("deleted_at"),
    instant_column("feedback_at"),
    # what the flags of the conversation come to; written with the flags, in the same transaction
    instant_column("flagged_at"),
    instant_column("flag_reversed_at"),
    instant_column("reviewed_at"),
    instant_column("recorded_at", required=True),
    instant_column("imported_at", required=True),
    # digest of the source's conversation; NULL once a part of it was erased
    text_column("digest", required=False),
    # the title, sealed under the key in slot `heading_slot`; both NULL where there is none
    Column("heading", LargeBinary),
    Column("heading_slot", KEY),
    UniqueConstraint("id"),
    Index(None, "subject", "last_turn_at"),
    Index(None, "last_turn_at"),
    # few among many: a person looks at these apart. No index holds the name of a project, which may be of any length
    *(
        Index(
            f"conversation_by_subject_{name}",
            "subject",
            "last_turn_at",
            sqlite_where=text(condition),
            postgresql_where=text(condition),
        )
        for name, condition in (
            ("deleted", "deleted_at IS NOT NULL"),
            ("flagged", "flagged_at IS NOT NULL"),
            ("in_project", "project != ''"),
        )
    ),
)

retention_class: Final = Table(
    "retention_class",
    METADATA,
    key_column(),
    text_column("facts"),
    text_column("plan", required=False),
    text_column("region", required=False),
    Column("age", SmallInteger),
    Column("signed_in", Boolean),
    text_column("role", required=False),
    text_column("surface", required=False),
    text_column("mode", required=False),
    text_column("data", required=False),
    text_column("origin", required=False),
    # what the people of its parts permit for good (JSON), which class the parts come from and go back to, and the
    # newest allowance that this rests on; nothing of it for a class into which parts come
    added_text("permits"),
    Column("base", KEY),
    instant_column("since"),
    # canonical text of the columns but the last two: NULLs are equal there, as they are not in a UNIQUE of columns
    UniqueConstraint("facts"),
)

part: Final = Table(
    "part",
    METADATA,
    key_column("key"),
    Column("conversation", KEY, nullable=False),
    text_column("id"),
    text_column("turn"),
    Column("ordinal", Integer, nullable=False),
    text_column("speaker"),
    text_column("marks"),
    text_column("name"),
    Column("retention_class", KEY, ForeignKey("retention_class.id"), nullable=False),
    instant_column("created_at"),
    instant_column("recorded_at", required=True),
    instant_column("last_turn_at"),
    instant_column("deleted_at"),
    instant_column("account_closed_at"),
    instant_column("moved_to_business_at"),
    child_of("conversation", "conversation.key"),
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

sealed: Final = Table(
    "sealed",
    METADATA,
    # numbers of headings come from here too (`conversation.heading_slot`); they have no row
    key_column("slot"),
    Column("part", KEY, nullable=False),
    text_column("segment"),
    Column("position", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    child_of("part", "part.key"),
    UniqueConstraint("part"),
    Index(None, "segment"),
    # a key that was destroyed is never looked for under the number of another
    sqlite_autoincrement=True,
)

# what a database from before the vault holds until it is moved; nothing writes it any more
content: Final = Table(
    "content",
    METADATA,
    Column("part", KEY, primary_key=True, autoincrement=False),
    text_column("body"),
    child_of("part", "part.key"),
)

policy: Final = Table(
    "policy",
    METADATA,
    Column("digest", Text, primary_key=True),
    text_column("name"),
    text_column("text"),
    instant_column("added_at", required=True),
)

plan: Final = Table(
    "plan",
    METADATA,
    Column("digest", Text, primary_key=True),
    # JSON: digests of policies, oldest first; and numbers by label
    text_column("policies"),
    text_column("counts"),
    instant_column("at", required=True),
    instant_column("created_at", required=True),
    Index(None, "created_at"),
)

plan_item: Final = Table(
    "plan_item",
    METADATA,
    Column("plan", Text, ForeignKey("plan.digest"), nullable=False),
    # no foreign key: the item outlives the part that it names
    Column("part", KEY, nullable=False),
    instant_column("erase_by", required=True),
    text_column("rule"),
    text_column("decision", required=False),
    PrimaryKeyConstraint("plan", "part"),
    sqlite_with_rowid=False,
)

sweep: Final = Table(
    "sweep",
    METADATA,
    key_column(),
    Column("plan", Text, ForeignKey("plan.digest"), nullable=False),
    instant_column("started_at", required=True),
    instant_column("finished_at"),
    number_column("erased"),
    number_column("kept"),
    Column("after", KEY, nullable=False, server_default=text("0")),
    Index(None, "plan"),
    sqlite_autoincrement=True,
)

import_run: Final = Table(
    "import_run",
    METADATA,
    key_column(),
    text_column("format"),
    text_column("path"),
    instant_column("started_at", required=True),
    instant_column("finished_at"),
    number_column("imported"),
    number_column("skipped"),
    number_column("malformed"),
    sqlite_autoincrement=True,
)

import_note: Final = Table(
    "import_note",
    METADATA,
    key_column(),
    Column("run", KEY, ForeignKey("import_run.id"), nullable=False),
    text_column("place"),
    text_column("kind"),
    text_column("reason"),
    number_column("count"),
    CheckConstraint("kind IN ('skipped', 'malformed')", name="kind"),
    Index(None, "run"),
)
