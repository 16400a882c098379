"""Which split each conversation goes to: by its person, so that nobody is in two splits.

A keyed hash decides, so the split of a person does not depend on who else is in the cut, stays
the same from cut to cut under one key, and says nothing to those who do not have the key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
_PARTS: Final = 10_000
_SPACE: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class SplitTerms:
    """Shares of the people in ten-thousandths; the rest trains. Zero leaves a split empty."""

    validation: int = 500
    test: int = 500

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= _PARTS:
            told = f"`{self.validation}` and `{self.test}` ten-thousandths leave nothing to train on"
            raise Invalid(told, "name shares from 0 that add up to less than 10000")

    def describe(self) -> dict[str, Any]:
        """Return what the split depends on besides people and key."""
        return {"by": "person", "test": self.test, "validation": self.validation, "version": 1}


def split(
    people: Sequence[str | None], conversations: Sequence[str], terms: SplitTerms, key: bytes
) -> list[str]:  # a plain list: the caller makes of it what its rows need
    """Name the split of each conversation. One without a person counts as a person of its own."""
    ends = [share * _SPACE // _PARTS for share in (terms.test, terms.test + terms.validation)]
    named: dict[tuple[str, str], str] = {}
    found: list[str] = []
    for person, conversation in zip(people, conversations, strict=True):
        who = ("conversation", conversation) if person is None else ("person", person)
        if who not in named:
            place = keyed_place(key, "split", *who)
            named[who] = TEST if place < ends[0] else VALIDATION if place < ends[1] else TRAIN
        found.append(named[who])
    return found


def keyed_place(key: bytes, *words: str) -> int:
    """Place words on a line from 0 to 2**64 - 1: evenly, the same for ever under one key, unknown without it."""
    content = b"".join(len(word.encode()).to_bytes(4, "big") + word.encode() for word in words)
    keyed = hashlib.sha256(key).digest()
    return int.from_bytes(hashlib.blake2b(content, key=keyed, digest_size=8).digest(), "big")
