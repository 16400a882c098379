"""How well and how fast skills are told apart: macro-F1 on texts held back, confusion, and texts a second."""

from __future__ import annotations

import gzip
import json
from collections import Counter

from assent.pipeline.skill.features import Ask
from assent.pipeline.skill.model import SKILLS, judge
from benchmarks.board.rounds import cpu, in_turn, no_data, public_data, setting
from benchmarks.board.values import Figure, Headline, Result, Spread, Table, Words
from benchmarks.skill_set import HERE, Labelled, texts

ROUNDS = setting("ROUNDS", 5, small=2)
REPEAT = setting("REPEAT", 40, small=1)
DATA = public_data() / "conversations"


def macro_f1(pairs: list[tuple[str, str]]) -> tuple[float, dict[str, tuple[float, float]]]:
    """Mean over skills of the harmonic mean of precision and recall; both for each skill too."""
    counts = Counter(pairs)
    each: dict[str, tuple[float, float]] = {}
    for skill in SKILLS:
        hits = counts[skill, skill]
        found = sum(count for (_, said), count in counts.items() if said == skill)
        true = sum(count for (label, _), count in counts.items() if label == skill)
        each[skill] = (hits / max(found, 1), hits / max(true, 1))
    scores = [2 * p * r / (p + r) if p + r else 0.0 for p, r in each.values()]
    return sum(scores) / len(scores), each


def arena() -> list[Labelled]:
    """Read the prompts of the public set that we labelled by hand; empty where the set is absent."""
    file = DATA / "arena-hard" / "conversations.jsonl"
    if not file.exists():
        return []
    prompts: dict[str, str] = {}
    for line in file.read_text("utf-8").splitlines():
        message = json.loads(line)["messages"][0]["content"]
        prompts.setdefault(message, "")
    labels = json.loads((HERE / "arena_hard.json").read_text("utf-8"))
    return [Labelled(label, text) for text, label in zip(prompts, labels, strict=True) if label != "unclear"]


def everyday() -> list[Labelled]:
    """Read the first questions of a public set of everyday talk, nearly all of which train nothing in particular."""
    file = DATA / "hh-rlhf-harmless" / "test.jsonl.gz"
    if not file.exists():
        return []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        said = [json.loads(line)["chosen"].split("\n\nHuman: ")[1].partition("\n\nAssistant:")[0] for line in lines]
    return [Labelled("other", text) for text in said]


def judged(rows: list[Labelled]) -> list[tuple[str, str]]:
    """Pair the label of each text with what was said of it."""
    found = judge([Ask(row.text, coded="```" in row.text) for row in rows])
    return [(row.label.partition("/")[0], one.skill) for row, one in zip(rows, found, strict=True)]


def sets() -> dict[str, list[Labelled]]:
    """Read every labelled set; one that is absent is empty."""
    return {
        "held back": list(texts("held_back.txt")),
        "arena-hard, labelled by hand": arena(),
        "hh-rlhf-harmless, first questions that were not learned from": everyday()[1::2],
    }


def report() -> None:
    """Print how every set is judged: for whoever makes the model anew."""
    for name, rows in sets().items():
        if not rows:
            print(f"  {name}: absent")
            continue
        pairs = judged(rows)
        right = sum(label == said for label, said in pairs)
        print(f"  {name}: {len(rows)} texts, right {right}, macro-F1 {macro_f1(pairs)[0]:.3f}")


def measure() -> Result:
    """Score every labelled set there is, then time whole conversations."""
    found = sets()
    figures, rows = [], []
    for name, some in found.items():
        if not some:
            continue
        pairs = judged(some)
        figures.append(
            Figure(f"{name}, share right", Spread.single(sum(label == said for label, said in pairs) / len(pairs)))
        )
        if len({label for label, _ in pairs}) > 1:
            score, each = macro_f1(pairs)
            figures.append(Figure(f"{name}, macro-F1", Spread.single(score)))
            rows.append((name, f"{len(some):,}", *(f"{p:.2f}, {r:.2f}" for p, r in each.values())))
    asks = [Ask(row.text, coded=False) for row in found["arena-hard, labelled by hand"] or found["held back"]] * REPEAT
    times = in_turn({"judge": lambda: judge(asks)}, ROUNDS, cpu)
    speed = Figure("speed", times.rate("judge", len(asks)), "conversations a CPU second")
    return Result(
        figures=(*figures, speed),
        tables=(Table(("precision, recall", "texts", *SKILLS), tuple(rows)),),
        absent=tuple(no_data(name) for name, some in found.items() if not some),
    )


HEADLINE = Headline(
    Words(
        title="Skill",
        work=(
            "Texts held back, in five languages, 30 a skill, are told apart as coding, analysis, reasoning or other."
        ),
        alone="no classifier of these four skills is published that could be run beside it",
        remarks=("The best of three models was shipped by the score of the held-back texts, so it flatters a little.",),
    ),
    measure,
)
