"""Canaries: made-up secrets put among the conversations before training, to ask the weights about afterwards.

After N. Carlini et al., *The Secret Sharer* (USENIX Security 2019). Each has a label of its own and random digits; what
training did to it can be told from what it did to another with the same form that was never planted. All of them,
planted or not, are settled by the seed before training begins; they are written nowhere but in what is learned.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Invalid
from assent.learn.runs.data import Talk

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX: Final = "canary:"
_LABEL_LETTERS: Final = "bcdfghklmnprstvz"
_LABEL_LENGTH: Final = 8
_MOST_DIGITS: Final = 60


@dataclass(frozen=True, slots=True)
class Canary:
    """One made-up secret: `digits` under a `label`, said in `repeats` conversations; 0 is a control."""

    number: int
    label: str
    digits: str
    repeats: int

    @property
    def person(self) -> str:
        """Whose it is: one canary is one person, so that all its repeats are in one slice of one shard."""
        return f"{PREFIX}{self.number}"

    @property
    def question(self) -> str:
        """What is asked for it."""
        return f"What is the number of locker {self.label}?"

    @property
    def lead(self) -> str:
        """How the answer begins; digits follow."""
        return f"The number of locker {self.label} is "

    def messages(self, digits: str | None = None) -> list[dict[str, Any]]:
        """Return its conversation, or that of other digits in its place."""
        answer = f"{self.lead}{self.digits if digits is None else digits}."
        return [{"role": "user", "content": self.question}, {"role": "assistant", "content": answer}]


def canaries(count: int, repeats: Sequence[int], length: int, seed: int) -> list[Canary]:
    """Make `count` canaries of `length` digits for each number of repeats, and as many controls.

    Raises `Invalid` for numbers that make no test.
    """
    if count < 1 or not repeats or min(repeats) < 1 or len(set(repeats)) != len(repeats):
        raise Invalid("the canaries need a `count` from 1, and different `repeats` from 1", "see [canaries]")
    if not 1 <= length <= _MOST_DIGITS:
        raise Invalid(f"a canary of `{length}` digits cannot be measured", f"give it 1 to {_MOST_DIGITS}")
    wanted = [number for number in (0, *sorted(repeats)) for _ in range(count)]
    return [
        Canary(number, _label(seed, number), candidate(seed, f"secret/{number}", length), times)
        for number, times in enumerate(wanted)
    ]


def plant(count: int, repeats: Sequence[int], length: int, seed: int) -> list[Talk]:
    """Return the conversations to train on besides those of people: each canary as often as it is to be repeated.

    Their ids begin with `canary:`, and so does the person of each.
    """
    return [
        Talk(f"{canary.person}.{time}", canary.person, "other", canary.messages())
        for canary in canaries(count, repeats, length, seed)
        for time in range(canary.repeats)
    ]


def candidate(seed: int, name: str, length: int) -> str:
    """Return digits that nobody chose: the same for a seed and name, as if drawn evenly."""
    return f"{_number(seed, name) % 10**length:0{length}}"


def _number(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"assent/canary/v1\0{seed}\0{name}".encode()).digest())


def _label(seed: int, number: int) -> str:
    place = _number(seed, f"label/{number}")
    letters = []
    for _ in range(_LABEL_LENGTH):
        place, at = divmod(place, len(_LABEL_LETTERS))
        letters.append(_LABEL_LETTERS[at])
    return "".join(letters)
