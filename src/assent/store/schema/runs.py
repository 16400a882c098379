"""The tables of training: runs, what they left out, what they made, and what the ledger says of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from assent.store.schema.base import METADATA, instant_column, number_column, text_column
from assent.store.schema.refusals import Refusal

run: Final = Table(
    "run",
    METADATA,
    Column("id", Text, primary_key=True),
    text_column("cut"),
    Column("number", Integer, nullable=False),
    text_column("manifest"),
    text_column("purpose"),
    text_column("trainer"),
    text_column("config"),
    text_column("code"),
    instant_column("planned_at", required=True),
    text_column("base"),
    text_column("parent", required=False),
    text_column("state"),
    instant_column("started_at"),
    instant_column("ended_at"),
    text_column("policies"),
    number_column("rows"),
    number_column("conversations"),
    number_column("people"),
    text_column("gate"),
    text_column("reason"),
    ForeignKeyConstraint(["cut", "number"], ["cut.name", "cut.number"]),
    ForeignKeyConstraint(["parent"], ["run.id"]),
    CheckConstraint("state IN ('planned', 'started', 'finished', 'failed', 'abandoned')", name="state"),
    CheckConstraint("state NOT IN ('started', 'finished') OR started_at IS NOT NULL", name="start"),
    Index(None, "cut", "number"),
    Index(None, "planned_at", "id"),
)

run_without: Final = Table(
    "run_without",
    METADATA,
    Column("run", Text, ForeignKey("run.id"), nullable=False),
    # a name, no foreign key: it outlives the conversation
    text_column("conversation"),
    PrimaryKeyConstraint("run", "conversation"),
    sqlite_with_rowid=False,
)

run_leaf: Final = Table(
    "run_leaf",
    METADATA,
    # the leaf of the ledger, and what it commits to
    Column("leaf", BigInteger, primary_key=True, autoincrement=False),
    Column("run", Text, ForeignKey("run.id"), nullable=False),
    text_column("record"),
    Index(None, "run"),
)

weights: Final = Table(
    "weights",
    METADATA,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    text_column("digest"),
    text_column("directory"),
    instant_column("made_at", required=True),
    text_column("claim"),
    text_column("evaluation"),
    text_column("superseded_by"),
    instant_column("retired_at"),
    Index(None, "digest"),
)

_SETTLED: Final = "id, cut, number, manifest, purpose, trainer, config, code, planned_at, base, parent"

RUN_REFUSALS: Final = (
    (run, Refusal("run_never_changes", f"UPDATE OF {_SETTLED}", "run", "what a run was told stays")),
    (
        run,
        Refusal(
            "run_keeps_its_start",
            "UPDATE OF started_at, policies, rows, conversations, people, gate",
            "run",
            "what a run started with stays",
            only="OLD.started_at IS NOT NULL",
        ),
    ),
    (run, Refusal("run_never_goes", "DELETE", "run", "runs are kept")),
    (run_without, Refusal("run_without_never_changes", "UPDATE", "run_without", "what a run left out stays")),
    (run_without, Refusal("run_without_never_goes", "DELETE", "run_without", "what a run left out stays")),
    (
        weights,
        Refusal("weights_never_change", "UPDATE OF run, digest, made_at", "weights", "what a run made stays"),
    ),
    (weights, Refusal("weights_never_go", "DELETE", "weights", "what a run made stays on record")),
)
"""What the database itself refuses, whoever asks."""
