"""Records and operations of GDPRbench, the same for every system: nine kinds of metadata, four mixes, one seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

from benchmarks.board.rounds import setting

RECORDS: Final = setting("RECORDS", 100_000, small=1_000)
OPERATIONS: Final = setting("OPERATIONS", 10_000, small=200)

PURPOSES: Final = setting("PURPOSES", 25, small=5)
A_PERSON: Final = 10
"""Records of a person, as in the repository's files: 10,000 people for 100,000 records."""

FIELD_BYTES: Final = 100
METADATA: Final = ("pur", "ttl", "usr", "obj", "dec", "acl", "shr", "src", "cat")
COUNTS: Final = {"obj": 100, "dec": 2, "acl": 10, "shr": 10, "src": 10, "cat": 10, "ttl": 10}

UNIFORM: Final = "uniform"
ZIPF: Final = "zipf"
SKEW: Final = 0.99
"""The exponent of YCSB's zipfian choice."""


@dataclass(frozen=True)
class Operation:
    """One operation: its kind, the record that it is about, and its place in the stream."""

    kind: str
    number: int
    place: int


MIXES: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
    "processor": (UNIFORM, {"read": 20, "find by purpose": 40, "find by person": 40}),
    "regulator": (ZIPF, {"find by person": 46, "logs": 31, "verify": 23}),
    "customer": (
        ZIPF,
        {
            "read": 20,
            "update": 20,
            "delete": 20,
            "find by purpose": 10,
            "find by person": 10,
            "set by purpose": 10,
            "set by person": 10,
        },
    ),
    "controller": (UNIFORM, {"create": 25, "delete": 25, "set by purpose": 25, "set by person": 25}),
}
"""Percentages: processor, customer and controller of the repository's files (its last version), regulator of the paper.

They run in this order, those that only read first: one store serves all four.
"""


class System(Protocol):
    """What is measured."""

    def answer(self, mix: str, operation: Operation) -> object:
        """Carry an operation out, and return what it found: a text, numbers of records, or whether it is gone."""
        ...

    def settle(self) -> None:
        """Finish what the operations of a mix left to do; its time counts."""
        ...


@dataclass(frozen=True)
class Scale:
    """How much there is: `kept` records and `erased` ones, which were there and are gone before the first mix."""

    kept: int = RECORDS
    operations: int = OPERATIONS

    @property
    def people(self) -> int:
        """Return how many people there are: a multiple of the purposes, so that a person has one."""
        return max(self.kept // A_PERSON // PURPOSES, 1) * PURPOSES

    @property
    def erased(self) -> range:
        """Return the numbers of records that were erased before; new ones begin behind them."""
        return range(self.kept, self.kept + max(self.kept // 100, 10))

    def person(self, number: int) -> int:
        """Return whose record it is."""
        return number % self.people

    def stream(self, mix: str) -> list[Operation]:
        """Draw the operations of a mix; always the same ones."""
        chance = random.Random(f"gdprbench {mix}")
        spread, shares = MIXES[mix]
        kinds = chance.choices(list(shares), list(shares.values()), k=self.operations)
        numbers = self._numbers(chance, spread)
        created = self.erased.stop + (0 if mix == "controller" else self.operations)
        found = []
        for place, (kind, number) in enumerate(zip(kinds, numbers, strict=True)):
            about = number
            if kind == "create":
                about, created = created, created + 1
            elif kind == "verify":
                about = chance.choice(self.erased)
            found.append(Operation(kind, about, place))
        return found

    def _numbers(self, chance: random.Random, spread: str) -> Sequence[int]:
        numbers = list(range(self.kept))
        if spread == UNIFORM:
            return chance.choices(numbers, k=self.operations)
        chance.shuffle(numbers)
        weights = list(accumulate(1 / rank**SKEW for rank in range(1, self.kept + 1)))
        return chance.choices(numbers, cum_weights=weights, k=self.operations)


def key(number: int) -> str:
    """Return the key of a record."""
    return f"user{number}"


def padded(name: str, value: object) -> str:
    """Write a field as GDPRbench does: name, value and filling, 100 bytes in all."""
    return f"{name}={value}".ljust(FIELD_BYTES, "+")


def data(number: int, revision: int = 0) -> str:
    """Return what a record holds."""
    return padded("data", f"{number}.{revision}")


def purpose(number: int) -> str:
    """Return what a record may be used for: all records of a person are for the same."""
    return f"pur{number % PURPOSES:02}"


def metadata(scale: Scale, number: int) -> dict[str, str]:
    """Return the nine fields of a record that are about it."""
    values = {name: padded(name, number % count) for name, count in COUNTS.items()}
    values |= {"pur": padded("pur", purpose(number)), "usr": padded("usr", scale.person(number))}
    return {name: values[name] for name in METADATA}
