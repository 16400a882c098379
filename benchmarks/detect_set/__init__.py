"""The labelled texts that the shipped detector is made of and measured with: our own, and public sets where present.

Nothing that a stranger would judge us by is read here. PyRIT's many-shot examples and its small objective files are
left out on purpose: they repeat behaviours of HarmBench's test split.
"""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from assent.learn.harm.pairs import everyday, pairs
from benchmarks.skill_set import filled, slots, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PUBLIC = Path(__file__).parents[3] / "shared" / "data"
UNKNOWN = ("?",)
"""Harmful, and of which category nobody said."""


class Row(NamedTuple):
    """A text, the categories of its harm (none: harmless), the line or set it comes from, and who wrote it."""

    text: str
    harms: tuple[str, ...]
    family: str
    source: str
    surface: str = "prompt"
    weight: float = 1.0

    @property
    def harmful(self) -> bool:
        return bool(self.harms)


def share(text: str) -> int:
    """Put a text or family into one of a hundred shares, always the same."""
    return crc32(text.encode()) % 100


def own_rows() -> Iterator[Row]:
    """Read the contrast pairs, everyday texts, and the questions of the skill set (all harmless)."""
    for pair in pairs():
        yield Row(pair.harmful, (pair.category,), pair.family, "pairs")
        yield Row(pair.harmless, (), pair.family, "pairs")
    for family, text in everyday():
        yield Row(text, (), family, "everyday")
    chance, choices = random.Random(7), slots()
    for _, template in texts("train.txt"):
        for _ in range(2 if "{" in template else 1):
            yield Row(filled(template, choices, chance), (), template, "skill")


def lookalikes() -> list[Row]:
    """Read the texts that look like each other and are not: harmless and harmful ones, none like a template."""
    rows, harms = [], ()
    for line in (HERE / "lookalikes.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            harms = () if line == "[safe]" else UNKNOWN
        elif line:
            rows.append(Row(line, harms, line, "lookalikes"))
    return rows


def public_rows() -> Iterator[Row]:
    """Read every public set that may be learned from and is present."""
    root = PUBLIC / "safety"
    if not root.exists():
        return
    yield from _requests(root)
    yield from _pyrit(root / "pyrit")
    yield from _tweets(root / "davidson" / "labeled_data.csv")
    for entry in json.loads((root / "cyberseceval-code" / "instruct-v2.json").read_text("utf-8")):
        yield Row(entry["test_case_prompt"], (), entry["test_case_prompt"], "instruct")
    for line in (root / "cyberseceval-frr" / "mitre_frr.jsonl").read_text("utf-8").splitlines():
        prompt = json.loads(line)["mutated_prompt"]
        yield Row(prompt, (), prompt, "frr")


def _requests(root: Path) -> Iterator[Row]:
    for text in _column(root / "advbench" / "advbench_behaviors.csv", "Behavior"):
        yield Row(text, UNKNOWN, text, "advbench")
    folder = root / "harmbench-val-tdc"
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                text = f"{row['ContextString']}\n{row['Behavior']}".strip() if row["ContextString"] else row["Behavior"]
                if row.get("FunctionalCategory") != "copyright":
                    yield Row(text, UNKNOWN, row["Behavior"], "harmbench")


def _column(file: Path, name: str) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [row[name] for row in rows]


OBJECTIVES = {
    "exploits": "cybercrime",
    "hate_speech": "hate",
    "privacy": "privacy",
    "self_harm": "self_harm",
    "sexual": "sexual_content",
    "violence": "violent_crimes",
}
ANSWERS = {
    "exploits": "cybercrime",
    "hate_speech": "hate",
    "hate_speech_multi_score": "hate",
    "info_integrity": "misinformation",
    "privacy": "privacy",
    "representational": "hate",
    "self_harm": "self_harm",
    "sexual": "sexual_content",
    "violence": "violent_crimes",
    "violence_multi_score": "violent_crimes",
}


def _table(file: Path) -> Iterator[dict[str, str]]:
    """Read a file whose first line is a remark and whose second names the columns."""
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        rows = list(csv.reader(lines))
    for row in rows[2:]:
        yield dict(zip((name.strip() for name in rows[1]), row, strict=False))


def _pyrit(root: Path) -> Iterator[Row]:
    seen: set[str] = set()
    for name, category in OBJECTIVES.items():
        for row in _table(root / "objective" / f"{name}.csv"):
            if row["objective"] not in seen:
                seen.add(row["objective"])
                yield Row(row["objective"], (category,), row["objective"], "pyrit-asks", weight=0.5)
    for name, category in ANSWERS.items():
        for row in _table(root / "harm" / f"{name}.csv"):
            given = [float(value) for key, value in row.items() if key.startswith("human_score") and value]
            mean = sum(given) / len(given) if given else 0.4
            if row.get("assistant_response") and not 0.3 < mean < 0.6:
                harms = (category,) if mean >= 0.6 else ()
                yield Row(row["assistant_response"], harms, row["objective"], "pyrit-answers", "answer")


_NOISE = re.compile(r"&#\d+;|https?://\S+|\bRT\b|@\w+:?|&\w+;")


def _tweets(file: Path) -> Iterator[Row]:
    """Read tweets that most raters called hateful, or nothing; merely rude ones tell dialects more than harm."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = " ".join(_NOISE.sub(" ", row["tweet"]).replace("!", " ").split())
            sure = int(row["hate_speech"]) / int(row["count"])
            if row["class"] == "0" and sure >= 0.6:
                yield Row(text, ("hate",), text, "tweets", weight=0.6)
            # of the harmless more are learned from than judge: they are how people write to friends
            elif row["class"] == "2" and sure == 0 and share(text[::-1]) < (40 if share(text) >= 20 else 25):
                yield Row(text, (), text, "tweets", weight=0.6)


def ordinary() -> list[Row]:
    """Read hard prompts of real people, all harmless, that nothing learns from."""
    file = PUBLIC / "safety" / "arena-hard-benign" / "question.jsonl"
    if not file.exists():
        return []
    prompts = (json.loads(line)["turns"][0]["content"] for line in file.read_text("utf-8").splitlines())
    return [Row(prompt, (), prompt, "arena") for prompt in prompts]


def answers() -> list[Row]:
    """Read what models answered to such prompts: harmless, long, full of code."""
    file = PUBLIC / "conversations" / "arena-hard" / "conversations.jsonl"
    if not file.exists():
        return []
    found = (json.loads(line)["messages"][-1]["content"] for line in file.read_text("utf-8").splitlines())
    return [Row(text, (), text, "arena-answers", "answer") for text in found if isinstance(text, str)]


def part_of(row: Row) -> str:
    """Say what a row is for: `learn`, `tune` (calibration, thresholds), or `judge`; a family is never in two."""
    at = share(row.family)
    if row.source in {"arena", "arena-answers", "lookalikes"}:
        return "judge"
    if row.source == "harmbench":
        return "judge" if at < 50 else "learn"
    if row.source == "instruct":
        return "judge" if at < 20 else "tune" if at < 60 else "learn"
    return "judge" if at < 10 else "tune" if at < 20 else "learn"
