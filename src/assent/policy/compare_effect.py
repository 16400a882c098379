"""What a difference between two policies does to people: both decide the same systematic grid of facts.

The grid holds one member of every class of facts that some rule of either policy can tell
apart, alone and together with the other facts of the same rule; it is crossed with the
ways to answer and with the events, alone and (where the answer did not change) in pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from assent.domain.facts import ChoiceAct, Facts
from assent.domain.instants import format_instant
from assent.policy.decide import decide
from assent.policy.model import HAPPENINGS
from assent.policy.segments import ELSEWHERE, PLAIN, axes, choice_purposes, conditions, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assent.domain.decision import Decision
    from assent.policy.model import Policy
    from assent.policy.segments import Value

DIRECTIONS: Final = ("widens use", "narrows use", "longer retention", "shorter retention")
"""What a change can do for people; none of them is `unchanged meaning`.

Use is what may be read for any purpose but `service` and `legal`, and until when;
retention is the day by which the bytes are gone.
"""
UNCHANGED: Final = "unchanged meaning"

_TURN = timedelta(days=2)
_ANSWERS: Final[tuple[tuple[str, tuple[tuple[str, timedelta], ...]], ...]] = (
    ("who did not answer", ()),
    ("who allowed it", (("allow", -_TURN),)),
    ("who declined", (("decline", -_TURN),)),
    ("who allowed it between the first and the last turn", (("allow", _TURN / 2),)),
    ("who allowed it after the last turn", (("allow", 1.5 * _TURN),)),
    ("who allowed it and took it back", (("allow", -_TURN), ("withdraw", 2 * _TURN))),
    (
        "who allowed it, took it back and allowed it again",
        (("allow", -_TURN), ("withdraw", 2 * _TURN), ("allow", 2.5 * _TURN)),
    ),
)
_EVENT_WORDS: Final = {key: event for event, key in HAPPENINGS.items()}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """One point of the grid: facts, and the words that tell it from its neighbours."""

    facts: Facts
    plan: str
    answer: str
    events: tuple[str, ...]
    segment: tuple[str, ...]

    def words(self) -> str:
        """Say whose part it is and what happened."""
        said = f"a part of somebody{f' on plan {self.plan}' if self.plan else ''} {self.answer}"
        said += "".join(f", {words}" for words in self.segment)
        return said + (f", after {listed(self.events)}" if self.events else "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does: its directions, who is affected, and one worked example."""

    directions: tuple[str, ...] = ()
    affected: str = ""
    example: str = ""
    before: str = ""
    after: str = ""


class Grid:
    """The cases that two policies can tell apart, and what the older one decides about them."""

    def __init__(self, old: Policy, new: Policy) -> None:
        """Lay the grid out for both policies."""
        self.old = old
        both = (old, new)
        self._classes = axes(both)
        self._start = max(policy.effective for policy in both) + timedelta(days=30)
        self.at = self._start + 4 * _TURN
        self.cases = tuple(self._cases(both))

    @cached_property
    def _before(self) -> list[Decision]:
        return [decide(case.facts, self.old, self.at) for case in self.cases]

    def effect(self, changed: Policy) -> Effect:
        """Compare a policy with the older one on every case."""
        if replace(changed, digest=self.old.digest) == self.old:
            return Effect()
        found: dict[str, list[int]] = {}
        after = [decide(case.facts, changed, self.at) for case in self.cases]
        for n, (was, now) in enumerate(zip(self._before, after, strict=True)):
            for direction in _directions(was, now):
                found.setdefault(direction, []).append(n)
        if not found:
            return Effect()
        directions = tuple(direction for direction in DIRECTIONS if direction in found)
        affected = sorted({n for cases in found.values() for n in cases})
        shown = min(found[directions[0]], key=lambda n: (len(self.cases[n].segment), len(self.cases[n].events), n))
        return Effect(
            directions,
            self._who([self.cases[n] for n in affected]),
            self.cases[shown].words(),
            outcome(self._before[shown]),
            outcome(after[shown]),
        )

    def _who(self, affected: Sequence[Case]) -> str:
        """Name the plans, answers and events of all affected cases; what all cases share is left out."""
        plans = list(dict.fromkeys(case.plan for case in affected))
        answers = list(dict.fromkeys(case.answer for case in affected))
        named = [plan for words in plans for plan in re.split(r", | or ", words)]
        said = f"people on plan{'s' if len(named) > 1 else ''} {listed(named)}"
        if {case.plan for case in self.cases} == set(plans):
            said = "people on every plan"
        happened = {case.events for case in affected}
        if len(answers) < len({case.answer for case in self.cases if case.events in happened}):
            said += f" {listed(answers, 'or')}"
        if all(case.segment for case in affected):
            said += f", only {_common([case.segment for case in affected])}"
        if all(case.events for case in affected):
            said += f", only after {_common([case.events for case in affected])}"
        return said

    def _cases(self, both: Sequence[Policy]) -> Iterator[Case]:
        answers = [(words, acts) for words, acts in _ANSWERS if not acts or choice_purposes(both)]
        events = _events(both)
        picks = sorted({pick for policy in both for grant in policy.grants for pick in grant.use_for.picks})
        eras = (False, True) if any(when.era for policy in both for when in conditions(policy)) else (False,)
        for state in self._states(both):
            for (answer, acts), happened, early in product(answers, events, eras):
                if len(happened) < 2 or len(acts) < 2 or "flag_reversed_at" in happened:
                    yield self._case(both, state, (answer, acts), happened, "", early=early)
            for (answer, acts), pick in product(answers, picks):
                yield self._case(both, state, (answer, acts), (), pick, early=False)

    def _states(self, both: Sequence[Policy]) -> Iterator[dict[str, Value]]:
        """Yield plain states per plan, and every state that the facts of one rule and its vetoes can tell apart."""
        seen: set[tuple[Value, ...]] = set()
        always = frozenset({"plan"})
        together: dict[frozenset[str], None] = {always: None}
        for policy in both:
            for grant in policy.grants:
                own = always | frozenset(test.key for test in grant.when.tests)
                together[own] = None
                for veto in grant.vetoes:
                    together[own | frozenset(test.key for test in veto.when.tests)] = None
        for keys in together:
            varied = [values if key in keys else values[:1] for key, values in self._classes.items()]
            for point in product(*varied):
                if point not in seen:
                    seen.add(point)
                    yield dict(zip(self._classes, point, strict=True))

    def _case(
        self,
        both: Sequence[Policy],
        state: Mapping[str, Value],
        answer: tuple[str, tuple[tuple[str, timedelta], ...]],
        events: tuple[str, ...],
        pick: str,
        *,
        early: bool,
    ) -> Case:
        start = min(policy.effective for policy in both) - timedelta(days=30) if early else self._start
        choices = [
            ChoiceAct(purpose, act, start + after)  # type: ignore[arg-type]  # `_ANSWERS` holds acts
            for act, after in answer[1]
            for purpose in choice_purposes(both)
        ]
        when = start + 3 * _TURN
        instants = {key: when + timedelta(hours=1) if key == "flag_reversed_at" else when for key in events}
        facts = Facts(
            "part",
            **{**PLAIN, **{key: value.value for key, value in state.items()}},  # type: ignore[arg-type]
            created_at=start,
            last_turn_at=start + _TURN,
            recorded_at=start,
            user_duration=pick or None,
            choices=tuple(choices),
            **instants,  # type: ignore[arg-type]  # events are instants
        )
        segment = [
            value.words for key, value in state.items() if key != "plan" and value.value != PLAIN.get(key, ELSEWHERE)
        ]
        segment += [f"who picked {pick}"] if pick else []
        segment += ["recorded before either version took effect"] if early else []
        words = tuple(_EVENT_WORDS.get(key, "flag reversed") for key in events)
        plan = state["plan"].words if "plan" in state else ""
        return Case(facts, plan, answer[0], words, tuple(segment))


