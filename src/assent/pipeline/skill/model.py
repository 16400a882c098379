"""The classifier: the weights of the features of an ask are added, and the largest sum wins."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from assent.pipeline.skill.features import SMALL, features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assent.pipeline.skill.features import Ask

SKILLS: Final = ("coding", "analysis", "reasoning", "other")
_ROUND: Final = 4
_AT_ONCE: Final = 512
"""Asks whose weights are in memory together."""


class Judgement(NamedTuple):
    """What a conversation trains, and the share of belief in that skill, from 0 to 1 (a score, not a promise)."""

    skill: str
    subskill: str
    p: float


class Model(NamedTuple):
    """Whole-number weights by bucket and label; `scale` makes them real, `digest` names the file they came from."""

    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scale: float
    bias: NDArray[np.float64]
    digest: str


@cache
def shipped() -> Model:
    """Load the model of this package (made by benchmarks/make_skill.py)."""
    content = resources.files(__package__).joinpath("model.npz").read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return Model(
            tuple(str(label) for label in found["labels"]),
            found["weights"],
            float(found["scale"]),
            found["bias"],
            "sha256:" + hashlib.sha256(content).hexdigest(),
        )


def judge(asks: Sequence[Ask]) -> list[Judgement]:
    """Tell the skill of each ask. It depends on that ask alone, not on what it is judged together with."""
    model = shipped()
    skills = np.array([[label.startswith(f"{skill}/") for skill in SKILLS] for label in model.labels], np.float64)
    judged: list[Judgement] = []
    for first in range(0, len(asks), _AT_ONCE):
        belief = _belief(model, asks[first : first + _AT_ONCE])
        by_skill = (belief[:, :, None] * skills[None]).sum(axis=1)
        for labels, chosen, shares in zip(belief, by_skill.argmax(axis=1), by_skill, strict=True):
            label = model.labels[int((labels * skills[:, chosen]).argmax())]
            judged.append(Judgement(SKILLS[chosen], label.partition("/")[2], round(float(shares[chosen]), _ROUND)))
    return judged


def _belief(model: Model, asks: Sequence[Ask]) -> NDArray[np.float64]:
    found = features(asks)
    sums = np.add.reduceat(model.weights[found.buckets], found.starts, axis=0, dtype=np.int32)
    sizes = np.diff(np.append(found.starts, len(found.buckets)))
    scores = sums * (model.scale / np.sqrt(sizes + SMALL))[:, None] + model.bias
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    belief: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return belief
