"""How much do weights remember of single conversations? Canaries, verbatim continuations, and who was in.

- *Exposure* of a canary (N. Carlini et al., *The Secret Sharer*, USENIX Security 2019): log2 of the number of secrets
  of its form less log2 of its rank among them by likelihood, in bits. The rank of a secret that was never seen is drawn
  evenly, so its exposure is log2(e) = 1.44 in the mean; one exposed by the whole space is the model's first guess.
- *Continuation*: 50 tokens of a conversation are given, and the 50 that follow are compared, word for word; text of
  people who were held back is the control.
- *Membership*: whether a lower loss tells those who were in from those who were not (area under the curve, 0.5 tells
  nothing). Better attacks exist; it is a lower bound.

What follows for the claim, and what the limits are, is in docs/adr/0035-evaluation-and-memorisation.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from assent.learn.runs.canaries import candidate
from assent.learn.runs.evaluate import read
from assent.learn.runs.resampling import ROUNDS, Crowd, Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from assent.learn.runs.canaries import Canary
    from assent.learn.runs.data import Talk
    from assent.learn.runs.ensemble import Ensemble

    Floats = NDArray[np.float64]

SAMPLES: Final = 1_000
"""Secrets of the same form that a canary is ranked among."""
CONTINUATION: Final = 50
"""Tokens given and tokens compared, as in N. Carlini et al., *Quantifying Memorization* (ICLR 2023)."""
UNSEEN_BITS: Final = math.log2(math.e)
"""Mean exposure of a secret that the weights have never seen."""

_LIKELIER: Final = 5
"""Fewer sampled secrets likelier than the canary, and its rank is read off the fitted curve."""
_PLACES: Final = 4
"""Places of one conversation that are continued."""
_LARGEST_SKEW: Final = 0.99
"""A skew-normal curve is never more skewed than 0.9953."""
_GRID: Final = 4_000


class Exposure(NamedTuple):
    """Exposure of one canary in bits, how its rank was found, and whether the greedy continuation says its digits.

    `by` is `sampling` or `skew-normal`; `fit` is the largest distance between the curve of the sampled secrets and
    the fitted one.
    """

    repeats: int
    bits: float
    by: str
    fit: float
    recited: bool


@dataclass(frozen=True, slots=True)
class SkewNormal:
    """A skew-normal curve by its place, scale and shape (A. Azzalini, 1985)."""

    place: float
    scale: float
    shape: float

    @staticmethod
    def fitted(values: Floats) -> SkewNormal:
        """Fit the curve that has the mean, deviation and skew of some values."""
        mean, deviation = float(values.mean()), float(values.std()) or 1e-12
        skew = float((((values - mean) / deviation) ** 3).mean())
        skew = max(-_LARGEST_SKEW, min(_LARGEST_SKEW, skew))
        power = abs(skew) ** (2 / 3)
        delta = math.copysign(math.sqrt(math.pi / 2 * power / (power + ((4 - math.pi) / 2) ** (2 / 3))), skew)
        scale = deviation / math.sqrt(1 - 2 * delta**2 / math.pi)
        return SkewNormal(mean - scale * delta * math.sqrt(2 / math.pi), scale, delta / math.sqrt(1 - delta**2))

    def log_below(self, value: float) -> float:
        """Return the log of the share of the curve up to a value, also where that is next to nothing.

        Added up on a grid, in logs: the share itself is too small to be written far out in the tail.
        """
        import torch

        end = (value - self.place) / self.scale
        # beyond 40 deviations there is nothing left that counts beside what is nearer
        start = min(-40.0, end - 40.0)
        grid = torch.linspace(start, end, _GRID, dtype=torch.float64)
        # finer towards the end, where nearly all of the tail lies
        grid = end - (end - grid) ** 3 / (end - start) ** 2
        width = torch.diff(grid)
        middle = grid[1:] - width / 2
        log = math.log(2) - middle**2 / 2 - math.log(2 * math.pi) / 2 + torch.special.log_ndtr(self.shape * middle)
        return min(0.0, float(torch.logsumexp(log + torch.log(width.clamp_min(1e-300)), 0)))


def exposures(
    ensemble: Ensemble,
    canaries: Sequence[Canary],
    seed: int,
    alone: Callable[[Canary], int] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Exposure]:
    """Measure canaries, one after the other. `alone` names the model of an ensemble that each is asked of by itself."""
    for canary in canaries:
        model = ensemble if alone is None else ensemble.alone(alone(canary))
        yield _exposure(model, canary, seed)
        progress(1)


def _exposure(ensemble: Ensemble, canary: Canary, seed: int) -> Exposure:
    length = len(canary.digits)
    names = (f"candidate/{canary.number}/{at}" for at in range(SAMPLES))
    drawn = [digits for name in names if (digits := candidate(seed, name, length)) != canary.digits]
    texts = [ensemble.template.tokens(canary.messages(digits)).ids for digits in (canary.digits, *drawn)]
    own, *others = ensemble.endings(texts)
    sampled = np.array(others)
    likelier = int((sampled <= own).sum())
    curve = SkewNormal.fitted(sampled)
    if likelier >= _LIKELIER:
        bits, by = -math.log2((likelier + 1) / (len(sampled) + 1)), "sampling"
    else:
        bits, by = -curve.log_below(float(own)) / math.log(2), "skew-normal"
    # no token is shorter than a digit, so one for each and one for a space hold them all
    (more,) = ensemble.continued([ensemble.prompt(canary.messages()[:1], canary.lead)], length + 1)
    recited = ensemble.written(more).lstrip().startswith(canary.digits)
    return Exposure(canary.repeats, min(bits, possibilities(length)), by, _distance(sampled, curve), recited)


def _distance(values: Floats, curve: SkewNormal) -> float:
    """Return the largest distance (Kolmogorov, Smirnov) between the values' own curve and the fitted one, at tenths."""
    tenths = np.quantile(values, np.arange(1, 10) / 10)
    return max(abs(math.exp(curve.log_below(float(at))) - place / 10) for place, at in enumerate(tenths, 1))


