"""What a check of a cut found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

KINDS: Final = {
    "tampered": "a file is not as the manifest says, or the manifest is not the one that was recorded",
    "unrecorded": "the ledger holds something else than this manifest",
    "miscounted": "the rows do not come to what the manifest counts",
    "duplicate": "a part, or a conversation torn apart, is there twice",
    "stray": "a line is about a conversation that has no row",
    "unknown": "the evidence does not know the part",
    "contradicted": "the row, or the evidence, says something else than the facts",
    "erased": "the part was erased",
    "business": "the part was recorded on a business plan",
    "held": "a legal hold covers the part",
    "vetoed": "a rule takes the purpose away (private mode, age, region, ...)",
    "withdrawn": "the permission was taken back",
    "declined": "the person said no",
    "deleted": "the person asked to delete it",
    "gap": "a fact is missing without which nothing may be used",
    "ended": "the time of use is over",
    "unanswered": "nobody answered",
    "not allowed": "no rule allows the purpose",
    "marked": "the part bears a mark that keeps it out",
    "unproven": "nothing shows that it was allowed: no such receipt, or one that does not cover it",
    "receipt": "the ledger does not prove the receipt",
    "decision": "the decision id is missing, or not made of these facts and this policy",
    "policy": "another policy governs the part than the row or the manifest says",
}
"""Everything that can be wrong with a cut, in the order in which it is shown."""

SHOWN: Final = 20
"""Problems of one kind that are named; all are counted."""


class Problem(NamedTuple):
    """One thing that is wrong: its kind, the part or file, and a sentence without content."""

    kind: str
    where: str
    says: str


@dataclass(slots=True)
class Report:
    """The answer of a check. Nothing is wrong if `problems` is empty; `missing` says what could not be looked at.

    `digest` names the manifest as it lies there; `rows` and `conversations` were read.
    """

    name: str
    number: int
    digest: str
    rows: int = 0
    conversations: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[Problem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 2 if something is wrong, 4 if not everything could be checked, else 0."""
        if self.problems:
            return 2
        return 4 if self.missing else 0

    def add(self, kind: str, where: str, says: str = "") -> None:
        """Count a problem, and keep it if it is among the first of its kind."""
        self.problems[kind] += 1
        if self.problems[kind] <= SHOWN:
            self.examples.append(Problem(kind, where, says or KINDS[kind]))

    def to_record(self) -> dict[str, object]:
        """Write the JSON object of the report."""
        return {
            "name": self.name,
            "number": self.number,
            "digest": self.digest,
            "rows": self.rows,
            "conversations": self.conversations,
            "problems": {kind: self.problems[kind] for kind in KINDS if self.problems[kind]},
            "examples": [problem._asdict() for problem in self.examples],
            "missing": self.missing,
            "status": self.exit_code,
        }
