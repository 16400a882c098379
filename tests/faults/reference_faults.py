"""Faults of the reference evaluator, and of what both evaluators share: durations, sentences, reading a policy."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import Fault

_DECIDE: Final = "policy/decide.py"
_CONDITIONS: Final = "policy/conditions.py"
_STANDING: Final = "policy/standing.py"
_VERSIONS: Final = "policy/versions.py"
_DURATIONS: Final = "domain/durations.py"
_EXPLAIN: Final = "policy/explain.py"
_BUILD: Final = "policy/build.py"

REFERENCE_FAULTS: Final = (
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
        equivalent="in each decision use ends by the erasure, so the earliest use ends by the earliest erasure",
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
    Fault(
        "sums run past the last instant",
        _DURATIONS,
        "if year >= LATEST.year:",
        "if year > LATEST.year:",
        equivalent="the sum is cut at the last instant a second time, after days and seconds are added",
    ),
    Fault(
        "sums are not cut at the last instant",
        _DURATIONS,
        "return min(instant + timedelta(days=duration.days, seconds=duration.seconds), LATEST)",
        "return instant + timedelta(days=duration.days, seconds=duration.seconds)",
    ),
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
)
