"""Decisions: what may be done with one part, until when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from assent.domain.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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
    missing and could change the answer.
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

    def due(self) -> bool:
        """Tell whether the bytes should be gone by the instant of the decision."""
        return not self.held and self.erase_by is not None and self.erase_by <= self.at

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
