"""Two evaluators, one meaning: the reference and the set evaluator agree on random facts under every policy.

`make test` compares over a million decisions; `make check-deep` a million facts for each policy.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from assent.domain.decision import Decision
from assent.domain.instants import LATEST, to_micros
from assent.policy.compile import GAP_KEYS, SetQuery, compile_policy
from assent.policy.decide import decide
from assent.store.columns import Columns, tables
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from assent.policy.model import Policy

IN_FULL = 400
"""Facts of each batch whose whole decisions are compared, sentences included; of the others the answers."""


def agree(policy: Policy, at: datetime, seed: int, count: int) -> int:
    """Compare `count` random facts at one instant; return how many answers were eligible for something."""
    source = RandomFacts(policy, at, random.Random(seed))
    facts = [source.facts(str(number)) for number in range(count)]
    columns = Columns()
    query = compile_policy(policy, at)
    decisions = [decide(fact, policy, at) for fact in facts]
    with columns.loaded(*tables(facts), at):
        answers = columns.table(f"SELECT {_answer_columns(query)} FROM ({query.sql}) ORDER BY part::BIGINT").to_pydict()
    for number, (decision, *row) in enumerate(zip(decisions, *answers.values(), strict=True)):
        assert _answer(decision, query, row) == row, f"{policy.name} at {at}: {facts[number]}"
    for fact, mine, theirs in zip(facts, decisions, columns.decide(facts[:IN_FULL], policy, at), strict=False):
        assert mine == theirs, f"{policy.name} at {at}: {fact}"
        assert list(mine.use_until) == list(theirs.use_until)
    return sum(1 for decision in decisions if decision.eligible)


def _answer_columns(query: SetQuery) -> str:
    columns = ["epoch_us(erase_by) AS erase_by", "held", "gap"]
    for number, _ in enumerate(query.purposes):
        columns += [f"eligible_{number}", f"epoch_us(use_until_{number}) AS use_until_{number}"]
    return ", ".join(columns)


def _answer(decision: Decision, query: SetQuery, row: list[Any]) -> list[Any]:
    """Lay a decision out as the columns of the set query.

    While held, the reference opens `legal` without an end whatever its grants say; the set
    query leaves that to `rows.py`, whose decisions are compared in full.
    """
    answer: list[Any] = [decision.erase_by and to_micros(decision.erase_by), decision.held]
    answer.append(sum(1 << GAP_KEYS.index(key) for key in decision.gap))
    for purpose in query.purposes:
        answer.append(purpose in decision.eligible)
        end = decision.use_until.get(purpose)
        opened = decision.held and purpose == "legal"
        answer.append(
            row[len(answer)] if opened else (to_micros(end or LATEST) if purpose in decision.use_until else None)
        )
    return answer


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_evaluators_agree(path: Path) -> None:
    """Over all policies this compares more than a million decisions."""
    policy = load(path)
    share = -(-1_000_000 // (len(POLICIES) * len(INSTANTS))) + 1
    eligible = sum(agree(policy, at, seed, share) for seed, at in enumerate(INSTANTS))
    if policy.cut_purposes:
        assert eligible > 0, "the facts never made anything eligible, so the comparison shows little"


@pytest.mark.deep
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_evaluators_agree_on_a_million_facts_each(path: Path) -> None:
    """The long proof: a million facts for every policy, in batches that differ from those of `make test`."""
    policy = load(path)
    for seed in range(1000, 1102):
        agree(policy, INSTANTS[seed % len(INSTANTS)], seed, 10_000)