def _common(words: Sequence[tuple[str, ...]]) -> str:
    """Say what all have in common, or else the fewest words of which each has one."""
    shared = set.intersection(*map(set, words))
    if shared:
        return listed(sorted(shared), "and")
    chosen = sorted({each[0] for each in words if len(each) == 1})
    left = [each for each in words if not set(chosen) & set(each)]
    while left:
        count = Counter(word for each in left for word in each)
        best = max(sorted(count), key=lambda word: count[word])
        chosen.append(best)
        left = [each for each in left if best not in each]
    return listed(sorted(chosen), "or")


def _events(both: Iterable[Policy]) -> list[tuple[str, ...]]:
    """List no event, each event that a rule names, every pair of them, and a flag that was reversed."""
    named: dict[str, None] = {}
    for policy in both:
        named |= dict.fromkeys(cap.key for cap in policy.caps)
        for when in conditions(policy):
            named |= dict.fromkeys((*when.happened, *when.absent))
        named |= dict.fromkeys(HAPPENINGS[grant.anchor] for grant in policy.grants if grant.anchor in HAPPENINGS)
    found: list[tuple[str, ...]] = [(), *((key,) for key in named), *combinations(named, 2)]
    return [*found, ("flagged_at", "flag_reversed_at")] if "flagged_at" in named else found


def _directions(was: Decision, now: Decision) -> Iterator[str]:
    if was.use_until == now.use_until and was.erase_by == now.erase_by:
        return
    for purpose in sorted({*was.use_until, *now.use_until} - {"service", "legal"}):
        before, after = _end(was, purpose), _end(now, purpose)
        if after != before:
            yield "widens use" if after > before else "narrows use"
    kept, keeps = was.erase_by or _NEVER, now.erase_by or _NEVER
    if keeps != kept:
        yield "longer retention" if keeps > kept else "shorter retention"


def _end(decision: Decision, purpose: str) -> datetime:
    if purpose not in decision.use_until:
        return datetime.min.replace(tzinfo=UTC)
    return decision.use_until[purpose] or _NEVER


def outcome(decision: Decision) -> str:
    """Say a decision in one line: uses with their ends, and the day the bytes are gone."""
    uses = [f"{purpose} {_until(end)}" for purpose, end in decision.use_until.items()]
    erased = "no end is set" if decision.erase_by is None else f"erased by {format_instant(decision.erase_by)}"
    return f"{'use for ' + listed(uses) if uses else 'no use'}; {erased}"


def _until(end: datetime | None) -> str:
    return "without end" if end is None else f"until {format_instant(end)}"
