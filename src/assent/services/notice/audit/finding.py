"""What an audit says: which requirement, how bad, what was measured, what is allowed, and where on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.services.notice.audit.measured import Viewport
    from assent.services.notice.lints.finding import Level


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One finding about a page in one window. `requirement` is its number (`R02`), `where` a CSS path, empty: the page.

    An error is a breach, a warning something that steers without being one, `unchecked` what
    could not be looked at.
    """

    requirement: str
    level: Level
    measured: str
    allowed: str
    where: str
    viewport: Viewport

    def to_record(self) -> dict[str, object]:
        """Write it as the JSON object of `assent notice audit --json`."""
        return {
            "requirement": self.requirement,
            "level": self.level,
            "viewport": str(self.viewport),
            "measured": self.measured,
            "allowed": self.allowed,
            "where": self.where,
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes findings about one window."""

    viewport: Viewport

    def error(self, requirement: str, measured: str, allowed: str, where: str = "") -> AuditFinding:
        """Report a breach."""
        return AuditFinding(requirement, "error", measured, allowed, where, self.viewport)

    def warning(self, requirement: str, measured: str, allowed: str, where: str = "") -> AuditFinding:
        """Report what steers, or may be a breach."""
        return AuditFinding(requirement, "warning", measured, allowed, where, self.viewport)

    def unchecked(self, requirement: str, measured: str, allowed: str, where: str = "") -> AuditFinding:
        """Report what could not be looked at."""
        return AuditFinding(requirement, "unchecked", measured, allowed, where, self.viewport)
