"""What a check of a notice says: which requirement, how bad, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assent.policy.lints.finding import Finding

if TYPE_CHECKING:
    from assent.policy.build import Path

Level = Literal["error", "warning", "unchecked"]


@dataclass(frozen=True, slots=True)
class NoticeFinding(Finding):
    """One finding about a notice; `lint` is the check (`N-R04`), `rule` is not used.

    `unchecked`: nothing is known to be wrong, because in this locale nothing could be looked at.
    """

    unchecked: bool = False

    @property
    def level(self) -> Level:
        """How bad it is: an error keeps the notice from being shown."""
        return "unchecked" if self.unchecked else self.severity

    def to_record(self) -> dict[str, object]:
        """Write the finding as the JSON object of `assent notice lint --json`."""
        place = self.place
        return {
            "file": place and place.file,
            "line": place and place.line,
            "column": place and place.column,
            "check": self.lint,
            "level": self.level,
            "message": self.message,
            "fix": self.fix,
        }


def finding(check: str, path: Path, message: str, fix: str, level: Level = "error") -> NoticeFinding:
    """Make a finding; its place is added where the manifest is known."""
    severity: Literal["error", "warning"] = "error" if level == "error" else "warning"
    return NoticeFinding(check, "", path, message, fix, severity, unchecked=level == "unchecked")
