"""The gate of a run: its cut is verified, and every row is decided anew at the instant at which the run starts.

The order makes the promise. The clock is read first, and then the facts: whatever was acknowledged before that
instant is in the facts that are read after it, so no row is used whose withdrawal was acknowledged before the start.
What is acknowledged later finds a run that had started, and is told so.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Refused
from assent.domain.instants import format_instant
from assent.services.cut.freshness import freshness_within
from assent.services.cut_check.check import verify_cut
from assent.services.cut_check.export import export_evidence
from assent.store.answers import answers
from assent.store.selection import conversations_no_longer_eligible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from assent.services.run.world import RunWorld
    from assent.store.records import Cut

ENDED: Final = frozenset(
    {"erased", "held", "vetoed", "withdrawn", "declined", "deleted", "gap", "ended", "unanswered", "not allowed"}
)
"""What a check finds of rows that were right when their cut was made, and may not be used by now."""

BESIDE: Final = ENDED | {"decision", "unproven", "contradicted", "policy"}
"""The same with what it finds beside it, once the facts of a row are others than they were."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate found at `at`: rows of the cut, those erased since, and those that may not be used, by reason.

    `wrong` is what the independent check of the cut found, by kind; `unchecked` what it could not look at. `without`
    conversations are left out, and their rows are not counted as `stale`.
    """

    at: datetime
    rows: int
    erased: int
    stale: Mapping[str, int]
    wrong: Mapping[str, int] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    without: int = 0

    @property
    def open(self) -> bool:
        """Whether a run may start."""
        return not (self.stale or self.wrong or self.unchecked)

    def to_record(self) -> dict[str, Any]:
        """Write the JSON object that is kept with the run."""
        return {
            "at": format_instant(self.at),
            "rows": self.rows,
            "erased": self.erased,
            "stale": dict(self.stale),
            "wrong": dict(self.wrong),
            "unchecked": list(self.unchecked),
            "without": self.without,
            "open": self.open,
        }

    def refusal(self, cut: Cut) -> Refused:
        """Say why not, and what to do."""
        title = f"cut `{cut.name}` number `{cut.number}`"
        if self.wrong and not (self.wrong.keys() <= BESIDE and self.wrong.keys() & ENDED):
            return Refused(f"{title} is not as it should be: {_counts(self.wrong)}", "see: assent cut verify DIR")
        if ended := self.stale or {kind: count for kind, count in self.wrong.items() if kind in ENDED}:
            fix = f"assent cut refresh {cut.name}"
            return Refused(f"{title} is stale, for rows may not be used any more: {_counts(ended)}", fix)
        return Refused(f"{title} could not be verified: {'; '.join(self.unchecked)}", "see: assent cut verify DIR")


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} x {kind}" for kind, count in sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Verified:
    """What the independent check found: problems by kind, and what it could not look at."""

    wrong: Mapping[str, int]
    unchecked: tuple[str, ...]


def verify(world: RunWorld, cut: Cut, without: Collection[str] = ()) -> Verified:
    """Check every file and row of a cut by rules that share no code with what made it. Takes time for a large cut.

    Rows of conversations that are left out are counted and not looked at: they are not used. Raises `Refused` where the
    folder is not there.
    """
    folder = Path(cut.directory)
    if not folder.is_dir():
        raise Refused(f"the files of cut `{cut.name}` number `{cut.number}` are not there", "refresh the cut, or mount")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "evidence"
        with file.open("wb") as out:
            for _ in export_evidence(folder, out, world.store, world.log, now=world.clock()):
                pass
        keys = [] if world.log is None else [signer.verifier for signer in world.log.signers]
        texts = [(policy.name, text) for policy, text in world.policies]
        report = verify_cut(folder, file, texts, keys, frozenset(without))
    return Verified(Counter(report.problems), tuple(report.missing))


def decide(world: RunWorld, cut: Cut, verified: Verified, without: Collection[str] = ()) -> Gate:
    """Read the clock, then the facts, and decide every row of a verified cut as of that instant."""
    at = world.clock()
    columns = world.columns()
    with answers(world.store, columns, [policy for policy, _ in world.policies], at):
        found = freshness_within(world.store, columns, cut, at)
        stale = dict(found.stale)
        if without and stale:
            keys = world.store.member_keys(cut.name, cut.number)
            stopped, spared = conversations_no_longer_eligible(columns, cut.purpose or "", keys), frozenset(without)
            stale = dict(Counter(reason for name, reason in stopped.items() if name not in spared))
    return Gate(at, found.rows, found.erased, stale, verified.wrong, verified.unchecked, len(without))


def not_to_be_used(world: RunWorld, cut: Cut) -> dict[str, str]:
    """Name the conversations of a cut that may not be used any more, with a reason, as of now; erased ones not."""
    columns, at = world.columns(), world.clock()
    with answers(world.store, columns, [policy for policy, _ in world.policies], at):
        keys = world.store.member_keys(cut.name, cut.number)
        return conversations_no_longer_eligible(columns, cut.purpose or "", keys)
