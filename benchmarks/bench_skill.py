"""How well and how fast skills are told apart: macro-F1 on texts held back, confusion, and texts a second."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path

from assent.pipeline.skill.features import Ask
from assent.pipeline.skill.model import SKILLS, judge
from benchmarks.skill_set import HERE, Labelled, texts

DATA = Path(__file__).parents[2] / "shared" / "data" / "conversations"


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
        print(f"  arena-hard: absent ({file.name})")
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
        print(f"  hh-rlhf-harmless: absent ({file.name})")
        return []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        said = [json.loads(line)["chosen"].split("\n\nHuman: ")[1].partition("\n\nAssistant:")[0] for line in lines]
    return [Labelled("other", text) for text in said]


def measure(name: str, rows: list[Labelled], *, show: bool = False) -> float:
    """Print the score of one set; with `show` also the texts that were missed."""
    judged = judge([Ask(row.text, coded="```" in row.text) for row in rows])
    pairs = [(row.label.partition("/")[0], found.skill) for row, found in zip(rows, judged, strict=True)]
    score, each = macro_f1(pairs)
    right = sum(label == said for label, said in pairs) / len(pairs)
    print(f"  {name}: {len(rows)} texts, right {right:.3f}")
    if len({label for label, _ in pairs}) > 1:
        shown = ", ".join(f"{skill} precision {p:.2f} recall {r:.2f}" for skill, (p, r) in each.items())
        print(f"    macro-F1 {score:.3f}: {shown}")
    if show:
        for (label, said), row, found in zip(pairs, rows, judged, strict=True):
            if label != said:
                print(f"    {label:>9} -> {said:9} {found.p:.2f} {row.text[:100]!r}")
    return score


def report(*, show: bool = False) -> None:
    """Measure every labelled set there is."""
    measure("held back", list(texts("held_back.txt")), show=show)
    if rows := arena():
        measure("arena-hard, labelled by hand", rows, show=show)
    if rows := everyday():
        measure("hh-rlhf-harmless, first questions that were not learned from", rows[1::2])


def main() -> None:
    """Report quality, then speed on whole conversations."""
    report()
    rows = arena() or list(texts("held_back.txt"))
    asks = [Ask(row.text, coded=False) for row in rows] * 40
    judge(asks[:100])
    start = time.process_time()
    judge(asks)
    took = time.process_time() - start
    size = sum(len(ask.text.encode()) for ask in asks) / 1e6
    print(f"  speed: {len(asks) / took:,.0f} asks a second of CPU, {size / took:.1f} MB/s ({len(asks):,} asks)")


if __name__ == "__main__":
    main()
