"""The faults: (what is wrong, file, old text, new text). The old text stands exactly once in its file."""

from __future__ import annotations

from typing import Final, NamedTuple

SAMPLED: Final = (
    "use goes on at the very instant of its end",
    "the first veto is ignored",
    "an unknown fact is taken for a yes",
    "set query: a run of choices still holds at its end",
    "set query: vetoes are ignored",
    "set query: an unknown veto is taken for none",
)
SET_SIDE: Final = ("policy/compile.py", "policy/rows.py", "store/columns.py")


class Fault(NamedTuple):
    """One wrong edit; `equivalent` gives the reason if it changes nothing that a decision shows."""

    name: str
    file: str
    old: str
    new: str
    equivalent: str = ""

    @property
    def side(self) -> str:
        """Tell which evaluator it is in; what both share counts as the reference's."""
        return "set" if self.file in SET_SIDE else "reference"

    @property
    def sample(self) -> bool:
        """Tell whether it is tried in every run of the suite."""
        return self.name in SAMPLED


_DECIDE: Final = "policy/decide.py"
_CONDITIONS: Final = "policy/conditions.py"
_STANDING: Final = "policy/standing.py"
_VERSIONS: Final = "policy/versions.py"
_DURATIONS: Final = "domain/durations.py"
_EXPLAIN: Final = "policy/explain.py"
_BUILD: Final = "policy/build.py"
_COMPILE: Final = "policy/compile.py"
_ROWS: Final = "policy/rows.py"
_COLUMNS: Final = "store/columns.py"

