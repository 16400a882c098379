"""Rows of training: which runs there were, on what, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

RunState = Literal["planned", "started", "finished", "failed", "abandoned"]

NEXT_STATES: Final[dict[RunState, tuple[RunState, ...]]] = {
    "planned": ("started", "failed", "abandoned"),
    "started": ("finished", "failed", "abandoned"),
    "finished": (),
    "failed": (),
    "abandoned": (),
}
"""What may become of a run: it never goes back."""

Claim = Literal["de-linked", "re-identifiable for enforcement", "de-identified (tested)"]
"""How far a model may be said to be from the people in it; never `anonymous` (docs/adr/0035)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run on number `number` of the cut named `cut`, whose manifest has the digest `manifest`.

    `trainer` is who trains, `config` the digest of what it was told, `code` the version of assent, `base` the digest of
    the weights that it goes on from ("" from scratch). `parent` is the run that it takes the place of, if any. From its
    start on, `policies` are the digests of the versions under which each row was decided at `started_at`, and `rows`,
    `conversations` and `people` count what it may use: the rows of the cut but for erased ones and for those
    conversations that it leaves out. `gate` is what the gate found (JSON). A run that has `started_at` used its rows,
    whatever became of it.
    """

    id: str
    cut: str
    number: int
    manifest: str
    purpose: str
    trainer: str
    config: str
    code: str
    planned_at: datetime
    base: str = ""
    parent: str | None = None
    state: RunState = "planned"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    policies: str = "[]"
    rows: int = 0
    conversations: int = 0
    people: int = 0
    gate: str = "{}"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunStart:
    """What the gate lets a run begin with, at the instant before which every act counts."""

    at: datetime
    policies: str
    rows: int
    conversations: int
    people: int
    gate: str


@dataclass(frozen=True, slots=True)
class Weights:
    """What a run made: `digest` of the files in `directory`, and what may be said of it.

    `evaluation` is the digest of the newest evaluation report, "" before the first. `retired_at` is when it was
    destroyed, `superseded_by` the run whose weights take its place.
    """

    run: str
    digest: str
    directory: str
    made_at: datetime
    claim: Claim = "de-linked"
    evaluation: str = ""
    superseded_by: str = ""
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunLeaf:
    """What the ledger says of a run: the number of the leaf, and the record that it commits to."""

    leaf: int
    record: str


@dataclass(frozen=True, slots=True)
class StillIn:
    """A conversation of a cut, whose it is, and how many of its rows there are still kept."""

    conversation: str
    subject: str | None
    rows: int
