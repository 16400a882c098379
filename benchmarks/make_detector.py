"""Make the detector that `assent` ships: its labelled texts, and, around an encoder, everything else.

    python -m benchmarks.make_detector texts TEXTS     write the labelled texts for benchmarks/make_encoder.py
    python -m benchmarks.make_detector build FOLDER    train around the encoder of FOLDER and write the package's files

The public sets are read from ../shared/data where they are; nothing of them is written into the package.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from assent.learn.harm.categories import SCORED
from assent.learn.harm.fit import Terms, fit, packed
from assent.learn.harm.labelled import Labelled, Part, without_copies
from assent.services.detector.train import write, write_measured
from benchmarks.detect_set import Row, answers, lookalikes, ordinary, own_rows, part_of, public_rows
from benchmarks.detect_set.varieties import VARIETIES, varied

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path("src/assent/learn/harm/default")
VERSION = "1.1.0"
LICENCES = {
    "pairs": "Apache-2.0 (own)",
    "everyday": "Apache-2.0 (own)",
    "skill": "Apache-2.0 (own)",
    "advbench": "MIT",
    "harmbench": "MIT (validation split and TDC 2023 only)",
    "pyrit-asks": "MIT",
    "pyrit-answers": "MIT",
    "tweets": "MIT",
    "instruct": "MIT",
    "frr": "MIT",
    "arena-answers": "Apache-2.0",
}

RESPELLED = {"pairs", "everyday", "skill", "advbench", "harmbench", "pyrit-asks", "frr"}
"""Sources of requests that the encoder also learns in other people's spelling; tweets have one of their own."""


def near(row: Row, judged: list[frozenset[str]]) -> bool:
    """Say whether a short text shares more than six words in ten with one that judges."""
    words = frozenset(row.text.lower().split())
    return len(row.text) < 300 and any(len(words & other) > 0.6 * len(words | other) for other in judged)


def answer_part(row: Row) -> Part:
    """Divide the answers of models in three."""
    return ("learn", "tune", "judge")[crc32(row.text.encode()) % 3]


def labelled() -> list[Labelled]:
    """Read every labelled text, without what repeats a text that judges."""
    rows = [(row, part_of(row)) for row in (*own_rows(), *public_rows(), *lookalikes(), *ordinary(), *answers())]
    judged = [frozenset(row.text.lower().split()) for row, part in rows if part == "judge" and len(row.text) < 300]
    kept = [
        Labelled(*row, answer_part(row) if row.source == "arena-answers" else part)
        for row, part in rows
        if part == "judge" or not near(row, judged)
    ]
    return without_copies(kept)


def respelled(rows: list[Labelled]) -> Iterator[Labelled]:
    """Give what is learned again as other people would write it, harmful and harmless texts alike; small talk twice."""
    for row in rows:
        if row.use != "learn" or row.source not in RESPELLED or len(row.text) >= 400:
            continue
        for turn in range(2 if row.source == "everyday" else 1):
            at = crc32(f"{turn} {row.text}".encode())
            if at % 100 < 60:
                text = varied(row.text, VARIETIES[at // 100 % len(VARIETIES)])
                # a family of its own: how much a text counts depends on how many its family has
                yield row._replace(text=text, family=f"{row.family} (respelled)", part="learn")


def texts(target: Path) -> None:
    read = labelled()
    rows = [{**row._asdict(), "part": row.use} for row in without_copies([*read, *respelled(read)])]
    target.write_text("\n".join(json.dumps(row) for row in ({"names": SCORED}, *rows)), "utf-8")
    print(f"{target}: {len(rows):,} texts")


def build(encoder: Path) -> None:
    arrays = {name: dict(np.load(io.BytesIO((encoder / name).read_bytes()))) for name in ("heads.npz", "prior.npz")}
    base = {
        "linear.npz": packed(arrays["prior.npz"]),
        "heads.npz": packed(
            {
                name: array.astype(np.int64 if name == "seeds" else np.float32)
                for name, array in arrays["heads.npz"].items()
            }
        ),
        "encoder.onnx": (encoder / "encoder.onnx").read_bytes(),
        "words.txt": (encoder / "words.txt").read_bytes(),
    }
    rows = labelled()
    made = fit(rows, Terms("default", VERSION), base, LICENCES, print)
    write(TARGET, made)
    write_measured(TARGET, made, [row for row in rows if row.use == "judge"])
    for name, content in made.files.items():
        print(f"{TARGET / name}: {len(content):,} bytes")


if __name__ == "__main__":
    {"texts": texts, "build": build}[sys.argv[1]](Path(sys.argv[2]))
