"""Deciding a batch again inside the transaction that erases it: by sets, with the reference asked for a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from assent.domain.digests import digest
from assent.domain.errors import AssentError
from assent.domain.instants import in_utc
from assent.policy.compile_versions import compile_versions, ripe_at
from assent.policy.runs import literal
from assent.policy.versions import decide_versions, governing
from assent.store.records import DUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from assent.domain.facts import Facts
    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.records import DueBatch, FactColumnsBatch, Redecide


def redecide(columns: Columns, policies: Sequence[Policy], at: datetime, lead: timedelta) -> Redecide:
    """Return what decides a batch: which of its parts are ripe at `at`, `lead` before their `erase_by`.

    `policies` are ordered by date, oldest first. What is returned raises `AssentError` if the
    reference evaluator does not agree about a part of the sample; nothing is erased then.
    """
    wanted = (
        "SELECT part::BIGINT AS part, erase_by, rule, then_version, now_version"  # noqa: S608 - of our own making
        f" FROM ({compile_versions(policies, at)})"
        f" WHERE {ripe_at(lead)} <= {literal(at)} ORDER BY 1"
    )

    def decide(batch: FactColumnsBatch) -> DueBatch:
        with columns.loaded(batch.facts, batch.acts, batch.holds, at):
            found = columns.table(wanted)
        due = _with_policies(found, policies)
        _agree(due, batch.sample, policies, at, lead)
        return due

    return decide


def _with_policies(found: pa.Table, policies: Sequence[Policy]) -> DueBatch:
    """Name for every part the policy digest that a decision by the reference carries."""
    names: dict[tuple[int, int], str] = {}
    digests = []
    for then, now in zip(found["then_version"].to_pylist(), found["now_version"].to_pylist(), strict=True):
        if (then, now) not in names:
            both = [policies[n].digest for n in dict.fromkeys((then, now))]
            names[then, now] = both[0] if len(both) == 1 else digest(both)
        digests.append(names[then, now])
    return pa.table([found["part"], found["erase_by"], found["rule"], pa.array(digests, pa.string())], schema=DUE)


def _agree(
    due: DueBatch, sample: Mapping[int, Facts], policies: Sequence[Policy], at: datetime, lead: timedelta
) -> None:
    """Decide the sample by the reference and compare."""
    places = {key: place for place, key in enumerate(due["part"].to_pylist()) if key in sample}
    for key, facts in sample.items():
        decision = decide_versions(facts, governing(policies, facts, at), at)
        expected = (decision.erase_by, decision.digest) if decision.due(lead) else None
        found = None
        if (place := places.get(key)) is not None:
            found = (in_utc(due["erase_by"][place].as_py()), due["policy"][place].as_py())
        if found != expected:
            raise AssentError(
                f"the two evaluators do not agree on part `{facts.part}`, so nothing of its batch was erased",
                "report it with what `assent explain` says of the conversation; the rest of the store is as it was",
            )
