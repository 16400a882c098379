"""The set evaluator: the same policy as one SQL query over columns (DuckDB's dialect).

The text is built from the typed rules, layer by layer, in the order of `decide.py`:

    seen      facts as known at the instant: later events masked, unmapped plans unknown
    chosen    + the run of choices that holds at the part's time (equi-join and range)
    tested    + each condition and veto: TRUE, FALSE, or NULL for unknown
    weighed   + per grant: does it count, is it sure, which facts are missing
    timed     + per grant: its ends after its caps
    ruled     + the floor and the ceiling of erasure
    released  + when the bytes go, and when use ends, per purpose

The optimizer melts the layers into one expression per column and evaluates shared parts
once per mention inside a CASE; so the columns that plans and cuts read (`erase_by`,
`eligible_<n>`, `use_until_<n>`) mention each input once, and what only reasons need stands apart.

Choices arrive as half-open *runs*, never through an engine's as-of join (pipelines.md
3.3: one popular stack wrongly admitted 460,744 rows that way); `runs.py` makes runs from acts.

Columns read from `parts`: `part`, `chooser` (whose choices count), the state, clocks and
events of `domain.facts.Facts` as TIMESTAMP in UTC, `held` and `released_at` from the holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.policy.model import CLOCKS, HAPPENINGS, AgeTest
from assent.policy.runs import NEVER, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assent.domain.durations import Duration
    from assent.policy.model import Cap, ChoiceRule, Condition, Grant, Membership, Policy, Veto

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


@dataclass(frozen=True, slots=True)
class SetQuery:
    """A compiled policy: `sql` reads relations `parts` and `runs` and yields one row a part.

    Columns: `part`, `erase_by`, `held`, `gap` (bits of GAP_KEYS), `eligible_<n>`, `use_until_<n>`
    and `why_not_<n>` (only meaningful where not eligible) per purpose in `purposes`, `may_use`, and what
    reasons are made of: `grant_<n>` (2 sure, 1 possible, 0 no), `use_<n>`, `erase_<n>`, `cap_<n>` (its event, if it
    shortened anything), `vetoed_<n>`, `conflict_<n>` in the order of `conflicts`, `floor` and `ceiling`;
    `rule`, the id of the rule that sets `erase_by`; `bound_then` and `bound_now`, whether this
    version bound the subject at the part's time and at the instant.
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


def _least(terms: Sequence[str]) -> str:
    return f"least({', '.join(terms)})" if len(terms) > 1 else terms[0]


def _plus(instant: str, length: Duration | None) -> str:
    if length is None:
        return instant
    steps = ((length.months, "MONTH"), (length.days, "DAY"), (length.seconds, "SECOND"))
    return instant + "".join(f" + INTERVAL {number} {unit}" for number, unit in steps if number)


def _quoted(value: object) -> str:
    return str(value).upper() if isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"


def _state_test(test: Membership | AgeTest) -> str:
    """Write a test on state; NULL for an unknown fact, and for a plan that the policy does not declare."""
    if isinstance(test, AgeTest):
        bounds = [f"age < {test.below}"] if test.below is not None else []
        bounds += [f"age >= {test.at_least}"] if test.at_least is not None else []
        return _all(bounds)
    hit, miss = ("FALSE", "TRUE") if test.negated else ("TRUE", "FALSE")
    cases = f" WHEN {test.key} IN ({_values(test.values)}) THEN {hit}" if test.values else ""
    others = f"{test.key} IS NOT NULL"
    if test.declared is not None:
        rest = test.declared - test.values
        others = f"{test.key} IN ({_values(rest)})" if rest else "FALSE"
    return f"CASE{cases} WHEN {others} THEN {miss} END"


