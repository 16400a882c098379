"""What came of each test that injects a fault: kept line by line, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from tests.injected.known import KNOWN, TESTS, Fault, marked

HELD: Final = "held"
FAILED: Final = "FAILED"
NOT_RUN: Final = "not run"

ROOT: Final = TESTS.parent
KEPT: Final = ROOT / ".faults"
PAGE: Final = ROOT / "docs" / "reference" / "faults.md"


@dataclass(frozen=True, slots=True)
class Result:
    """One test: which fault it injected how often and by which seed, and whether what must hold did hold."""

    test: str
    fault: str
    outcome: str
    why: str
    times: int
    seed: int | None
    seconds: float
    day: str
    source: str


class Tally:
    """The results so far, the newest of each test, in a file that grows by a line a test."""

    def __init__(self, path: Path = KEPT / "tally.jsonl") -> None:
        self._path = path
        path.parent.mkdir(exist_ok=True)
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        whole = (json.loads(line) for line in lines if line.endswith("}\n"))
        self.results = {one.test: one for one in (Result(**line) for line in whole)}

    def add(self, result: Result) -> None:
        self.results[result.test] = result
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")

    def clear(self) -> None:
        self.results.clear()
        self._path.unlink(missing_ok=True)


def source_digest() -> str:
    """Name the state of the program: results of another state do not count."""
    seen = sha256()
    for path in sorted((ROOT / "src").rglob("*.py")):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


# -- the page -------------------------------------------------------------------------------


class Row(NamedTuple):
    """A fault with everything that its tests came to."""

    fault: Fault
    tests: tuple[str, ...]
    times: int
    seeds: str
    outcome: str
    days: str


def rows(results: Iterable[Result]) -> list[Row]:
    by_fault: dict[str, list[Result]] = {}
    for one in results:
        by_fault.setdefault(one.fault, []).append(one)
    return [_row(fault, marked().get(fault.name, ()), by_fault.get(fault.name, [])) for fault in KNOWN]


def _row(fault: Fault, tests: tuple[str, ...], results: Sequence[Result]) -> Row:
    results = [one for one in results if one.test.partition("[")[0] in tests]  # the others are there no more
    ran = [one for one in results if one.outcome != NOT_RUN]
    missing = sorted({test for test in tests if not any(one.test.partition("[")[0] == test for one in ran)})
    why = sorted({one.why for one in results if one.outcome == NOT_RUN})
    outcome = FAILED if any(one.outcome == FAILED for one in ran) else HELD
    if missing:
        names = ", ".join(f"`{test.partition('::')[2]}`" for test in missing)
        said = f" ({'; '.join(why)})" if why else ""
        outcome = f"{outcome}; {NOT_RUN}: {names}{said}" if ran else f"{NOT_RUN}{said}"
    days = sorted({one.day for one in ran})
    shown = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "–"
    return Row(fault, tests, sum(one.times for one in ran if one.outcome == HELD), _stretches(ran), outcome, shown)


def _stretches(results: Sequence[Result]) -> str:
    """Write seeds as stretches: 0-19, 76."""
    seeds = sorted({one.seed for one in results if one.seed is not None})
    found: list[list[int]] = []
    for seed in seeds:
        if found and seed == found[-1][1] + 1:
            found[-1][1] = seed
        else:
            found.append([seed, seed])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in found) or "–"


HEAD: Final = """\
# Faults that are injected on purpose

Written by `make check-faults`, which injects every one of them; do not edit it by hand. A row is a fault, where it is
injected, what must hold whatever happens, and what came of it: how often it was injected, by which seeds, on which
days. `make check-faults SCALE=small` is the short form; `ONLY="cut line"` runs one fault. A run that was stopped goes
on where it was. A test that was not run where the page was written is named in the outcome.

What a fault means for those who run assent stands in [how erasure is true](../explanation/how-erasure-is-true.md) and
in the [threat model](../explanation/threat-model.md).
"""
TITLES: Final = ("fault", "where it is injected", "what must hold", "tests", "times", "seeds", "outcome", "when")


def page(found: Sequence[Row]) -> str:
    """Write the page."""
    pieces, kind = [HEAD], ""
    for row in found:
        if row.fault.kind != kind:
            kind = row.fault.kind
            pieces.append(f"\n## {kind}\n\n| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}\n")
        cells = (*_fixed(row.fault, row.tests), f"{row.times:,}", row.seeds, row.outcome, row.days)
        pieces.append(f"| {' | '.join(cells)} |\n")
    return "".join(pieces)


def _fixed(fault: Fault, tests: Sequence[str]) -> tuple[str, str, str, str]:
    return fault.name, fault.where, fault.holds, "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests)


def promised() -> list[tuple[str, ...]]:
    """Return what the page must say whatever a run came to: each fault with its tests."""
    return [_fixed(fault, marked().get(fault.name, ())) for fault in KNOWN]


def read_page(text: str) -> list[list[str]]:
    """Return the cells of each row of the page."""
    lines = (line for line in text.splitlines() if line.startswith("| ") and not line.startswith(f"| {TITLES[0]} |"))
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
