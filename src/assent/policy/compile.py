"""The set evaluator: the same policy as one SQL query over columns (DuckDB's dialect).

The text is built from the typed rules, layer by layer, in the order of `decide.py`:

    seen      facts as known at the instant: later events masked, unmapped plans unknown
    chosen    + the run of choices that holds at the part's time (equi-join and range)
    tested    + each condition and veto: TRUE, FALSE, or NULL for unknown
    weighed   + per grant: does it count, is it sure, which facts are missing
    timed     + per grant: its ends after its caps
    ruled     + erase_by, before holds
    decided   + one row of answers per part

Choices arrive as half-open *runs*, never through an engine's as-of join (pipelines.md
3.3: one popular stack wrongly admitted 460,744 rows that way). `RUNS` makes runs from acts.

Columns read from `parts`: `part`, `chooser` (whose choices count), the state, clocks and
events of `domain.facts.Facts` as TIMESTAMP in UTC, `held` and `released_at` from the holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.domain.instants import LATEST
from assent.policy.model import CLOCKS, HAPPENINGS, AgeTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.domain.durations import Duration
    from assent.policy.model import Cap, ChoiceRule, Condition, Grant, Policy, Veto

GAP_KEYS: Final = (
    "age",
    "choices",
    "created_at",
    "data",
    "last_turn_at",
    "mode",
    "origin",
    "plan",
    "recorded_at",
    "region",
    "role",
    "signed_in",
    "surface",
)
"""Facts that can be a gap, in alphabetical order; bit n of the `gap` column is GAP_KEYS[n]."""

RUNS: Final = """
    WITH last_word AS (
        -- of two acts at one instant the refusing one counts
        SELECT chooser, purpose, acted_at, bool_and(act = 'allow') AS allowed
        FROM acts WHERE act <> 'defer' GROUP BY ALL
    ),
    turns AS (
        SELECT *, lag(allowed) OVER whose AS before, min(acted_at) OVER (PARTITION BY chooser, purpose) AS decided_at
        FROM last_word WINDOW whose AS (PARTITION BY chooser, purpose ORDER BY acted_at)
    ),
    answered AS (
        SELECT chooser, purpose, allowed, acted_at AS start, decided_at,
               lead(acted_at) OVER (PARTITION BY chooser, purpose ORDER BY acted_at) AS stop
        FROM turns WHERE before IS DISTINCT FROM allowed
    )
    SELECT chooser, purpose, allowed, start, coalesce(stop, $never) AS stop,
           CASE WHEN allowed THEN stop END AS refused_at, decided_at
    FROM answered
    UNION ALL
    SELECT chooser, purpose, NULL, $ever, start, CASE WHEN allowed THEN stop ELSE start END, decided_at
    FROM answered WHERE start = decided_at
"""
"""Runs of one answer per chooser and purpose, from `acts(chooser, purpose, act, acted_at)`: half-open [start, stop),
without gap from the first moment on; `allowed` NULL before the first answer. `refused_at` is the first refusal
after the run's permission, `decided_at` the first answer of all."""


def literal(instant: datetime) -> str:
    """Write an instant as a TIMESTAMP literal in UTC."""
    return f"TIMESTAMP '{instant.replace(tzinfo=None).isoformat(sep=' ')}'"


NEVER: Final = literal(LATEST)
EVER: Final = "TIMESTAMP '0001-01-01'"


def runs_query() -> str:
    """Return the SELECT that makes runs from a relation named `acts`."""
    return RUNS.replace("$never", NEVER).replace("$ever", EVER)


@dataclass(frozen=True, slots=True)
class SetQuery:
    """A compiled policy: `sql` reads relations `parts` and `runs` and yields one row a part.

    Columns: `part`, `erase_by`, `held`, `gap` (bits of GAP_KEYS), `eligible_<n>` and
    `use_until_<n>` per purpose in `purposes`, and the findings that reasons are made of:
    `grant_<n>` (2 sure, 1 possible, 0 no), `use_<n>`, `erase_<n>`, `cap_<n>` (its event, if it
    shortened anything), `veto_<n>`, `conflict_<n>` in the order of `conflicts`, `floor` and `ceiling`.
    """

    sql: str
    policy: Policy
    purposes: tuple[str, ...]
    conflicts: tuple[tuple[str, str, str], ...]


def compile_policy(policy: Policy, at: datetime) -> SetQuery:
    """Compile a policy for one instant. The same policy and instant give the same text."""
    return _Compiler(policy, at).query()