def _values(values: Iterable[object]) -> str:
    return ", ".join(sorted(_quoted(value) for value in values))


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
            seen = f"acknowledged_at <= {at}"
            if policy.announced is not None:
                seen += f" AND acknowledged_at >= {literal(policy.announced)}"
            effective = f"least({effective}, CASE WHEN {seen} THEN acknowledged_at END)"
        clock = policy.part_clock
        replaced = [f"{sql} AS {key}" for key, sql in events.items()]
        moment = f"CASE WHEN {clock} <= {at} THEN {clock} ELSE {at} END"
        return (
            f"  SELECT * REPLACE ({', '.join(replaced)}),\n"
            f"    {effective} AS effective, {moment} AS moment\n  FROM parts"
        )

    # -- chosen -------------------------------------------------------------------------

    def _choice_rules(self) -> list[ChoiceRule]:
        return list(dict.fromkeys(choice for grant in self.policy.grants for choice in grant.choices))

    def _name(self, choice: ChoiceRule) -> str:
        return f"choice_{self._choice_rules().index(choice)}"

    def _permits(self, grant: Grant) -> str:
        return _all(f"{name}_permitted AND NOT {name}_undecided" for name in map(self._name, grant.choices))

    def _refuses(self, grant: Grant) -> str:
        return _any(f"NOT {name}_undecided AND NOT {name}_permitted" for name in map(self._name, grant.choices))

    def _waits(self, grant: Grant) -> str:
        return f"({_any(f'{self._name(c)}_undecided' for c in grant.choices)}) AND NOT ({self._refuses(grant)})"

    def _ended(self, grant: Grant) -> str:
        return _least([f"{self._name(choice)}_ended" for choice in grant.choices])

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
        tests = [(test.key, _state_test(test)) for test in condition.tests]
        tests += [(key, f"{key} IS NOT NULL") for key in condition.happened]
        tests += [(key, f"{key} IS NULL") for key in condition.absent]
        if condition.era is not None:
            sign = ">=" if condition.era == "since effective" else "<"
            tests.append((self.policy.part_clock, f"{self.policy.part_clock} {sign} effective"))
        return tests

    def _tested(self) -> str:
        columns = []
        kinds: list[tuple[str, Sequence[Grant | Veto]]] = [("when", self.policy.grants), ("veto", self.policy.vetoes)]
        for kind, rules in kinds:
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
        if not grant.choices:
            return "NULL::TIMESTAMP"
        since = [f"{self._name(choice)}_since" for choice in grant.choices]
        when = f"greatest({', '.join(['NULL::TIMESTAMP', *since])})"
        # an answer that does not permit has no beginning and no end for the grant
        start = when if grant.anchor == "choice given" else self._ended(grant)
        return f"CASE WHEN {self._permits(grant)} THEN {start} END"

    def _weighed(self) -> str:
        columns = []
        for index, grant in enumerate(self.policy.grants):
            numbers = [self.policy.vetoes.index(veto) for veto in grant.vetoes]
            clock = CLOCKS.get(grant.anchor)
            starts = "TRUE" if clock else f"({self._start(grant)}) IS NOT NULL"
            stands = _all([f"applies_{index}", *(f"veto_{n} IS NOT TRUE" for n in numbers)])
            # a veto that is false leaves nothing missing, whatever else it does not know
            lacks = [f"when_{index}_missing"]
            lacks += [f"CASE WHEN veto_{n} IS NULL THEN veto_{n}_missing ELSE 0 END" for n in numbers]
            lacks += [_bits([(clock, f"{clock} IS NULL")])] if clock else []
            known = [f"when_{index} IS TRUE", *(f"veto_{n} IS FALSE" for n in numbers)]
            known += [f"{clock} IS NOT NULL"] if clock else [starts]
            columns.append(f"{_all([f'when_{index} IS NOT FALSE', starts])} AS applies_{index}")
            columns.append(f"{' | '.join(f'({term})' for term in lacks)} AS lacks_{index}")
            counts, gap = stands, f"CASE WHEN counts_{index} THEN lacks_{index} ELSE 0 END"
            if grant.choices:
                permits, moment = self._permits(grant), self.policy.part_clock
                counts = f"{stands} AND {permits}"
                known += [permits, f"{moment} IS NOT NULL"]
                asked = 1 << GAP_KEYS.index("choices")
                gap = (
                    f"CASE WHEN counts_{index} THEN lacks_{index} | {_bits([(moment, f'{moment} IS NULL')])}\n"
                    f"      WHEN {stands} AND {self._waits(grant)} THEN lacks_{index} | {asked} ELSE 0 END"
                )
            columns.append(f"{counts} AS counts_{index}")
            columns.append(f"{gap} AS gap_{index}")
            columns.append(f"{_all(known)} AS sure_{index}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM tested"

    # -- timed --------------------------------------------------------------------------

    def _own_end(self, grant: Grant) -> str | None:
        """Return the SQL of the grant's own end, NULL where its clock is unknown; None if it never ends."""
        start, default = self._start(grant), grant.use_for.default
        if not grant.use_for.picks:
            return None if default is None else _plus(start, default)
        cases = "".join(
            f" WHEN {_quoted(text)} THEN {_plus(start, pick) if pick else NEVER}"
            for text, pick in grant.use_for.picks.items()
        )
        return f"CASE user_duration{cases} ELSE {_plus(start, default) if default else NEVER} END"

    def _caps_of(self, grant: Grant) -> list[tuple[Cap, str]]:
        caps = [(cap, cap.key) for cap in grant.caps]
        if grant.choices and self.policy.withdrawal.id not in (grant.ignores or ()):
            caps.append((self.policy.withdrawal, self._ended(grant)))
        return caps

    def _timed(self) -> str:
        columns = []
        for index, grant in enumerate(self.policy.grants):
            own = self._own_end(grant)
            # least() passes over NULL: an unknown start and a cap that did not happen shorten nothing
            uses = [own, NEVER] if own else [NEVER]
            erasures = [f"({own}){_plus('', grant.erase_after)}", NEVER] if own else [NEVER]
            for cap, event in self._caps_of(grant):
                use_end = _plus(event, cap.use_after)
                erase_end = _plus(use_end, cap.erase_after)
                floor_wins = grant.floor and grant.rank > cap.rank
                cut_use = f"{_least([use_end, NEVER])} < {_least(uses)}"
                cut_erase = f"{_least([erase_end, NEVER])} < {_least(erasures)}"
                if grant.floor and not cap.keeps:
                    self.conflicts.append((grant.id, cap.id, grant.id if floor_wins else cap.id))
                    self._conflicting.append(f"(counts_{index} AND {event} IS NOT NULL AND {cut_erase}) IS TRUE")
                shortens = cut_use if cap.keeps or floor_wins else f"({cut_use}) OR ({cut_erase})"
                self._fired[cap.id].append(f"CASE WHEN counts_{index} AND ({shortens}) THEN {event} END")
                uses.append(use_end)
                if not cap.keeps and not floor_wins:
                    erasures.append(erase_end)
            columns.append(f"CASE WHEN counts_{index} THEN {_least(uses)} END AS use_{index}")
            columns.append(f"CASE WHEN counts_{index} THEN {_least(erasures)} END AS erase_{index}")
            columns.append(f"CASE WHEN sure_{index} THEN {_least(uses)} END AS sure_use_{index}")
        for index, cap in enumerate(self.caps):
            terms = ", ".join(["NULL::TIMESTAMP", *self._fired[cap.id]])
            columns.append(f"coalesce({terms}) AS cap_{index}")
        columns += [f"{sql} AS conflict_{index}" for index, sql in enumerate(self._conflicting)]
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM weighed"

    # -- ruled and released -------------------------------------------------------------

    def _ruled(self) -> str:
        grants = self.policy.grants
        columns = []
        for name, floor in (("floor", True), ("ceiling", False)):
            numbers = [index for index, grant in enumerate(grants) if grant.floor is floor]
            end = f"greatest({', '.join(['NULL::TIMESTAMP', *(f'erase_{n}' for n in numbers)])})"
            whose = "".join(f" WHEN erase_{n} = {end} THEN {n}" for n in numbers)
            columns.append(f"{end} AS {name}_end")
            columns.append(f"{f'CASE{whose} END' if numbers else 'NULL::INTEGER'} AS {name}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM timed"

    def _has_floors(self) -> bool:
        return any(grant.floor for grant in self.policy.grants)

    def _released(self) -> str:
        grants = self.policy.grants
        clocks = "greatest(created_at, last_turn_at, recorded_at)"
        if self._has_floors():
            floors = [f for f, grant in enumerate(grants) if grant.floor]
            ceilings = [c for c, grant in enumerate(grants) if not grant.floor]
            weaker = [
                f"floor = {f} AND ceiling = {c}" for f in floors for c in ceilings if grants[f].rank <= grants[c].rank
            ]
            end = f"CASE WHEN {_any(weaker)} THEN ceiling_end ELSE greatest(floor_end, ceiling_end) END"
        else:
            end = "ceiling_end"
        columns = [f"greatest(coalesce({end}, {clocks}), released_at) AS gone_by"]
        for number, purpose in enumerate(self.purposes):
            ends = [f"sure_use_{index}" for index, grant in enumerate(grants) if grant.purpose == purpose]
            columns.append(f"greatest({', '.join(['NULL::TIMESTAMP', *ends])}) AS end_{number}")
        return "  SELECT *,\n    " + ",\n    ".join(columns) + "\n  FROM ruled"

    # -- decided ------------------------------------------------------------------------

    def _decided(self) -> str:
        policy = self.policy
        columns = ["part", f"nullif(CASE WHEN NOT held THEN gone_by END, {NEVER}) AS erase_by", "held"]
        columns.append(" | ".join(f"gap_{index}" for index in range(len(policy.grants))) + " AS gap")
        for number, purpose in enumerate(self.purposes):
            # only where a floor can lose to a ceiling can a use outlast the erasure
            end = f"end_{number}"
            if self._has_floors():
                end = f"CASE WHEN {end} IS NOT NULL THEN least({end}, gone_by) END"
            eligible = f"NOT held AND coalesce({self.at} < {end}, FALSE)"
            columns.append(f"{eligible if purpose in policy.cut_purposes else 'FALSE'} AS eligible_{number}")
            columns.append(f"{end} AS use_until_{number}")
            columns.append(f"{self._why_not(purpose)} AS why_not_{number}")
        for index, _ in enumerate(policy.grants):
            columns.append(f"CASE WHEN sure_{index} THEN 2 WHEN counts_{index} THEN 1 ELSE 0 END AS grant_{index}")
            columns += [f"use_{index}", f"erase_{index}"]
        columns += [f"cap_{index}" for index in range(len(self.caps))]
        columns += [f"{self._vetoed(number, veto)} AS vetoed_{number}" for number, veto in enumerate(policy.vetoes)]
        columns += [f"conflict_{index}" for index in range(len(self.conflicts))]
        columns.append("CASE WHEN floor_end > ceiling_end THEN floor END AS floor")
        columns.append("CASE WHEN floor_end > ceiling_end THEN ceiling END AS ceiling")
        columns.append(f"{self._may_use()} AS may_use")
        columns.append(f"{self._rule()} AS rule")
        columns.append("effective <= moment AS bound_then")
        columns.append(f"effective <= {self.at} AS bound_now")
        return "SELECT\n  " + ",\n  ".join(columns) + "\nFROM released"

    def _may_use(self) -> str:
        """Say when the last use ends that is or may be, never later than the erasure; NULL where there is none."""
        ends = ", ".join(["NULL::TIMESTAMP", *(f"use_{index}" for index, _ in enumerate(self.policy.grants))])
        return f"CASE WHEN greatest({ends}) IS NOT NULL THEN least(greatest({ends}), gone_by) END"

    def _why_not(self, purpose: str) -> str:
        """Say in one word why a part is not eligible: what stopped the first grant that applies, else a veto."""
        cases = ["WHEN held THEN 'hold'"]
        for index, grant in enumerate(self.policy.grants):
            if grant.purpose != purpose:
                continue
            for veto in grant.vetoes:
                number = self.policy.vetoes.index(veto)
                cases.append(f"WHEN applies_{index} AND veto_{number} IS TRUE THEN {_quoted(veto.id)}")
            if grant.choices:
                cases.append(f"WHEN applies_{index} AND {self._waits(grant)} THEN 'unanswered'")
                cases.append(f"WHEN applies_{index} AND ({self._refuses(grant)}) THEN 'not allowed'")
            cases.append(f"WHEN gap_{index} <> 0 THEN 'gap'")
            for cap, event in self._caps_of(grant):
                end = _plus(event, cap.use_after)
                cases.append(f"WHEN sure_{index} AND {event} IS NOT NULL AND {end} <= {self.at} THEN {_quoted(cap.id)}")
            cases.append(f"WHEN sure_{index} THEN 'ended'")
        for number, veto in enumerate(self.policy.vetoes):
            if purpose in veto.removes:
                cases.append(f"WHEN veto_{number} IS TRUE THEN {_quoted(veto.id)}")
        return f"CASE {' '.join(cases)} ELSE 'no basis' END"

    def _rule(self) -> str:
        """Name the rule that sets `erase_by`: a released hold, a grant, or the cap that shortened it."""
        cases = ["WHEN released_at = gone_by THEN 'hold'"]
        for index, grant in enumerate(self.policy.grants):
            mine = f"erase_{index} = gone_by"
            for cap, event in self._caps_of(grant):
                if not cap.keeps:
                    end = _least([_plus(_plus(event, cap.use_after), cap.erase_after), NEVER])
                    cases.append(f"WHEN {mine} AND {event} IS NOT NULL AND {end} = gone_by THEN {_quoted(cap.id)}")
            cases.append(f"WHEN {mine} THEN {_quoted(grant.id)}")
        return f"CASE {' '.join(cases)} ELSE 'none' END"

    def _vetoed(self, number: int, veto: Veto) -> str:
        """Tell whether this veto was the first to stop some grant that otherwise applied."""
        terms = []
        for index, grant in enumerate(self.policy.grants):
            if veto in grant.vetoes:
                earlier = [self.policy.vetoes.index(v) for v in grant.vetoes[: grant.vetoes.index(veto)]]
                terms.append(
                    " AND ".join(
                        [f"applies_{index}", f"veto_{number} IS TRUE", *(f"veto_{n} IS NOT TRUE" for n in earlier)]
                    )
                )
        return _any(terms)
