"""The labelled texts of the skill classifier: templates to learn from, and whole texts that were held back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

HERE = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")


class Labelled(NamedTuple):
    """A text and what it trains: `coding`, or with its sub-skill `coding/debug`."""

    label: str
    text: str


def texts(name: str) -> Iterator[Labelled]:
    """Read a file of sections: `[label]`, then one text a line, with line breaks written as two characters."""
    label = ""
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            label = line[1:-1]
        elif line:
            yield Labelled(label, line.replace("\\n", "\n").replace("\\t", "\t"))


def slots() -> dict[str, list[str]]:
    """Read what may stand in the braces of a template."""
    lines = (HERE / "slots.txt").read_text("utf-8").splitlines()
    parted = (line.partition(": ") for line in lines if line)
    return {name: [filler.replace("\\n", "\n") for filler in fillers.split(" | ")] for name, _, fillers in parted}


def lexicons() -> dict[str, list[str]]:
    """Read lists of words that belong together, whether or not a template uses them."""
    lines = (HERE / "words.txt").read_text("utf-8").splitlines()
    parted = (line[1:].partition("] ") for line in lines if line)
    return {name: sorted(set(words.split())) for name, _, words in parted}


def filled(template: str, choices: dict[str, list[str]], chance: random.Random) -> str:
    """Fill every slot of a template by chance, also slots inside what fills one."""

    def pick(slot: re.Match[str]) -> str:
        return chance.choice(choices[slot[1]]) if slot[1] in choices else slot[0]

    return _SLOT.sub(pick, _SLOT.sub(pick, template))
