"""The tables of what others ask and what others are told: rights requests, directory entries, events and deliveries."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from assent.store.schema.base import METADATA, instant_column, text_column

rights_agent: Final = Table(
    "rights_agent",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("name"),
    text_column("verifier"),  # base64 of the Ed25519 public key
    text_column("token", required=False),  # digest
    instant_column("asked_at"),  # `issued-at` of the message that the token was given for
    instant_column("added_at", required=True),
    Index(None, "token"),
)

rights_request: Final = Table(
    "rights_request",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("agent", Text, ForeignKey("rights_agent.id"), nullable=False),
    text_column("agent_request", required=False),
    text_column("exercise"),
    text_column("regime", required=False),
    text_column("subject", required=False),
    text_column("claims"),  # JSON: the identity claims, erased when the request ends
    text_column("status"),
    text_column("reason", required=False),
    text_column("details", required=False),
    text_column("callback", required=False),
    instant_column("received_at", required=True),
    instant_column("expected_by", required=True),
    instant_column("changed_at", required=True),
    instant_column("call_at"),  # when to tell the callback next; NULL when there is nothing to tell
    Column("calls", Integer, nullable=False),
    Index(None, "status", "expected_by"),
    Index(None, "agent"),
    Index(None, "subject"),
    Index(None, "call_at"),
)

directory_entry: Final = Table(
    "directory_entry",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("name"),
    text_column("name_key"),  # the name without regard to capitals
    text_column("subject"),
    text_column("document"),  # JSON: the SCIM resource as it was sent
    instant_column("created_at", required=True),
    instant_column("changed_at", required=True),
    UniqueConstraint("name_key"),
    Index(None, "subject"),
    Index(None, "created_at", "id"),
)

directory_handle: Final = Table(
    "directory_handle",
    METADATA,
    Column("entry", Text, ForeignKey("directory_entry.id"), nullable=False),
    text_column("handle"),
    PrimaryKeyConstraint("entry", "handle"),
    Index(None, "handle"),
)

endpoint: Final = Table(
    "endpoint",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("url"),
    text_column("types"),  # JSON list; empty means all
    text_column("secret"),  # name of the file that holds it
    instant_column("added_at", required=True),
    instant_column("disabled_at"),
)

outgoing: Final = Table(
    "outgoing",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("type"),
    text_column("about"),
    text_column("data"),  # JSON
    instant_column("at", required=True),
    Index(None, "at"),
)

delivery: Final = Table(
    "delivery",
    METADATA,
    Column("endpoint", Text, ForeignKey("endpoint.id"), nullable=False),
    Column("event", Text, ForeignKey("outgoing.id"), nullable=False),
    Column("attempts", Integer, nullable=False),
    instant_column("next_at"),
    instant_column("delivered_at"),
    text_column("problem"),
    PrimaryKeyConstraint("endpoint", "event"),
    Index(None, "next_at"),
)

telling: Final = Table(
    "telling",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("told", BigInteger, nullable=False),  # leaves of the ledger that have become events
    CheckConstraint("id = 1", name="one"),
)
