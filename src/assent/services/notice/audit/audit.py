"""One page, audited in several windows: what was found, requirement by requirement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.services.notice.audit.acts import judge_acts
from assent.services.notice.audit.looks import judge_looks
from assent.services.notice.audit.measured import VIEWPORTS
from assent.services.notice.audit.visits import visit_page
from assent.services.notice.audit.words import judge_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assent.services.notice.audit.finding import AuditFinding
    from assent.services.notice.audit.measured import Viewport, Visited
    from assent.services.notice.audit.port import Browser, Page

CHECKED: Final = {
    "R01": "nothing that allows is preset or focused, and no key, scrolling or closing allows",
    "R02": "allow and decline: one kind, size, font, weight, row; readable; both in view",
    "R03": "as many steps, and about as much time, to both answers",
    "R04": "decline wherever allow is; putting it off is no substitute",
    "R05": "the order favours nobody (one display shows one order)",
    "R06": "no terms are accepted in the same act",
    "R08": "opening, waiting and leaving allow nothing",
    "R09": "no double negative in a label or the question",
    "R10": "no countdown, no hurry",
    "R11": "no praise on one side only",
    "R12": "all twelve facts where the question is",
    "R14": "keyboard, visible focus, targets, 200 % zoom, less motion, no scripts",
}
"""Requirements that a page can show without its product being known, and what is measured for each."""

UNSEEN: Final = (
    "text in pictures, and whether a picture is honest",
    "wording that misleads without a word of the lists; irony; a denied denial",
    "what a screen reader really says",
    "friction that depends on who asks, how often, or from where",
    "what the server does with an answer: confirmation, receipt, asking again, the way to change it",
    "pages within pages (iframes), and questions that appear only after signing in",
)
"""What this audit cannot see."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found. `visited` has what was measured, window by window."""

    page: str
    visited: tuple[Visited, ...]
    findings: tuple[AuditFinding, ...]

    @property
    def fair(self) -> bool:
        """Tell whether no requirement is broken, as far as this audit can see."""
        return not any(finding.level == "error" for finding in self.findings)

    def to_record(self) -> dict[str, object]:
        """Write it as the JSON object of `assent notice audit --json`."""
        return {
            "page": self.page,
            "fair": self.fair,
            "viewports": [str(visited.viewport) for visited in self.visited],
            "findings": [finding.to_record() for finding in self.findings],
        }


def judge(visited: Visited) -> tuple[AuditFinding, ...]:
    """Judge what was measured in one window, by the numbers of the requirements."""
    found = [*judge_looks(visited), *judge_acts(visited), *judge_words(visited)]
    return tuple(sorted(found, key=lambda finding: finding.requirement))


def audit(
    browser: Browser, page: Page, viewports: Sequence[Viewport] = VIEWPORTS, pictures: Path | None = None
) -> Report:
    """Open a page in every window, try it and judge it. `pictures`: a folder for what it looked like.

    Raises `NotFound` for no such file or no question, `Incomplete` for a page that does not open.
    """
    visited = []
    for viewport in viewports:
        picture = pictures and pictures / f"{_slug(page.name)}-{viewport}.png"
        visited.append(visit_page(browser, page, viewport, picture))
    return Report(page.name, tuple(visited), tuple(finding for one in visited for finding in judge(one)))


def _slug(name: str) -> str:
    kept = "".join(
        letter if letter.isalnum() else "-" for letter in name.partition("://")[2] or name.rpartition("/")[2]
    )
    return kept.strip("-")[:80]
