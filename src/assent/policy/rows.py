"""Rows of the set evaluator back into decisions, with the same sentences as the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.domain.decision import Conflict, Decision
from assent.domain.instants import LATEST, in_utc
from assent.policy import explain
from assent.policy.compile import GAP_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.policy.compile import SetQuery


def decision_from_row(query: SetQuery, row: Mapping[str, Any], at: datetime) -> Decision:
    """Read one row of a `SetQuery` as the decision it states."""
    policy = query.policy
    bases = [
        (grant, row[f"grant_{n}"] == 2, in_utc(row[f"use_{n}"]), in_utc(row[f"erase_{n}"]))
        for n, grant in enumerate(policy.grants)
        if row[f"grant_{n}"]
    ]
    ends = {
        purpose: in_utc(end) for n, purpose in enumerate(query.purposes) if (end := row[f"use_until_{n}"]) is not None
    }
    # purposes appear in the order in which their first sure grant stands in the file
    order = dict.fromkeys(grant.purpose for grant, sure, _, _ in bases if sure)
    use_until = {purpose: None if ends[purpose] >= LATEST else ends[purpose] for purpose in order}
    held = bool(row["held"])
    if held:
        use_until["legal"] = None
    bits = int(str(row["gap"]))
    gap = tuple(key for n, key in enumerate(GAP_KEYS) if bits & 1 << n)
    caps = (*policy.caps, policy.withdrawal)
    capped = {cap.id: in_utc(row[f"cap_{n}"]) for n, cap in enumerate(caps) if row[f"cap_{n}"] is not None}
    vetoed = [veto.id for n, veto in enumerate(policy.vetoes) if row[f"vetoed_{n}"]]
    eligible = {purpose for n, purpose in enumerate(query.purposes) if row[f"eligible_{n}"]}
    erase_by = row["erase_by"]
    return Decision(
        part=str(row["part"]),
        at=at,
        eligible=tuple(purpose for purpose in policy.cut_purposes if purpose in eligible),
        use_until=use_until,
        erase_by=None if erase_by is None else in_utc(erase_by),
        held=held,
        gap=gap,
        conflicts=_conflicts(query, row),
        reasons=explain.reasons(
            policy,
            bases,
            vetoed,
            capped,
            gap,
            held=held,
            released_at=in_utc(erase_by) if row["rule"] == "hold" and erase_by is not None else None,
        ),
        policy=policy.name,
        digest=policy.digest,
        may_use_until=None if row["may_use"] is None else in_utc(row["may_use"]),
    )


def _conflicts(query: SetQuery, row: Mapping[str, Any]) -> tuple[Conflict, ...]:
    found = [Conflict(*names) for n, names in enumerate(query.conflicts) if row[f"conflict_{n}"]]
    floor, ceiling = row["floor"], row["ceiling"]
    if isinstance(floor, int) and isinstance(ceiling, int):
        grants = query.policy.grants
        winner = floor if grants[floor].rank > grants[ceiling].rank else ceiling
        found.append(Conflict(grants[floor].id, grants[ceiling].id, grants[winner].id))
    return tuple(found)
