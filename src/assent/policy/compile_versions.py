"""Several versions as one set query, with the meaning of `versions.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.policy.compile import compile_policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assent.policy.compile import SetQuery
    from assent.policy.model import Policy


def compile_versions(policies: Sequence[Policy], at: datetime) -> str:
    """Compile several versions (oldest first) into one query: the stricter of the part's version and today's.

    Yields `part`, `erase_by`, `held`, `gap`, `rule`, `last_use` (`Decision.may_use_until`), `then_version` and
    `now_version` (the places in `policies` of the two that govern) and, for each cut purpose, `eligible_<purpose>` and
    `why_not_<purpose>` (NULL where eligible), quoted as column names, with the meaning of
    `versions.decide_versions` over `versions.governing`.
    """
    queries = [compile_policy(policy, at) for policy in policies]
    cuts = list(dict.fromkeys(purpose for policy in policies for purpose in policy.cut_purposes))
    named = ",\n".join(f"version_{n} AS (\n{_answers(query, n, cuts)}\n)" for n, query in enumerate(queries))
    numbers = range(len(queries))
    joins = " ".join(f"JOIN version_{n} USING (part)" for n in numbers[1:])

    def picked(column: str, moment: str) -> str:
        cases = "".join(f" WHEN version_{n}.bound_{moment} THEN version_{n}.{column}" for n in reversed(numbers[1:]))
        return f"CASE{cases} ELSE version_0.{column} END" if cases else f"version_0.{column}"

    columns = ["part"]
    for column in [
        "erase_by",
        "gap",
        "rule",
        "held",
        "version",
        *(f'"{kind}_{p}"' for p in cuts for kind in ("eligible", "why_not")),
        "may_use",
    ]:
        name = column.strip('"')
        columns += [f'{picked(column, "then")} AS "then_{name}"', f'{picked(column, "now")} AS "now_{name}"']
    eligible = []
    for p in cuts:
        eligible.append(f'"then_eligible_{p}" AND "now_eligible_{p}" AS "eligible_{p}"')
        # today's terms speak first: they are the ones the person can look up
        eligible.append(
            f'CASE WHEN NOT "now_eligible_{p}" THEN "now_why_not_{p}"'
            f' WHEN NOT "then_eligible_{p}" THEN "then_why_not_{p}" END AS "why_not_{p}"'
        )
    both = "then_may_use IS NOT NULL AND now_may_use IS NOT NULL"
    answer = [
        "part",
        "least(then_erase_by, now_erase_by) AS erase_by",
        "now_held AS held",
        "then_gap | now_gap AS gap",
        "then_version",
        "now_version",
        "CASE WHEN now_erase_by IS NULL OR then_erase_by < now_erase_by THEN then_rule ELSE now_rule END AS rule",
        f"CASE WHEN {both} THEN least(then_may_use, now_may_use) END AS last_use",
        *eligible,
    ]
    inner = f"SELECT {', '.join(columns)} FROM version_0 {joins}"
    return f"WITH {named}\nSELECT {', '.join(answer)} FROM ({inner})"


def ripe_at(lead: timedelta) -> str:
    """Write `Decision.ripe_at` over the columns of `compile_versions`; without a lead it reads `erase_by` alone."""
    if not lead:
        return "CASE WHEN NOT held THEN erase_by END"
    early = f"erase_by - INTERVAL {int(lead.total_seconds())} SECOND"
    led = f"least(erase_by, greatest({early}, last_use))"
    return f"CASE WHEN NOT held AND erase_by IS NOT NULL THEN {led} END"


def _answers(query: SetQuery, version: int, cuts: Sequence[str]) -> str:
    """Reduce a policy's query to what versions are combined by; a purpose it does not know is never eligible."""
    columns = ["part", "erase_by", "held", "gap", "rule", "may_use", "bound_then", "bound_now", f"{version} AS version"]
    for purpose in cuts:
        known = purpose in query.purposes and purpose in query.policy.cut_purposes
        number = query.purposes.index(purpose) if known else 0
        columns.append(f'{f"eligible_{number}" if known else "FALSE"} AS "eligible_{purpose}"')
        why_not = f"why_not_{number}" if known else "'no basis'"
        columns.append(f'{why_not} AS "why_not_{purpose}"')
    return f"SELECT {', '.join(columns)} FROM ({query.sql})"
