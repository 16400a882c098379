"""Faults of the set evaluator: the query, the columns it reads, the rows it gives back."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import Fault

_COMPILE: Final = "policy/compile.py"
_VERSIONS: Final = "policy/compile_versions.py"
_RUNS: Final = "policy/runs.py"
_ROWS: Final = "policy/rows.py"
_COLUMNS: Final = "store/columns.py"

SET_FAULTS: Final = (
    Fault(
        "set query: use goes on at the very instant of its end",
        _COMPILE,
        'f"NOT held AND coalesce({self.at} < {end}, FALSE)"',
        'f"NOT held AND coalesce({self.at} <= {end}, FALSE)"',
    ),
    Fault(
        "set query: held data is eligible",
        _COMPILE,
        'f"NOT held AND coalesce({self.at} < {end}, FALSE)"',
        'f"coalesce({self.at} < {end}, FALSE)"',
    ),
    Fault(
        "set query: held data is erased",
        _COMPILE,
        "nullif(CASE WHEN NOT held THEN gone_by END, {NEVER})",
        "nullif(gone_by, {NEVER})",
    ),
    Fault(
        "set query: events after the instant are known",
        _COMPILE,
        '{key: f"CASE WHEN {key} <= {at} THEN {key} END" for key',
        '{key: f"{key}" for key',
    ),
    Fault(
        "set query: a reversal after the instant is known",
        _COMPILE,
        'undone = f"flag_reversed_at <= {at}"',
        'undone = "TRUE"',
    ),
    Fault(
        "set query: of two acts at one instant the allowing one wins",
        _RUNS,
        "bool_and(act = 'allow')",
        "bool_or(act = 'allow')",
    ),
    Fault(
        "set query: a deferral refuses",
        _RUNS,
        "FROM acts WHERE act <> 'defer' GROUP BY ALL",
        "FROM acts GROUP BY ALL",
    ),
    Fault(
        "set query: a run of choices still holds at its end",
        _COMPILE,
        "{moment} < {name}.stop",
        "{moment} <= {name}.stop",
    ),
    Fault(
        "set query: a run of choices does not hold at its start",
        _COMPILE,
        "{name}.start <= {moment}",
        "{name}.start < {moment}",
    ),
    Fault(
        "set query: a refusal at the instant is not known yet",
        _COMPILE,
        "{name}.refused_at <= {self.at}",
        "{name}.refused_at < {self.at}",
    ),
    Fault(
        "set query: an answer that came later covers the silent time before",
        _COMPILE,
        'permitted = f"{name}.allowed IS TRUE"',
        'permitted = f"{name}.allowed IS NOT FALSE"',
    ),
    Fault(
        "set query: a choice about now is asked for the part's time",
        _COMPILE,
        'self.at if choice.covers == "now" else "moment"',
        '"moment"',
    ),
    Fault(
        "set query: a new grant never revives earlier data",
        _COMPILE,
        "if self.policy.revives and choice",
        "if False and choice",
    ),
    Fault(
        "set query: of two switches the first given counts",
        _COMPILE,
        "when = f\"greatest({', '.join(['NULL",
        "when = f\"least({', '.join(['NULL",
    ),
    Fault(
        "set query: a refusal of one switch waits for the other",
        _COMPILE,
        "_undecided' for c in grant.choices)}) AND NOT ({self._refuses(grant)})\"",
        "_undecided' for c in grant.choices)})\"",
    ),
    Fault(
        "set query: vetoes are ignored",
        _COMPILE,
        'stands = _all([f"applies_{index}", *(f"veto_{n} IS NOT TRUE" for n in numbers)])',
        'stands = f"applies_{index}"',
    ),
    Fault(
        "set query: an unknown veto is taken for none",
        _COMPILE,
        '*(f"veto_{n} IS FALSE" for n in numbers)]',
        '*(f"veto_{n} IS NOT TRUE" for n in numbers)]',
    ),
    Fault(
        "set query: what a veto does not know is no gap",
        _COMPILE,
        'lacks += [f"CASE WHEN veto_{n} IS NULL THEN veto_{n}_missing ELSE 0 END" for n in numbers]',
        "pass",
    ),
    Fault(
        "set query: an unknown clock is no gap",
        _COMPILE,
        'lacks += [_bits([(clock, f"{clock} IS NULL")])] if clock else []',
        "pass",
    ),
    Fault("set query: an undeclared plan is a known one", _COMPILE, "if test.declared is not None:", "if False:"),
    Fault(
        "set query: days are added before months",
        _COMPILE,
        'steps = ((length.months, "MONTH"), (length.days, "DAY"),',
        'steps = ((length.days, "DAY"), (length.months, "MONTH"),',
    ),
    Fault(
        "set query: a floor of the same class beats a cap",
        _COMPILE,
        "floor_wins = grant.floor and grant.rank > cap.rank",
        "floor_wins = grant.floor and grant.rank >= cap.rank",
    ),
    Fault(
        "set query: a floor of the same class beats a ceiling",
        _COMPILE,
        "if grants[f].rank <= grants[c].rank",
        "if grants[f].rank < grants[c].rank",
    ),
    Fault(
        "set query: a cap that keeps the bytes erases them",
        _COMPILE,
        "if not cap.keeps and not floor_wins:",
        "if not floor_wins:",
    ),
    Fault(
        "set query: a withdrawal is no cap",
        _COMPILE,
        "caps.append((self.policy.withdrawal, self._ended(grant)))",
        "pass",
    ),
    Fault(
        "set query: what was held is not kept until the release",
        _COMPILE,
        "greatest(coalesce({end}, {clocks}), released_at)",
        "coalesce({end}, {clocks})",
    ),
    Fault("set query: without a basis the oldest clock counts", _COMPILE, 'clocks = "greatest(', 'clocks = "least('),
    Fault(
        "set query: a part at the policy's first instant is before it",
        _COMPILE,
        'sign = ">=" if condition.era == "since effective" else "<"',
        'sign = ">" if condition.era == "since effective" else "<="',
    ),
    Fault(
        "set query: an acknowledgement after the instant is known",
        _COMPILE,
        'seen = f"acknowledged_at <= {at}"',
        'seen = "acknowledged_at IS NOT NULL"',
    ),
    Fault("set query: the person's own length is ignored", _COMPILE, "if not grant.use_for.picks:", "if True:"),
    Fault(
        "set query: the time to erase after use is dropped",
        _COMPILE,
        "f\"({own}){_plus('', grant.erase_after)}\"",
        'f"({own})"',
    ),
    Fault("set query: use outlasts the erasure", _COMPILE, "THEN least({end}, gone_by) END", "THEN {end} END"),
    Fault(
        "set query: the laxer version's erasure counts",
        _VERSIONS,
        '"least(then_erase_by, now_erase_by) AS erase_by"',
        '"greatest(then_erase_by, now_erase_by) AS erase_by"',
    ),
    Fault(
        "set query: what today's version allows is allowed",
        _VERSIONS,
        '"then_eligible_{p}" AND "now_eligible_{p}" AS',
        '"now_eligible_{p}" AS',
    ),
    Fault("rows: a possible grant is taken for a sure one", _ROWS, 'row[f"grant_{n}"] == 2', 'row[f"grant_{n}"] >= 1'),
    Fault("rows: a hold does not open `legal`", _ROWS, '        use_until["legal"] = None', "        pass"),
    Fault(
        "rows: a floor of the same class beats a ceiling",
        _ROWS,
        "if grants[floor].rank > grants",
        "if grants[floor].rank >= grants",
    ),
    Fault("rows: gaps are named after their neighbours", _ROWS, "if bits & 1 << n)", "if bits & 2 << n)"),
    Fault(
        "columns: a hold stands at its release",
        _COLUMNS,
        "until IS NULL OR until > {now}",
        "until IS NULL OR until >= {now}",
    ),
    Fault(
        "columns: a hold does not stand at its first instant",
        _COLUMNS,
        "WHERE start <= {now} GROUP",
        "WHERE start < {now} GROUP",
    ),
    Fault(
        "columns: the first release counts, not the last", _COLUMNS, "max(CASE WHEN until <=", "min(CASE WHEN until <="
    ),
    Fault("columns: instants lose their microseconds", _COLUMNS, 'pa.timestamp("us")', 'pa.timestamp("s")'),
)
