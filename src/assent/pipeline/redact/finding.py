"""What redaction finds, and the terms it finds by."""

from __future__ import annotations

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
