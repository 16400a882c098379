"""Decide facts that arrive as lines of JSON, with either evaluator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from assent.domain.facts import Facts, FactsProblem, facts_from_record
from assent.policy.decide import decide
from assent.policy.versions import stricter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from assent.domain.decision import Decision
    from assent.policy.model import Policy

    Evaluator = Callable[[Sequence[Facts], Policy, datetime], Iterable[Decision]]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that could not be decided: its 1-based number, the fact key, what is wrong and what is allowed."""

    line: int
    key: str
    message: str
    fix: str


def by_reference(facts: Sequence[Facts], policy: Policy, at: datetime) -> Iterator[Decision]:
    """Decide one by one with the reference evaluator."""
    return (decide(fact, policy, at) for fact in facts)


def decide_lines(
    lines: Iterable[bytes], policies: Sequence[Policy], at: datetime, evaluate: Evaluator, batch_rows: int
) -> Iterator[Decision | LineProblem]:
    """Decide each line of NDJSON facts; several policies give the stricter answer. Blank lines are passed over.

    A bad line yields a `LineProblem` in its place and the rest goes on. Memory is bounded
    by `batch_rows` lines.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, batch_rows)):
        read = [_facts(number, line) for number, line in batch]
        facts = [item for item in read if isinstance(item, Facts)]
        answers = zip(*(evaluate(facts, policy, at) for policy in policies), strict=True) if facts else iter(())
        for item in read:
            yield item if isinstance(item, LineProblem) else stricter(next(answers))


def _facts(number: int, line: bytes) -> Facts | LineProblem:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return LineProblem(number, "", "the line is not JSON", "write one JSON object of facts a line")
    if not isinstance(record, dict):
        return LineProblem(number, "", "the line is not a JSON object", "write one JSON object of facts a line")
    try:
        return facts_from_record(record)
    except FactsProblem as problem:
        return LineProblem(number, problem.key, problem.message, problem.fix)
