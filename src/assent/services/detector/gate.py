"""The promotion gate: a new version decides only if it finds as much harm of every kind and flags less besides.

Every rule is tried in every stratum and every number is in the report, passed or not. A stratum is what one set of
texts holds of one category, where that is 50 texts or more; a pooled figure hides what is lost in one of them. What is
compared is the same recall: the candidate's threshold is the highest at which it finds, in every stratum, at least
what the incumbent finds as deployed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from assent.domain.errors import Invalid
from assent.learn.harm.categories import BY_NAME, MAX_SEVERITY
from assent.learn.harm.figures import calibration_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assent.learn.harm.figures import Bools, Floats
    from assent.learn.harm.labelled import Labelled

ANY: Final = "any"
SEVERE: Final = frozenset(name for name, one in BY_NAME.items() if one.severity == MAX_SEVERITY)


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What the gate asks for.

    A stratum has `least` harmful texts. Recall may be lower by `recall_slack` at the 95 % bound, and never in a severe
    category. No set of harmless texts may be flagged more by `set_slack` at the bound. `identity` names the sources of
    harmless texts that mention groups of people. `speed` is the least share of the incumbent's texts a second,
    `shadow_least` how many live texts the candidate has been run on beside the incumbent. `rounds` of the bootstrap.
    """

    least: int = 50
    recall_slack: float = 0.02
    set_slack: float = 0.01
    significance: float = 0.05
    identity: frozenset[str] = frozenset({"identity"})
    seeds: int = 3
    speed: float = 0.8
    shadow_least: int = 1_000
    rounds: int = 4_000
    seed: int = 0


class Scores(NamedTuple):
    """What one detector says of the texts: scores from 0 to 1, and which it leaves to people or flags as deployed."""

    name: str
    scores: Floats
    called: Bools


@dataclass(frozen=True, slots=True)
class Trial:
    """What is put to the gate.

    `seeds` are the scores of the candidate trained with different seeds; the first is the one that would decide.
    `speeds` are texts a second of (incumbent, candidate), measured in one run. `shadow` counts the live texts that
    both have scored, `cut` names the cut that the candidate learned from ("" if none).
    """

    rows: Sequence[Labelled]
    incumbent: Scores
    seeds: Sequence[Scores]
    speeds: tuple[float, float]
    shadow: int
    cut: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, where it was tried, whether it holds, and its numbers."""

    rule: str
    where: str
    passed: bool
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All checks. `threshold` is where the candidate finds as much as the incumbent in every stratum."""

    incumbent: str
    candidate: str
    threshold: float
    checks: tuple[Check, ...]
    terms: GateTerms = field(default_factory=GateTerms)

    @property
    def passed(self) -> bool:
        """Whether every rule holds everywhere."""
        return all(check.passed for check in self.checks)


def judge(trial: Trial, terms: GateTerms) -> Judgement:
    """Try every rule, on the average of the seeds and on the version that would decide.

    Raises `Invalid` where there is not one stratum, or no harmless text: then nothing can be said.
    """
    deployed = trial.seeds[0] if trial.seeds else None
    if deployed is None:
        raise Invalid("a candidate has scores", "score the texts with it")
    mean = Scores(deployed.name, np.mean([one.scores for one in trial.seeds], axis=0), deployed.called)
    sets = _Sets(trial.rows)
    strata = list(sets.strata(terms.least))
    if not strata or not sets.harmless.any():
        fix = f"give a set with {terms.least} harmful texts or more, and harmless ones"
        raise Invalid("there is nothing to compare detectors with", fix)
    checks: list[Check] = []
    thresholds: list[float] = []
    for what, one in (("average of seeds", mean), ("as it would decide", deployed)):
        judged = _Judged(sets, strata, trial.incumbent, one, terms, what)
        thresholds.append(judged.threshold)
        checks += [*judged.recall(), *judged.false_flags(), judged.identity(), judged.calibration()]
    checks += _about(trial, terms)
    return Judgement(trial.incumbent.name, deployed.name, thresholds[-1], tuple(checks), terms)


def pooled_only(trial: Trial) -> bool:
    """Say what a gate would that looks at pooled recall and pooled false flags alone. For comparison; it is wrong."""
    harmful = np.array([bool(row.harms) for row in trial.rows])
    old, new = trial.incumbent, trial.seeds[0]
    at = _reaching(new.scores[harmful], int(old.called[harmful].sum()))
    return bool((new.scores[~harmful] >= at).mean() < old.called[~harmful].mean())


class _Sets:
    """Labelled texts as masks."""

    def __init__(self, rows: Sequence[Labelled]) -> None:
        self.harms = [row.harms for row in rows]
        self.sources = np.array([row.source for row in rows])
        self.harmful = np.array([bool(row.harms) for row in rows], np.bool_)
        self.harmless = ~self.harmful

    def strata(self, least: int) -> Iterator[tuple[str, bool, Bools]]:
        """Give (name, severe, mask) of every set and category with enough harmful texts."""
        categories = sorted({name for harms in self.harms for name in harms if name in BY_NAME})
        for source in sorted(set(self.sources[self.harmful].tolist())):
            here = (self.sources == source) & self.harmful
            for category in (ANY, *categories):
                mask = here & np.array([category == ANY or category in harms for harms in self.harms], np.bool_)
                if mask.sum() >= least:
                    yield f"{source} / {category}", category in SEVERE, mask


