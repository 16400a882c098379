"""What a mutant is worth: which are tried, what became of them, and which survivors were judged to change nothing."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

JUDGED: Final = Path(__file__).with_name("judged.toml")
SURVIVED: Final = 0
NO_TESTS: Final = frozenset({5, 33})
MISSED: Final = ("survived", "no tests", "not tried")
TIMED_OUT: Final = frozenset({-24, 24, 36, 152})
_SQL: Final = re.compile(r"policy/(compile|compile_versions|runs|rows|nominate)\.py$")
_SENTENCE: Final = re.compile(r"""f?"[^"]* [^"]*",?""")
_TEXT: Final = re.compile(r"""(["'])((?:\\.|(?!\1).)*)\1""")


class Mutant(NamedTuple):
    """One small change: the tool's name for it, the file, function and line, and the lines it takes and gives."""

    name: str
    file: str
    function: str
    line: int
    change: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """What names it for good: the tool counts mutants anew whenever a function changes, and lines move."""
        return self.file, self.function, tuple(re.sub(r"\s+", " ", line).strip() for line in self.change)

    @property
    def worded(self) -> bool:
        """Tell whether it only changes words for people, or the case of letters: no decision hangs on it.

        Of a text the tool makes three mutants, one with marks around it and two that change the case of its
        letters. The first stands for all. Sentences are left to those who read them, except in queries; so is what
        an error says, as long as it is the same error (that it says nothing at all, mypy finds).
        """
        taken, given = (" ".join(x[1:].strip() for x in self.change if x[0] == side) for side in "-+")
        if taken.startswith("raise ") and taken.partition("(")[0] == given.partition("(")[0]:
            return True
        if taken != given and taken.lower() == given.lower():
            return not re.search(r"\b(True|False|None)\b", taken) or _TEXT.sub("", taken) == _TEXT.sub("", given)
        if _SQL.search(self.file):
            return False
        if _SENTENCE.fullmatch(taken) and given in ("", "None,"):
            return True
        marked = (found[2] for found in _TEXT.finditer(given) if "XX" in found[2])
        return given.replace("XX", "") == taken and any(" " in text for text in marked)


class Judged(NamedTuple):
    """A survivor that changes nothing a caller can see, and why."""

    key: tuple[str, str, tuple[str, ...]]
    reason: str


def read_mutants(rows: Iterable[dict[str, Any]]) -> list[Mutant]:
    """Read what the tool made."""
    return [Mutant(r["name"], r["file"], r["function"], r["line"], tuple(r["change"])) for r in rows]


def read_judged(path: Path = JUDGED) -> list[Judged]:
    """Read the survivors that were judged. Raises `ValueError` where two are the same or one has no reason."""
    found = []
    for row in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []):
        key = Mutant("", row["file"], row["function"], 0, tuple(row["change"])).key
        found.append(Judged(key, row["reason"].strip()))
    wrong = [one.key for one in found if not one.reason]
    wrong += [key for key, times in Counter(one.key for one in found).items() if times > 1]
    if wrong:
        message = f"judged twice or without a reason: {wrong}"
        raise ValueError(message)
    return found


def became(exit_code: int | None) -> str:
    """Name what became of a mutant by the exit code of its tests; whatever keeps tests from passing notices it."""
    if exit_code is None:
        return "not tried"
    if exit_code == SURVIVED:
        return "survived"
    if exit_code in NO_TESTS:
        return "no tests"
    return "timed out" if exit_code in TIMED_OUT else "killed"


def in_words(mutant: Mutant, what: str) -> str:
    """Write a survivor so that a person can look: where it is, and its lines."""
    return "\n".join([f"{mutant.file}:{mutant.line} in {mutant.function} ({what}; {mutant.name})", *mutant.change, ""])


def table(outcomes: Sequence[tuple[Mutant, str]], judged: Sequence[Judged]) -> str:
    """Count what became of the mutants of each module."""
    known = {one.key for one in judged}
    counted: dict[str, Counter[str]] = {}
    for mutant, what in outcomes:
        missed = what in MISSED
        counted.setdefault(mutant.file, Counter())["equivalent" if missed and mutant.key in known else what] += 1
    kinds = ("killed", "timed out", "equivalent", "survived", "no tests")
    rows = ["| module | tried | " + " | ".join(kinds) + " |", "|---|" + "--:|" * 6]
    total: Counter[str] = sum(counted.values(), Counter())
    for file, counts in [*sorted(counted.items()), ("together", total)]:
        name = f"`{file.removeprefix('src/assent/')}`" if file != "together" else file
        rows.append(f"| {name} | {counts.total()} | " + " | ".join(str(counts[kind]) for kind in kinds) + " |")
    return "\n".join(rows)
