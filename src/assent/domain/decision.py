"""Decisions: what may be done with one part, until when, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NO_LEAD: Final = timedelta()

ReasonKind = Literal["grant", "cap", "veto", "exception", "hold", "gap", "none"]


class Reason(NamedTuple):
    """One rule that had a say: its id in the policy file, its kind, and the sentence a person reads."""

    rule: str
    kind: ReasonKind
    text: str


class Conflict(NamedTuple):
    """A floor above a ceiling: which rule wanted what, and which won by the order of precedence."""

    floor: str
    ceiling: str
    winner: str


class Decision(NamedTuple):
    """The answer for one part at one instant under one policy.

    `eligible` lists the purposes for whose cuts the part may be taken now. `use_until`
    maps each purpose that has, or had, a live grant to the first instant at which it may no
    longer be read for it (None: no end is set). `erase_by` is the first instant at which the
    bytes must be gone; None while held or when no end is set. `gap` names the facts that are
    missing and could change the answer. `may_use_until` is when the last use ends, of those too that
    a gap stands in the way of (`LATEST`: never); None if there is none.
    """

    part: str
    at: datetime
    eligible: tuple[str, ...]
    use_until: Mapping[str, datetime | None]
    erase_by: datetime | None
    held: bool
    gap: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    reasons: tuple[Reason, ...]
    policy: str
    digest: str
    may_use_until: datetime | None = None

    def ripe_at(self, lead: timedelta) -> datetime | None:
        """Return from when on the part may be erased, so that every copy is gone by `erase_by`; None if it may not.

        That is `lead` before `erase_by`, for copies outlive the first of them, but never while anything may still use
        the part: whatever does, or would if what is not known turned out in its favour (`may_use_until`).
        """
        if self.held or self.erase_by is None:
            return None
        early = self.erase_by - lead
        return early if self.may_use_until is None else min(self.erase_by, max(early, self.may_use_until))

    def due(self, lead: timedelta = NO_LEAD) -> bool:
        """Tell whether the part is ripe at the instant of the decision: without a lead, whether `erase_by` has come."""
        ripe = self.ripe_at(lead)
        return ripe is not None and ripe <= self.at

    def to_record(self) -> dict[str, object]:
        """Write the decision as the JSON object of `assent decide` (spec/policy.md, decisions)."""
        return {
            "part": self.part,
            "at": format_instant(self.at),
            "eligible": list(self.eligible),
            "use_until": {p: end and format_instant(end) for p, end in self.use_until.items()},
            "erase_by": self.erase_by and format_instant(self.erase_by),
            "held": self.held,
            "gap": list(self.gap),
            "conflicts": [{"floor": c.floor, "ceiling": c.ceiling, "winner": c.winner} for c in self.conflicts],
            "reasons": [{"rule": r.rule, "kind": r.kind, "text": r.text} for r in self.reasons],
            "policy": self.policy,
            "digest": self.digest,
        }
