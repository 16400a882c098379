"""What a rule is: a cheap trigger that says where to look closer, an exact pattern, and a judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Rule(NamedTuple):
    """One way to find one type.

    `triggers` are Hyperscan expressions over UTF-8 bytes, ASCII case folded: they must fire on
    every text that the pattern can match. The finding is the group `v` of the pattern where it
    has one. `judge` returns how sure it is, 0 to 100; 0 is no finding. `before` and `after` are how far
    from the end of a trigger the pattern looks, in code points.
    """

    type: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    judge: Callable[[re.Match[str]], int]
    before: int = 160
    after: int = 400


def always(_match: re.Match[str]) -> int:
    """Judge what needs no look beyond its pattern."""
    return 100


def span(match: re.Match[str]) -> tuple[int, int]:
    """Return where the finding of a match lies: its group `v`, else `w`, else all of it."""
    for group in ("v", "w"):
        if group in match.re.groupindex and match.start(group) >= 0:
            return match.span(group)
    return match.span()


def before(match: re.Match[str], cues: re.Pattern[str], reach: int = 40) -> bool:
    """Tell whether one of the cues stands shortly before the finding, on its line or the one above."""
    start = span(match)[0]
    return cues.search(match.string[max(0, start - reach) : start]) is not None