class _Judged:
    """One candidate against the incumbent."""

    def __init__(
        self,
        sets: _Sets,
        strata: Sequence[tuple[str, bool, Bools]],
        old: Scores,
        new: Scores,
        terms: GateTerms,
        what: str,
    ) -> None:
        self._sets, self._strata, self._old, self._new = sets, strata, old, new
        self._terms, self._what = terms, what
        self._chance = np.random.default_rng(terms.seed)
        self.threshold = min(_reaching(new.scores[mask], int(old.called[mask].sum())) for _, _, mask in strata)
        self._called = new.scores >= self.threshold

    def recall(self) -> Iterator[Check]:
        for name, severe, mask in self._strata:
            low, _ = self._interval(mask)
            old, new = float(self._old.called[mask].mean()), float(self._called[mask].mean())
            numbers = {"texts": float(mask.sum()), "incumbent": old, "candidate": new, "difference_low": low}
            numbers["incumbent_as_deployed"] = old
            numbers["candidate_as_deployed"] = float(self._new.called[mask].mean())
            yield self._check("recall is not lower", name, low >= -self._terms.recall_slack, numbers)
            if severe:
                deployed = numbers["candidate_as_deployed"] >= old
                yield self._check("recall of severe harm is never below", name, new >= old and deployed, numbers)

    def false_flags(self) -> Iterator[Check]:
        mask = self._sets.harmless
        _, high = self._interval(mask)
        only_old = int((self._old.called & ~self._called & mask).sum())
        only_new = int((~self._old.called & self._called & mask).sum())
        chance = mcnemar(only_old, only_new)
        numbers = self._rates(mask) | {"difference_high": high, "mcnemar_p": chance}
        numbers |= {"incumbent_alone": float(only_old), "candidate_alone": float(only_new)}
        fewer = high < 0 and chance < self._terms.significance and only_new < only_old
        yield self._check("fewer harmless texts are flagged", "all harmless sets", fewer, numbers)
        for source in sorted(set(self._sets.sources[mask].tolist())):
            here = mask & (self._sets.sources == source)
            _, high = self._interval(here)
            passed = high <= self._terms.set_slack
            yield self._check(
                "no harmless set is flagged more", source, passed, self._rates(here) | {"difference_high": high}
            )

    def identity(self) -> Check:
        mask = self._sets.harmless & np.isin(self._sets.sources, sorted(self._terms.identity))
        where = ", ".join(sorted(self._terms.identity))
        # what was not measured is not passed
        numbers = self._rates(mask) if mask.any() else {"texts": 0.0}
        passed = "candidate" in numbers and numbers["candidate"] <= numbers["incumbent"]
        return self._check("what mentions groups of people is not flagged more", where, passed, numbers)

    def calibration(self) -> Check:
        harmful = self._sets.harmful
        old, new = (calibration_error(one.scores, harmful) for one in (self._old, self._new))
        return self._check("calibration is not worse", "all sets", new <= old, {"incumbent": old, "candidate": new})

    def _rates(self, mask: Bools) -> dict[str, float]:
        return {
            "texts": float(mask.sum()),
            "incumbent": float(self._old.called[mask].mean()),
            "candidate": float(self._called[mask].mean()),
        }

    def _interval(self, mask: Bools) -> tuple[float, float]:
        """Return the 95 % interval of how much larger the candidate's share is, by a bootstrap over pairs.

        A pair is -1, 0 or 1, so drawing texts with replacement is drawing how often each of the three comes.
        """
        difference = self._called[mask].astype(int) - self._old.called[mask].astype(int)
        count = len(difference)
        shares = [float((difference == value).mean()) for value in (-1, 0, 1)]
        drawn = self._chance.multinomial(count, shares, self._terms.rounds)
        low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / count, [0.025, 0.975])
        return float(low), float(high)

    def _check(self, rule: str, where: str, passed: object, numbers: Mapping[str, float]) -> Check:
        return Check(f"{rule} ({self._what})", where, bool(passed), {k: round(v, 6) for k, v in numbers.items()})


def _about(trial: Trial, terms: GateTerms) -> Iterator[Check]:
    old, new = trial.speeds
    yield Check("it is fast enough", "texts a second", new >= terms.speed * old, {"incumbent": old, "candidate": new})
    yield Check(
        "it was trained with several seeds", "seeds", len(trial.seeds) >= terms.seeds, {"seeds": len(trial.seeds)}
    )
    yield Check(
        "it ran in the shadow of the incumbent",
        "live texts",
        trial.shadow >= terms.shadow_least,
        {"texts": trial.shadow},
    )
    yield Check("what it learned from is a cut with its manifest", trial.cut or "none", bool(trial.cut), {})


def _reaching(scores: Floats, found: int) -> float:
    """Return the highest threshold at which at least so many of these scores are reached; 1 and a bit for none."""
    return float(np.nextafter(1.0, 2.0)) if found <= 0 else float(np.sort(scores)[::-1][min(found, len(scores)) - 1])


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test for pairs in which one of two alone says yes."""
    count, least = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(count, k) for k in range(least + 1))
    return min(1.0, float(2 * tail / 2**count))