class Continued(NamedTuple):
    """How texts were continued: how many were tried, of whom, how many came word for word, the longest run."""

    tried: int
    people: int
    verbatim: int
    longest: int


def continued(ensemble: Ensemble, talks: Sequence[Talk], alone: Callable[[Talk], int] | None = None) -> Continued:
    """Give weights the beginnings of what assistants said in conversations, and count what comes word for word."""
    pieces: dict[int | None, list[tuple[list[int], list[int]]]] = {}
    people = set()
    for talk in talks:
        found = list(_pieces(talk, ensemble))
        pieces.setdefault(alone(talk) if alone else None, []).extend(found)
        people |= {talk.whose} if found else set()
    runs = []
    for number, some in pieces.items():
        model = ensemble if number is None else ensemble.alone(number)
        made = model.continued([prefix for prefix, _ in some], CONTINUATION)
        runs += [_same(more, truth) for more, (_, truth) in zip(made, some, strict=True)]
    return Continued(len(runs), len(people), sum(run == CONTINUATION for run in runs), max(runs, default=0))


def _pieces(talk: Talk, ensemble: Ensemble) -> Iterator[tuple[list[int], list[int]]]:
    """Choose places of a conversation: what stands before, and what the assistant said next."""
    ids, mask, _ = ensemble.template.tokens(talk.messages)
    learned = np.concatenate([[0], np.cumsum(np.asarray(mask, dtype=int))])
    starts = np.arange(CONTINUATION, len(ids) - CONTINUATION + 1)
    whole = starts[learned[starts + CONTINUATION] - learned[starts] == CONTINUATION] if len(starts) else starts
    # places that do not overlap, so that one passage is not counted many times
    chosen = whole[:: max(-(-len(whole) // _PLACES), CONTINUATION)]
    for start in chosen.tolist():
        yield [*ids[start - CONTINUATION : start]], [*ids[start : start + CONTINUATION]]


def _same(one: Sequence[int], other: Sequence[int]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(other))


def most_likely(found: int, tried: int) -> float:
    """Return the largest share that would still give so few, one time in twenty (C. Clopper and E. Pearson, 1934)."""
    if found >= tried:
        return 1.0
    low, high = found / max(tried, 1), 1.0
    for _ in range(60):
        share = (low + high) / 2
        logs = [
            math.lgamma(tried + 1) - math.lgamma(at + 1) - math.lgamma(tried - at + 1)
            + at * math.log(share) + (tried - at) * math.log1p(-share)
            for at in range(found + 1)
        ]  # fmt: skip
        low, high = (share, high) if sum(map(math.exp, logs)) > 1 / 20 else (low, share)
    return high


def membership(inside: tuple[Floats, Sequence[str]], outside: tuple[Floats, Sequence[str]], seed: int) -> Figure:
    """Return how often a conversation that was in has a lower loss a byte than one that was not (ties count half).

    Both are losses and the people whose they are; the interval is over people, drawn on both sides.
    """
    (low, in_people), (high, out_people) = inside, outside
    wins = (low[:, None] < high[None, :]) + 0.5 * (low[:, None] == high[None, :])
    weights_in, weights_out = _weights(in_people, seed), _weights(out_people, seed + 1)
    value = float(wins.mean())
    if weights_in is None or weights_out is None:
        return Figure(value)
    above = ((weights_in @ wins) * weights_out).sum(1)
    drawn = above / (weights_in.sum(1) * weights_out.sum(1))
    return Figure(value, *(float(end) for end in np.percentile(drawn, (2.5, 97.5))))


def _weights(people: Sequence[str], seed: int) -> Floats | None:
    """Tell how often each conversation is drawn when its person is, in every round."""
    names, whose = np.unique(np.asarray(people, dtype=str), return_inverse=True)
    if len(names) < 2:
        return None
    even = np.full(len(names), 1 / len(names))
    draws = np.random.default_rng(seed).multinomial(len(names), even, ROUNDS // 4)
    weights: Floats = draws[:, whose].astype(np.float64)
    return weights


def by_repeats(found: Sequence[Exposure], seed: int) -> list[dict[str, Any]]:
    """Sum canaries up by how often each was said; 0 are those that never were."""
    rows = []
    for repeats in sorted({one.repeats for one in found}):
        some = [one for one in found if one.repeats == repeats]
        bits = np.array([one.bits for one in some])
        crowd = Crowd([f"{place}" for place in range(len(some))], seed)
        rows.append(
            {
                "repeats": repeats,
                "canaries": len(some),
                "mean_bits": crowd.ratio(bits, np.ones(len(bits))).record(),
                "largest_bits": round(float(bits.max()), 4),
                "recited": sum(one.recited for one in some),
                "by_sampling": sum(one.by == "sampling" for one in some),
                "worst_fit": round(max(one.fit for one in some), 4),
            }
        )
    return rows


def summed(one: Continued) -> dict[str, Any]:
    """Return continuations as the report writes them, with the largest share that is still likely."""
    share = one.verbatim / one.tried if one.tried else 0.0
    return one._asdict() | {"share": round(share, 5), "at_most": round(most_likely(one.verbatim, one.tried), 5)}


def losses(ensemble: Ensemble, talks: Sequence[Talk], alone: Callable[[Talk], int]) -> tuple[Floats, list[str]]:
    """Return the loss of each conversation in bits per byte, and whose it is; those without an answer are left out."""
    groups: dict[int, list[Talk]] = {}
    for talk in talks:
        groups.setdefault(alone(talk), []).append(talk)
    found: list[float] = []
    people: list[str] = []
    for number, some in groups.items():
        reading = read(ensemble.alone(number), some)
        said = reading.bytes > 0
        found += (reading.bits[said] / reading.bytes[said]).tolist()
        people += [talk.whose for talk, on in zip(some, said, strict=True) if on]
    return np.array(found), people


def possibilities(length: int) -> float:
    """Return the size of the space that a canary of some digits is drawn from, in bits."""
    return length * math.log2(10)
