"""Train the skill classifier that `assent` ships, and measure it on the texts that were held back.

Run `python -m benchmarks.make_skill` to write src/assent/pipeline/skill/model.npz; the same sources give the same file.
"""

from __future__ import annotations

import io
import random
import sys
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.linear_model import LogisticRegression

from assent.pipeline.skill.features import BUCKETS, SMALL, Ask, bucket_of, features
from benchmarks.bench_skill import everyday, report
from benchmarks.skill_set import Labelled, filled, lexicons, slots, texts

TARGET = Path("src/assent/pipeline/skill/model.npz")
SEED = 20261123
SAMPLES = 18
"""Texts made of each template that has slots."""
STRENGTH = 20.0
LEXICON = 4.0
"""How strongly a list of words speaks for a word of it, against what the texts themselves say."""
EVERYDAY = 0.0003
"""Weight of a first question of public everyday talk (every other one; the rest measures), beside 1 of a template."""
FORGOTTEN = 0.7
"""Share of the words of a text that its second reading does without."""
CODED = {"coding": 0.5, "analysis": 0.04, "reasoning": 0.06, "other": 0.01}
"""How often code comes with a conversation of each skill."""
BEFORE = (
    "",
    "",
    "",
    "",
    "hi, ",
    "Hello! ",
    "please ",
    "Hey, ",
    "ok so ",
    "quick question: ",
    "I have a question. ",
    "user: ",
)
AFTER = (
    "",
    "",
    "",
    "",
    "",
    " Thanks!",
    " please",
    " Be concise.",
    " Explain your answer.",
    " Keep it short.",
    " Give details.",
)
ANSWERS = ("Sure, here you go.", "Of course.", "Let me see.", "Certainly! Here is my answer.", "I would say yes.")


class Trained(NamedTuple):
    """Weights by bucket and label, and what is added to each label."""

    labels: list[str]
    weights: np.ndarray
    bias: np.ndarray


def varied(text: str, chance: random.Random, around: dict[str, list[str]]) -> str:
    """Write a text as people do: with or without greeting, preamble, wishes, capitals, an answer and another turn."""
    said = chance.choice(BEFORE) + text + chance.choice(AFTER)
    if chance.random() < 0.2:
        said = f"{chance.choice(around['before'])} {said}"
    while chance.random() < 0.25:
        said = f"{said} {chance.choice(around['after'])}"
    if chance.random() < 0.3:
        said = said.lower()
    if chance.random() < 0.08:
        said = f"{said}\nassistant: {chance.choice(ANSWERS)}"
    return said


def learning_set() -> tuple[list[Labelled], list[Ask], np.ndarray]:
    """Make the texts to learn from, whether code came with each, and its weight: every template counts the same."""
    chance = random.Random(SEED)
    choices = slots()
    around: dict[str, list[str]] = {}
    for place, sentence in texts("contexts.txt"):
        around.setdefault(place, []).append(sentence)
    rows: list[Labelled] = []
    weights: list[float] = []
    for label, template in texts("train.txt"):
        count = SAMPLES if "{" in template else SAMPLES // 3
        for _ in range(count):
            rows.append(Labelled(label, filled(varied(template, chance, around), choices, chance)))
            weights.append((1.0 if count == SAMPLES else 0.7) / count)
    for row in everyday()[::2]:
        rows.append(Labelled("other/advice", row.text))
        weights.append(EVERYDAY)
    asks = [Ask(row.text, coded=chance.random() < CODED[row.label.partition("/")[0]]) for row in rows]
    return rows, asks, np.array(weights)


def matrix(asks: list[Ask]) -> csr_matrix:
    """One row a text, one column a bucket, each row about of length one."""
    found = features(asks)
    ends = np.append(found.starts, len(found.buckets))
    sizes = np.diff(ends)
    values = np.repeat(1.0 / np.sqrt(sizes + SMALL), sizes)
    return csr_matrix((values, found.buckets.astype(np.int64), ends), shape=(len(asks), BUCKETS))


def membership() -> csr_matrix:
    """Which buckets belong to which list of words."""
    lists = lexicons()
    pairs = {(int(b), n) for n, words in enumerate(lists.values()) for word in words for b in bucket_of(word)[:1]}
    at, to = zip(*sorted(pairs), strict=True)
    return csr_matrix((np.full(len(at), LEXICON), (at, to)), shape=(BUCKETS, len(lists)))


def forgetful(by_text: csr_matrix) -> csr_matrix:
    """Forget most words of every text, so that the lists have to speak for words that no template has."""
    kept = by_text.copy()
    kept.data = kept.data * (np.random.default_rng(SEED).random(len(kept.data)) > FORGOTTEN)
    return kept


def fit(rows: list[Labelled], asks: list[Ask], weights: np.ndarray) -> Trained:
    """Learn one weight a bucket and list, then give every word of a list the weight of its list as well.

    Every skill counts the same in the end, however many texts it has.
    """
    groups = [row.label for row in rows]
    skills = np.array([label.partition("/")[0] for label in groups])
    balanced = np.zeros(len(rows))
    for skill in set(skills):
        balanced[skills == skill] = weights[skills == skill] / weights[skills == skill].sum()
    balanced *= len(rows) / len(set(skills))
    by_text = matrix(asks)
    lists = membership()
    listed = by_text @ lists
    both = vstack([hstack([by_text, listed]), hstack([forgetful(by_text), listed])]).tocsr()
    learner = LogisticRegression(C=STRENGTH, max_iter=400)
    learner.fit(both, groups + groups, sample_weight=np.concatenate([balanced, balanced]))
    return Trained(
        list(learner.classes_),
        learner.coef_[:, :BUCKETS].T + lists @ learner.coef_[:, BUCKETS:].T,
        learner.intercept_,
    )


def finer(first: Trained, rows: list[Labelled], asks: list[Ask]) -> list[Labelled]:
    """Give texts that are labelled with a skill only the sub-skill of it that a first model believes in most."""
    scores = matrix(asks) @ first.weights + first.bias
    found = []
    for row, score in zip(rows, scores, strict=True):
        allowed = [at for at, label in enumerate(first.labels) if label.startswith(f"{row.label}/")]
        found.append(Labelled(first.labels[max(allowed, key=lambda at: score[at])], row.text))
    return found


def train() -> Trained:
    """Learn from templates, then again with the whole texts that were used to improve them."""
    rows, asks, weights = learning_set()
    whole = list(texts("tuning.txt"))
    more = [Ask(row.text, coded=False) for row in whole]
    rows += finer(fit(rows, asks, weights), whole, more)
    return fit(rows, asks + more, np.append(weights, np.ones(len(more))))


def save(trained: Trained, path: Path) -> None:
    """Write the model with weights in one byte each; the archive carries no time, so equal models are equal files."""
    scale = float(np.abs(trained.weights).max() / 127)
    content = {
        "weights": np.round(trained.weights / scale).astype(np.int8),
        "scale": np.array(scale, np.float64),
        "bias": trained.bias.astype(np.float64),
        "labels": np.array(trained.labels),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in content.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)


def main() -> int:
    """Train, write, measure."""
    warnings.simplefilter("ignore")
    save(train(), TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")
    report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
