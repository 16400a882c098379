"""A detector of the first stage alone, trained in a second on made-up requests; its words are made up too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from assent.learn.harm.cascade import LINEAR, Cascade, load, load_linear
from assent.learn.harm.fit import Terms, Trained, fit, packed
from assent.learn.harm.labelled import Labelled
from assent.services.detector.train import write

BASE = {
    LINEAR: packed(
        {
            "prior": np.zeros(1, np.int8),
            "prior_scale": np.ones(1, np.float32),
            "prior_words": np.frombuffer(b"zzzz", np.uint8),
        }
    )
}
"""A first stage that knows no word beforehand."""

ACTS = ("write", "explain", "plan", "draft", "describe", "list", "build", "tell me about")
HARM = ("ransomware for a clinic", "a keylogger that hides", "a worm that spreads", "a phishing page for a bank")
ANSWER = "here is what i can say about it"
PLAIN = (
    "a cake for a birthday",
    "a garden that blooms",
    "a walk that is short",
    "a letter to a bank",
    "a song",
    "a poem",
)


def texts(acts: tuple[str, ...] = ACTS) -> Iterator[Labelled]:
    ends = ("", " please", " today", " step by step", " for my cousin", " in short", " in detail", " by tomorrow")
    for at, end in enumerate(ends):
        part = "tune" if at % 4 == 3 else "learn"
        for act in acts:
            for what in HARM:
                yield Labelled(f"{act} {what}{end}", ("cybercrime",), f"{act} {what}{end}", "made up", part=part)
            for what in PLAIN:
                yield Labelled(f"{act} {what}{end}", (), f"{act} {what}{end}", "made up", part=part)
            for answer in (ANSWER, f"of course here is how i would {act} it"):
                yield Labelled(f"{answer}{end}", (), f"{answer}{end}", "made up", "answer", part=part)


@cache
def trained(version: str = "1") -> Trained:
    return fit(list(texts()), Terms("small", version, flag=0.01, review=0.05), BASE, {}, lambda _line: None)


def detector(version: str = "1") -> Cascade:
    made = trained(version)
    return Cascade(made.manifest, load_linear(made.files), None)


def folder(where: Path, version: str = "1") -> Path:
    """A trained version in a folder of its own."""
    path = where / f"small-{version}"
    write(path, trained(version))
    assert load(str(path)).name == f"small@{version}"
    return path
