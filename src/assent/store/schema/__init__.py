"""The tables of a store, as SQLAlchemy Core metadata; `migrations/` makes the same ones, and a test compares them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, event

from assent.store.schema.access import answered, token
from assent.store.schema.approvals import approval
from assent.store.schema.asking import campaign, campaign_event, notice, prompt, rendering
from assent.store.schema.backups import backup, restore, tracer
from assent.store.schema.base import KEY, METADATA, NAMES, Instant
from assent.store.schema.choices import choice, contract, device_link, guardian, signal
from assent.store.schema.cuts import cut, cut_leaf, cut_member
from assent.store.schema.erasure import REFUSALS, derived_store, erasure, ground, obligation, tombstone
from assent.store.schema.guards import clock, round_, safeguard
from assent.store.schema.holds import HOLD_REFUSALS, access, finding, flag, hold, hold_reach, matter
from assent.store.schema.kept import (
    account,
    content,
    conversation,
    import_note,
    import_run,
    part,
    plan,
    plan_item,
    policy,
    retention_class,
    sealed,
    sweep,
)
from assent.store.schema.leases import lease
from assent.store.schema.ledger import cosignature, key_change, leaf, ledger_head, tile
from assent.store.schema.refusals import REFUSE, Refusal
from assent.store.schema.requests import (
    delivery,
    directory_entry,
    directory_handle,
    endpoint,
    outgoing,
    rights_agent,
    rights_request,
    telling,
)
from assent.store.schema.resting import WAKE, WAKINGS, resting
from assent.store.schema.reviews import REVIEW_REFUSALS, candidate, flag_review
from assent.store.schema.runs import RUN_REFUSALS, run, run_leaf, run_without, weights
from assent.store.schema.sessions import LOOK_REFUSALS, figure, look, session, spent, staff

TRIGGERS: Final = (
    (choice, Refusal("choice_never_changes", "UPDATE", "choice", "choices are append-only")),
    (choice, Refusal("choice_never_goes", "DELETE", "choice", "choices are append-only")),
    *REFUSALS,
    *HOLD_REFUSALS,
    *LOOK_REFUSALS,
    *REVIEW_REFUSALS,
    *RUN_REFUSALS,
    (
        leaf,
        Refusal("leaf_never_changes", "UPDATE OF number, choice, commitment", "leaf", "a leaf loses its salt only"),
    ),
    (
        leaf,
        Refusal("salt_never_changes", "UPDATE OF salt", "leaf", "a salt can only go", only="NEW.salt IS NOT NULL"),
    ),
    (leaf, Refusal("leaf_keeps_its_erasure", "UPDATE OF erasure", "leaf", "a leaf loses its salt only")),
    (leaf, Refusal("leaf_never_goes", "DELETE", "leaf", "the ledger is append-only")),
)
"""What the database itself refuses, whoever asks."""

for _function in (REFUSE, WAKE):
    event.listen(METADATA, "before_create", DDL(_function).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
for _table, _trigger in (*WAKINGS, *TRIGGERS):
    event.listen(_table, "after_create", _trigger)

__all__ = [
    "KEY",
    "METADATA",
    "NAMES",
    "TRIGGERS",
    "WAKINGS",
    "Instant",
    "Refusal",
    "access",
    "account",
    "answered",
    "approval",
    "backup",
    "campaign",
    "campaign_event",
    "candidate",
    "choice",
    "clock",
    "content",
    "contract",
    "conversation",
    "cosignature",
    "cut",
    "cut_leaf",
    "cut_member",
    "delivery",
    "derived_store",
    "device_link",
    "directory_entry",
    "directory_handle",
    "endpoint",
    "erasure",
    "figure",
    "finding",
    "flag",
    "flag_review",
    "ground",
    "guardian",
    "hold",
    "hold_reach",
    "import_note",
    "import_run",
    "key_change",
    "leaf",
    "lease",
    "ledger_head",
    "look",
    "matter",
    "notice",
    "obligation",
    "outgoing",
    "part",
    "plan",
    "plan_item",
    "policy",
    "prompt",
    "rendering",
    "resting",
    "restore",
    "retention_class",
    "rights_agent",
    "rights_request",
    "round_",
    "run",
    "run_leaf",
    "run_without",
    "safeguard",
    "sealed",
    "session",
    "signal",
    "spent",
    "staff",
    "sweep",
    "telling",
    "tile",
    "token",
    "tombstone",
    "tracer",
    "weights",
]