FAULTS: Final = (
    Fault("use goes on at the very instant of its end", _DECIDE, "if at < end}", "if at <= end}"),
    Fault("held data is eligible", _DECIDE, "eligible=() if held else tuple(", "eligible=tuple("),
    Fault(
        "what was held is not kept until the release",
        _DECIDE,
        "erase_by = max(erase_by or released_at, released_at)",
        "erase_by = erase_by or released_at",
    ),
    Fault(
        "an anchor that lies ahead counts",
        _DECIDE,
        "if happening is not None and happened(facts, happening, at, policy) is None:",
        "if happening is not None and getattr(facts, happening) is None:",
        equivalent="the anchor itself is looked up later by the same rule; this look only saves the work in between",
    ),
    Fault("the first veto is ignored", _DECIDE, "for veto in grant.vetoes:", "for veto in grant.vetoes[1:]:"),
    Fault("an unknown veto is taken for none", _DECIDE, "        missing |= unknown\n", ""),
    Fault("an unknown part time is taken for now", _DECIDE, "if allowed.time_unknown:", "if False:"),
    Fault(
        "an unknown fact is taken for a yes", _DECIDE, "return Basis(grant, not missing,", "return Basis(grant, True,"
    ),
    Fault("silence is no gap", _DECIDE, 'trail.gap |= missing | {"choices"}', "pass"),
    Fault("a silent person's other gaps are not named", _DECIDE, '|= missing | {"choices"}', '|= {"choices"}'),
    Fault(
        "a cap that keeps the bytes erases them",
        _DECIDE,
        "    if cap.keeps:\n        return use_until, erase_by\n",
        "",
    ),
    Fault("a withdrawal is no cap", _DECIDE, "events.append((policy.withdrawal, allowed.ended_at))", "pass"),
    Fault(
        "an exception cannot ignore the withdrawal",
        _DECIDE,
        " and policy.withdrawal.id not in (grant.ignores or ())",
        "",
    ),
    Fault("the first cap is dropped", _DECIDE, "for cap in grant.caps:", "for cap in grant.caps[1:]:"),
    Fault(
        "a cap's grace for use is dropped",
        _DECIDE,
        "use_end = add(event, cap.use_after) if cap.use_after else event",
        "use_end = event",
    ),
    Fault(
        "a cap's erasure counts from the event, not from the end of use",
        _DECIDE,
        "erase_end = add(use_end, cap.erase_after) if",
        "erase_end = add(event, cap.erase_after) if",
    ),
    Fault("a floor loses to every cap", _DECIDE, "if winner == grant.id:", "if False:"),
    Fault(
        "a floor of the same class beats a cap",
        _DECIDE,
        "grant.id if grant.rank > cap",
        "grant.id if grant.rank >= cap",
    ),
    Fault(
        "a floor of the same class beats a ceiling",
        _DECIDE,
        "floor if floor.grant.rank > ceiling.grant.rank",
        "floor if floor.grant.rank >= ceiling.grant.rank",
    ),
    Fault(
        "the earliest basis erases instead of the latest",
        _DECIDE,
        "ceiling = max((b for b in bases if not b.grant.floor)",
        "ceiling = min((b for b in bases if not b.grant.floor)",
    ),
    Fault(
        "the person's own length is ignored", _DECIDE, "grant.use_for.picks.get(facts.user_duration, length)", "length"
    ),
    Fault(
        "the time to erase after use is dropped",
        _DECIDE,
        "return use_until, add(use_until, grant.erase_after) if grant.erase_after else use_until",
        "return use_until, use_until",
    ),
    Fault(
        "use outlasts the erasure",
        _DECIDE,
        "own_end if erase_by is None or own_end < erase_by else erase_by",
        "own_end",
    ),
    Fault(
        "the shortest grant of a purpose counts", _DECIDE, "ends[grant.purpose] = max(", "ends[grant.purpose] = min("
    ),
    Fault("a hold stands at its release", _DECIDE, "hold.released_at > at for", "hold.released_at >= at for"),
    Fault("a hold does not stand at its first instant", _DECIDE, "if hold.start <= at]", "if hold.start < at]"),
    Fault(
        "without a basis the oldest clock counts", _DECIDE, "return max((clock for clock", "return min((clock for clock"
    ),
    Fault(
        "events after the instant are known", _CONDITIONS, "if instant is None or instant > at:", "if instant is None:"
    ),
    Fault(
        "a reversal after the instant is known",
        _CONDITIONS,
        "if undone is not None and undone <= at:",
        "if undone is not None:",
    ),
    Fault("a reversed flag stays", _CONDITIONS, 'if key == "flagged_at" and policy.reversal_ends_flag:', "if False:"),
    Fault("a late acknowledgement delays the policy", _CONDITIONS, "return min(seen, policy.effective)", "return seen"),
    Fault(
        "an acknowledgement before the announcement counts",
        _CONDITIONS,
        "if policy.announced is not None and seen < policy.announced:",
        "if False:",
    ),
    Fault(
        "a part at the policy's first instant is before it",
        _CONDITIONS,
        "(clock >= effective_for(facts, policy, at))",
        "(clock > effective_for(facts, policy, at))",
    ),
    Fault("an unknown state meets every condition", _CONDITIONS, "missing.add(test.key)", "missing.discard(test.key)"),
    Fault("an unknown time belongs to every era", _CONDITIONS, "missing.add(policy.part_clock)", "pass"),
    Fault("an act at the instant is not known yet", _STANDING, "if choice.at > at:", "if choice.at >= at:"),
    Fault(
        "an act at the part's time comes too late for it",
        _STANDING,
        "if choice.at <= moment:",
        "if choice.at < moment:",
    ),
    Fault(
        "the last refusal ends the permission, not the first",
        _STANDING,
        "elif not allows and ended_at is None:",
        "elif not allows:",
    ),
    Fault("a new grant always revives earlier data", _STANDING, "elif allows and policy.revives", "elif allows"),
    Fault(
        "a new grant never revives earlier data",
        _STANDING,
        "elif allows and policy.revives",
        "elif False and policy.revives",
    ),
    Fault(
        "silence refuses only after the deadline's instant",
        _STANDING,
        "policy.silence_refuses_from <= at",
        "policy.silence_refuses_from < at",
    ),
    Fault(
        "an answer that came later covers the silent time before",
        _STANDING,
        "if before is False or (before is None and not rule.by_default):",
        "if before is False:",
    ),
    Fault(
        "stored data ends with a withdrawal although the policy says it is still used",
        _STANDING,
        'None if rule.covers == "part" else ended_at',
        "ended_at",
    ),
    Fault("a choice about now is asked for the part's time", _STANDING, ' or rule.covers == "now" else', " else"),
    Fault(
        "of two switches one refusal does not refuse",
        _STANDING,
        "if any(one.answer is Answer.REFUSED for one in found):",
        "if all(one.answer is Answer.REFUSED for one in found):",
    ),
    Fault("of two switches the first given counts", _STANDING, "since=max((one.since", "since=min((one.since"),
    Fault(
        "of two switches the last taken back counts", _STANDING, "ended_at=min((one.ended", "ended_at=max((one.ended"
    ),
    Fault("a deferral refuses", _STANDING, ' or choice.act == "defer":', ":"),
    Fault(
        "of two acts at one instant the allowing one wins",
        "domain/facts.py",
        'return act.at, act.act in ("decline", "withdraw")',
        'return act.at, act.act == "allow"',
    ),
    Fault("a version does not bind at its first instant", _VERSIONS, "at) <= moment]", "at) < moment]"),
    Fault(
        "what any version allows is allowed",
        _VERSIONS,
        "if all(p in decision.eligible for decision in decisions))",
        "if any(p in decision.eligible for decision in decisions))",
    ),
    Fault(
        "the laxer version's erasure counts", _VERSIONS, "else min(ends, default=None)", "else max(ends, default=None)"
    ),
    Fault(
        "the version of the part's time is forgotten",
        _VERSIONS,
        "at if clock is None or clock > at else clock, at)",
        "at, at)",
    ),
    Fault(
        "a version's use outlasts the other's erasure",
        _VERSIONS,
        "for d in decisions), erase_by])",
        "for d in decisions)])",
    ),
    Fault(
        "the end of a shorter month is always the 28th",
        _DURATIONS,
        "min(day, monthrange(year, month)[1])",
        "min(day, 28)",
    ),
    Fault("only the 31st is cut to a shorter month", _DURATIONS, "if day > 28:", "if day > 30:"),
    Fault("a month is never shorter than 30 days for the index", _DURATIONS, "28 * months", "30 * months"),
    Fault("a week has five days", _DURATIONS, 'part["weeks"] * 7', 'part["weeks"] * 5'),
    Fault("no length is zero", _DURATIONS, "if duration == Duration():", "if False:"),
    Fault("sums run past the last instant", _DURATIONS, "if year >= LATEST.year:", "if year > LATEST.year:"),
    Fault(
        "instants are counted in milliseconds",
        "domain/instants.py",
        "return (value - EPOCH) // _MICROSECOND",
        "return (value - EPOCH) // (1000 * _MICROSECOND) * 1000",
    ),
    Fault("a grant that is only possible is given as a reason", _EXPLAIN, "        if sure\n", ""),
    Fault("a decision without a basis gives no reason", _EXPLAIN, "if not said:", "if False:"),
    Fault("vetoes are not among the reasons", _EXPLAIN, "if veto.id in vetoed)", "if False)"),
    Fault("a cap's reason names the wrong event", _EXPLAIN, "capped[cap.id])", "max(capped.values()))"),
    Fault("every grant is said to have no end", _EXPLAIN, "if erase_by >= LATEST:", "if erase_by:"),
    Fault(
        "the scopes of resuming are mixed up", _BUILD, '== "whole conversation" else', '!= "whole conversation" else'
    ),
    Fault(
        "silence refuses whatever the policy says",
        _BUILD,
        'parameters.answer_deadline if parameters.no_answer == "decline" else None',
        "parameters.answer_deadline",
    ),
    Fault(
        "a plan group stands for itself only",
        _BUILD,
        "values |= {plan for group in values for plan in self.document.plans.get(group, ())}",
        "pass",
    ),
    Fault(
        "a region group stands for itself only", _BUILD, "for code in self.regions.get(group, ())}", "for code in ()}"
    ),
    Fault(
        "withdrawing leaves stored data in use unless the policy says so",
        _BUILD,
        'stored_data == "still used" else',
        'stored_data != "still used" else',
    ),
    Fault(
        "an exception ignores no veto",
        _BUILD,
        "rule.purpose in v.removes and v.id not in ignored)",
        "rule.purpose in v.removes)",
    ),
    Fault(
        "an exception ignores no cap",
        _BUILD,
        "rule.purpose in c.purposes and c.id not in ignored)",
        "rule.purpose in c.purposes)",
    ),
    Fault("a ceiling is a floor", _BUILD, 'floor=rule.bound == "at least"', 'floor=rule.bound == "up to"'),
    Fault("a copy elsewhere counts for the erasure", _BUILD, "if linker.governed(rule))", ")"),
    Fault("a reversed flag keeps its clock", _BUILD, 'flag_reversed == "base clock"', 'flag_reversed != "base clock"'),
    Fault("a withdrawal that keeps erases", _BUILD, 'keeps=length == "keep"', "keeps=False"),
    Fault("a cap that keeps erases", _BUILD, 'keeps=cap.erase_after == "keep"', "keeps=False"),
    Fault("a default needs an act", _BUILD, 'choice.needs == "unless declined"', "False"),
    # -- the set evaluator
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
        _COMPILE,
        "bool_and(act = 'allow')",
        "bool_or(act = 'allow')",
    ),
    Fault(
        "set query: a deferral refuses",
        _COMPILE,
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
        _COMPILE,
        '"least(then_erase_by, now_erase_by) AS erase_by"',
        '"greatest(then_erase_by, now_erase_by) AS erase_by"',
    ),
    Fault(
        "set query: what today's version allows is allowed",
        _COMPILE,
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