def _all(terms: Iterable[str]) -> str:
    return " AND ".join(f"({term})" for term in terms) or "TRUE"


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(f"({term})" for term in terms) or "FALSE"


def _bits(terms: Iterable[tuple[str, str]]) -> str:
    """Add up the bits of the facts whose test is unknown."""
    return " | ".join(f"CASE WHEN {test} THEN {1 << GAP_KEYS.index(key)} ELSE 0 END" for key, test in terms) or "0"


def _least(first: str, others: Sequence[str]) -> str:
    return f"least({', '.join([first, *others])})" if others else first


def _plus(instant: str, length: Duration | None) -> str:
    if length is None:
        return instant
    steps = ((length.months, "MONTH"), (length.days, "DAY"), (length.seconds, "SECOND"))
    return instant + "".join(f" + INTERVAL {number} {unit}" for number, unit in steps if number)


def _quoted(value: object) -> str:
    return str(value).upper() if isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"


class _Compiler:
    """Builds the query of one policy at one instant."""

    def __init__(self, policy: Policy, at: datetime) -> None:
        self.policy = policy
        self.at = literal(at)
        self.purposes = tuple(dict.fromkeys(grant.purpose for grant in policy.grants))
        self.caps = (*policy.caps, policy.withdrawal)
        self.conflicts: list[tuple[str, str, str]] = []
        self._fired: dict[str, list[str]] = {cap.id: [] for cap in self.caps}
        self._conflicting: list[str] = []

    def query(self) -> SetQuery:
        layers = [
            ("seen", self._seen()),
            ("chosen", self._chosen()),
            ("tested", self._tested()),
            ("weighed", self._weighed()),
            ("started", self._started()),
            ("timed", self._timed()),
            ("ruled", self._ruled()),
            ("released", self._released()),
        ]
        named = ",\n".join(f"{name} AS (\n{body})" for name, body in layers)
        return SetQuery(f"WITH {named}\n{self._decided()}", self.policy, self.purposes, tuple(self.conflicts))

    # -- seen ---------------------------------------------------------------------------

    def _seen(self) -> str:
        policy, at = self.policy, self.at
        events = {key: f"CASE WHEN {key} <= {at} THEN {key} END" for key in HAPPENINGS.values()}
        if policy.reversal_ends_flag:
            undone = f"flag_reversed_at <= {at}"
            events["flagged_at"] = f"CASE WHEN flagged_at <= {at} AND ({undone}) IS NOT TRUE THEN flagged_at END"
        effective = literal(policy.effective)
        if policy.acknowledgement_counts:
            effective = f"least({effective}, CASE WHEN acknowledged_at <= {at} THEN acknowledged_at END)"
        clock = policy.part_clock
        plans = ", ".join(_quoted(plan) for plan in sorted(policy.plans))
        replaced = [f"CASE WHEN plan IN ({plans}) THEN plan END AS plan"]
        replaced += [f"{sql} AS {key}" for key, sql in events.items()]
        moment = f"CASE WHEN {clock} <= {at} THEN {clock} ELSE {at} END"
        return (
            f"  SELECT * REPLACE ({', '.join(replaced)}),\n"
            f"    {effective} AS effective, {moment} AS moment\n  FROM parts"
        )

    # -- chosen -------------------------------------------------------------------------

    def _choice_rules(self) -> list[ChoiceRule]:
        return list(dict.fromkeys(grant.choice for grant in self.policy.grants if grant.choice))

    def _name(self, choice: ChoiceRule) -> str:
        return f"choice_{self._choice_rules().index(choice)}"

    def _chosen(self) -> str:
        columns, joins = [], []
        for choice in self._choice_rules():
            name, purpose = self._name(choice), _quoted(choice.purpose)
            moment = self.at if choice.covers == "now" else "moment"
            joins.append(
                f"  LEFT JOIN (SELECT * FROM runs WHERE purpose = {purpose}) AS {name}\n"
                f"    ON {name}.chooser = seen.chooser AND {name}.start <= {moment} AND {moment} < {name}.stop"
            )
            ended = f"CASE WHEN {name}.refused_at <= {self.at} THEN {name}.refused_at END"
            if self.policy.revives and choice.covers == "part and now":
                joins.append(
                    f"  LEFT JOIN (SELECT chooser, start FROM runs WHERE purpose = {purpose} AND NOT allowed\n"
                    f"    AND start <= {self.at} AND {self.at} < stop) AS {name}_now\n"
                    f"    ON {name}_now.chooser = seen.chooser"
                )
                ended = f"{name}_now.start"
            if choice.covers == "part":
                ended = "NULL::TIMESTAMP"
            undecided = f"({name}.decided_at <= {self.at}) IS NOT TRUE"
            permitted = f"{name}.allowed IS TRUE"
            if choice.by_default:
                undecided, permitted = "FALSE", f"{name}.allowed IS NOT FALSE"
            elif self._silence_refuses():
                undecided = "FALSE"
            columns += [
                f"{permitted} AS {name}_permitted",
                f"{undecided} AS {name}_undecided",
                f"CASE WHEN {name}.allowed IS NOT NULL THEN {name}.start END AS {name}_since",
                f"{ended} AS {name}_ended",
            ]
        return "  SELECT seen.*" + "".join(f",\n    {c}" for c in columns) + "\n  FROM seen\n" + "\n".join(joins)

    def _silence_refuses(self) -> bool:
        since = self.policy.silence_refuses_from
        return since is not None and literal(since) <= self.at

    # -- tested -------------------------------------------------------------------------

    def _tests(self, condition: Condition) -> list[tuple[str, str]]:
        """Return (fact key, SQL test) of a condition; a test is NULL when its fact is unknown."""
        tests = []
        for test in condition.tests:
            if isinstance(test, AgeTest):
                bounds = [f"age < {test.below}"] if test.below is not None else []
                bounds += [f"age >= {test.at_least}"] if test.at_least is not None else []
                tests.append(("age", _all(bounds)))
            elif not test.values:
                tests.append((test.key, f"CASE WHEN {test.key} IS NOT NULL THEN {str(test.negated).upper()} END"))
            else:
                values = ", ".join(sorted(_quoted(value) for value in test.values))
                tests.append((test.key, f"{test.key} {'NOT IN' if test.negated else 'IN'} ({values})"))
        tests += [(key, f"{key} IS NOT NULL") for key in condition.happened]
        tests += [(key, f"{key} IS NULL") for key in condition.absent]
        if condition.era is not None:
            sign = ">=" if condition.era == "since effective" else "<"
            tests.append((self.policy.part_clock, f"{self.policy.part_clock} {sign} effective"))
        return tests

    def _tested(self) -> str:
        columns = []
        for kind, rules in (("when", self.policy.grants), ("veto", self.policy.vetoes)):
            for index, rule in enumerate(rules):
                tests = self._tests(rule.when)
                unknown = [(key, f"({sql}) IS NULL") for key, sql in tests if key in GAP_KEYS]
                columns.append(f"{_all(sql for _, sql in tests)} AS {kind}_{index}")
                columns.append(f"{_bits(unknown)} AS {kind}_{index}_missing")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM chosen"

    # -- weighed ------------------------------------------------------------------------

    def _start(self, grant: Grant) -> str:
        if grant.anchor in CLOCKS:
            return CLOCKS[grant.anchor]
        if grant.anchor in HAPPENINGS:
            return HAPPENINGS[grant.anchor]
        if grant.anchor == "policy effective or acknowledged":
            return "effective"
        if grant.anchor == "case closed":
            return "released_at"
        field = "since" if grant.anchor == "choice given" else "ended"
        if grant.choice is None:
            return "NULL::TIMESTAMP"
        # an answer that does not permit has no beginning and no end for the grant
        return f"CASE WHEN {self._name(grant.choice)}_permitted THEN {self._name(grant.choice)}_{field} END"

    def _weighed(self) -> str:
        columns = []
        vetoes = self.policy.vetoes
        for index, grant in enumerate(self.policy.grants):
            numbers = [vetoes.index(veto) for veto in grant.vetoes]
            missing = [f"when_{index}_missing", *(f"veto_{n}_missing" for n in numbers)]
            if grant.anchor in CLOCKS:
                key = CLOCKS[grant.anchor]
                missing.append(_bits([(key, f"{key} IS NULL")]))
                applies = f"when_{index} IS NOT FALSE"
            else:
                applies = f"when_{index} IS NOT FALSE AND ({self._start(grant)}) IS NOT NULL"
            columns.append(f"{applies} AS applies_{index}")
            stands = " AND ".join([f"applies_{index}", *(f"veto_{n} IS NOT TRUE" for n in numbers)])
            # a veto that is false leaves nothing missing, whatever else it does not know
            missing[1 : 1 + len(numbers)] = [
                f"CASE WHEN veto_{n} IS NULL THEN veto_{n}_missing ELSE 0 END" for n in numbers
            ]
            columns.append(f"{' | '.join(f'({term})' for term in missing)} AS lacks_{index}")
            if grant.choice is None:
                columns.append(f"{stands} AS counts_{index}")
                columns.append(f"CASE WHEN counts_{index} THEN lacks_{index} ELSE 0 END AS gap_{index}")
                columns.append(f"counts_{index} AND lacks_{index} = 0 AS sure_{index}")
                continue
            name, clock = self._name(grant.choice), self.policy.part_clock
            untimed = _bits([(clock, f"{clock} IS NULL")])
            waits = 1 << GAP_KEYS.index("choices")
            columns.append(f"{stands} AND {name}_permitted AND NOT {name}_undecided AS counts_{index}")
            columns.append(
                f"CASE WHEN counts_{index} THEN lacks_{index} | {untimed}\n"
                f"      WHEN {stands} AND {name}_undecided THEN lacks_{index} | {waits} ELSE 0 END AS gap_{index}"
            )
            columns.append(f"counts_{index} AND gap_{index} = 0 AS sure_{index}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM tested"

    # -- started and timed --------------------------------------------------------------

    def _started(self) -> str:
        columns = []
        for index, grant in enumerate(self.policy.grants):
            start = self._start(grant)
            end = self._length(grant, start)
            if end is None:
                own_use = own_erase = NEVER
            else:
                own_use = f"coalesce(least({end}, {NEVER}), {NEVER})"
                own_erase = f"least({_plus(f'own_use_{index}', grant.erase_after)}, {NEVER})"
            # ends are worked out only where the grant counts: most parts meet one or two grants
            columns.append(f"CASE WHEN counts_{index} THEN {own_use} END AS own_use_{index}")
            columns.append(f"CASE WHEN counts_{index} THEN {own_erase} END AS own_erase_{index}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM weighed"

    def _length(self, grant: Grant, start: str) -> str | None:
        """Return the SQL of the grant's own end, NULL where the person picked no end; None if it never ends."""
        default = grant.use_for.default
        if not grant.use_for.picks:
            return None if default is None else _plus(start, default)
        cases = "".join(
            f" WHEN {_quoted(text)} THEN {_plus(start, pick) if pick else NEVER}"
            for text, pick in grant.use_for.picks.items()
        )
        return f"CASE user_duration{cases} ELSE {_plus(start, default) if default else NEVER} END"

    def _caps_of(self, grant: Grant) -> list[tuple[Cap, str]]:
        caps = [(cap, cap.key) for cap in grant.caps]
        if grant.choice is not None and self.policy.withdrawal.id not in (grant.ignores or ()):
            caps.append((self.policy.withdrawal, f"{self._name(grant.choice)}_ended"))
        return caps

    def _timed(self) -> str:
        columns = []
        for index, grant in enumerate(self.policy.grants):
            uses: list[str] = []
            erasures: list[str] = []
            for cap, event in self._caps_of(grant):
                use_end = f"least({_plus(event, cap.use_after)}, {NEVER})" if cap.use_after else event
                erase_end = f"least({_plus(use_end, cap.erase_after)}, {NEVER})" if cap.erase_after else use_end
                cut_use = f"{use_end} < {_least(f'own_use_{index}', uses)}"
                cut_erase = f"{erase_end} < {_least(f'own_erase_{index}', erasures)}"
                floor_wins = grant.floor and grant.rank > cap.rank
                if grant.floor and not cap.keeps:
                    self.conflicts.append((grant.id, cap.id, grant.id if floor_wins else cap.id))
                    self._conflicting.append(f"(counts_{index} AND {cut_erase}) IS TRUE")
                shortens = cut_use if cap.keeps or floor_wins else f"({cut_use}) OR ({cut_erase})"
                self._fired[cap.id].append(f"CASE WHEN counts_{index} AND ({shortens}) THEN {event} END")
                uses.append(use_end)
                if not cap.keeps and not floor_wins:
                    erasures.append(erase_end)
            columns.append(f"{_least(f'own_use_{index}', uses)} AS ends_{index}")
            columns.append(f"{_least(f'own_erase_{index}', erasures)} AS goes_{index}")
        for index, _ in enumerate(self.policy.grants):
            columns.append(f"CASE WHEN counts_{index} THEN ends_{index} END AS use_{index}")
            columns.append(f"CASE WHEN counts_{index} THEN goes_{index} END AS erase_{index}")
        for index, cap in enumerate(self.caps):
            terms = ", ".join(["NULL::TIMESTAMP", *self._fired[cap.id]])
            columns.append(f"coalesce({terms}) AS cap_{index}")
        columns += [f"{sql} AS conflict_{index}" for index, sql in enumerate(self._conflicting)]
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM started"

    # -- ruled and released -------------------------------------------------------------

    def _ruled(self) -> str:
        grants = self.policy.grants
        floors = [index for index, grant in enumerate(grants) if grant.floor]
        ceilings = [index for index, grant in enumerate(grants) if not grant.floor]
        columns = []
        for name, numbers in (("floor", floors), ("ceiling", ceilings)):
            ends = ", ".join(["NULL::TIMESTAMP", *(f"erase_{n}" for n in numbers)])
            columns.append(f"greatest({ends}) AS {name}_end")
            whose = "".join(f" WHEN erase_{n} = {name}_end THEN {n}" for n in numbers)
            columns.append(f"CASE{whose} END AS {name}" if numbers else f"NULL::INTEGER AS {name}")
        stronger = [
            f"floor = {f} AND ceiling = {c}" for f in floors for c in ceilings if grants[f].rank > grants[c].rank
        ]
        columns.append(f"coalesce({_any(stronger)}, FALSE) AS floor_wins")
        columns.append(
            "CASE WHEN floor_end > ceiling_end AND NOT floor_wins THEN ceiling_end\n"
            "      WHEN floor_end IS NULL AND ceiling_end IS NULL THEN greatest(created_at, last_turn_at, recorded_at)\n"
            "      ELSE greatest(floor_end, ceiling_end) END AS own_end"
        )
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM timed"

    def _released(self) -> str:
        columns = ["CASE WHEN own_end IS NOT NULL THEN greatest(own_end, released_at) END AS gone_by"]
        for number, purpose in enumerate(self.purposes):
            ends = [
                f"CASE WHEN sure_{index} THEN least(use_{index}, gone_by) END"
                for index, grant in enumerate(self.policy.grants)
                if grant.purpose == purpose
            ]
            columns.append(f"greatest({', '.join(['NULL::TIMESTAMP', *ends])}) AS end_{number}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM ruled"

    # -- decided ------------------------------------------------------------------------

    def _decided(self) -> str:
        policy = self.policy
        columns = ["part", f"CASE WHEN NOT held AND gone_by < {NEVER} THEN gone_by END AS erase_by", "held"]
        columns.append(" | ".join(f"gap_{index}" for index in range(len(policy.grants))) + " AS gap")
        for number, purpose in enumerate(self.purposes):
            eligible = f"NOT held AND coalesce({self.at} < end_{number}, FALSE)"
            columns.append(f"{eligible if purpose in policy.cut_purposes else 'FALSE'} AS eligible_{number}")
            columns.append(f"end_{number} AS use_until_{number}")
        for index, _ in enumerate(policy.grants):
            columns.append(f"CASE WHEN sure_{index} THEN 2 WHEN counts_{index} THEN 1 ELSE 0 END AS grant_{index}")
            columns += [f"use_{index}", f"erase_{index}"]
        columns += [f"cap_{index}" for index in range(len(self.caps))]
        columns += [f"{self._vetoed(number, veto)} AS vetoed_{number}" for number, veto in enumerate(policy.vetoes)]
        columns += [f"conflict_{index}" for index in range(len(self.conflicts))]
        columns.append("CASE WHEN floor_end > ceiling_end THEN floor END AS floor")
        columns.append("CASE WHEN floor_end > ceiling_end THEN ceiling END AS ceiling")
        columns.append("CASE WHEN floor_end > ceiling_end AND NOT floor_wins THEN ceiling ELSE coalesce("
                       "CASE WHEN floor_end > coalesce(ceiling_end, floor_end - INTERVAL 1 DAY) THEN floor END, "
                       "ceiling) END AS deciding")
        return "SELECT\n  " + ",\n  ".join(columns) + "\nFROM released"

    def _vetoed(self, number: int, veto: Veto) -> str:
        """Tell whether this veto was the first to stop some grant that otherwise applied."""
        terms = []
        for index, grant in enumerate(self.policy.grants):
            if veto in grant.vetoes:
                earlier = [self.policy.vetoes.index(v) for v in grant.vetoes[: grant.vetoes.index(veto)]]
                terms.append(
                    " AND ".join([f"applies_{index}", f"veto_{number} IS TRUE", *(f"veto_{n} IS NOT TRUE" for n in earlier)])
                )
        return _any(terms)
