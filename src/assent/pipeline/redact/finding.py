"""What redaction finds, and the terms it finds by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

TYPES: Final = (
    "address",
    "card",
    "date_of_birth",
    "iban",
    "ip",
    "mac",
    "mail",
    "name",
    "national_id",
    "path_user",
    "phone",
    "repository",
    "secret",
    "username",
)
"""Everything that redaction tells apart."""


class Finding(NamedTuple):
    """A piece of a text, in code points, half-open. `score` is how sure the rule is, 0 to 100."""

    type: str
    start: int
    end: int
    score: int = 100


@dataclass(frozen=True, slots=True)
class RedactTerms:
    """What to look for, and when a conversation is left out.

    `sure` and `unsure` are percent: a candidate from `sure` on is a finding, one from `unsure`
    on is counted as uncertain. A conversation with more than `most_unsure` uncertain candidates,
    and more of them than findings, is left out whole.
    """

    types: frozenset[str] = field(default=frozenset(TYPES))
    sure: int = 50
    unsure: int = 30
    most_unsure: int = 8


class Apart:
    """Findings of which no two overlap, in order. Adding one costs a search, however many there are."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        """Begin with findings that are apart from one another."""
        self.findings = sorted(findings, key=lambda one: one.start)
        self._starts = [one.start for one in self.findings]

    def overlaps(self, start: int, end: int) -> bool:
        """Tell whether a stretch meets one of them."""
        place = bisect_right(self._starts, start)
        before = place > 0 and self.findings[place - 1].end > start
        return before or (place < len(self._starts) and self._starts[place] < end)

    def add(self, one: Finding) -> bool:
        """Take a finding in if it meets none that is there."""
        if self.overlaps(one.start, one.end):
            return False
        place = bisect_right(self._starts, one.start)
        self._starts.insert(place, one.start)
        self.findings.insert(place, one)
        return True
