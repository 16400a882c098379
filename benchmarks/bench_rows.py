"""Rows to learn: the memory that making them takes, as a cut grows, beside a program that reads the same files whole.

Both write token ids of the same conversations (2 kB each, a byte tokenizer). The peer is what most scripts do: a list
of all conversations, then a list of all ids, then one table. Each size runs in a process of its own. Its peak is that
of its own pages: those of a mapped file are the machine's to take back.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

from assent.learn.runs.config import parse_config
from assent.learn.runs.data import CutFiles, DataFile
from assent.learn.runs.train import TrainOrder, rows_of
from benchmarks.board.rounds import Times, setting, thirds
from benchmarks.board.values import Figure, Growth, Headline, Result, Words

CONVERSATIONS = setting("CONVERSATIONS", 32_000, small=320)
ROUNDS = setting("ROUNDS", 1, small=1)
TURN = "The lamp stands at the window, and the letter lies under the lamp. "
CONFIG = """
[run]
device = "cpu"
[model]
size = { layers = 1, width = 16, heads = 2, context = 256 }
[train]
max_length = 256
[sharding]
shards = 4
slices = 4
"""


def written(folder: Path, count: int) -> None:
    """Write conversations as the shards of a cut are, a thousand at a time."""
    with (folder / "messages-train-00000.jsonl").open("w") as lines:
        for number in range(count):
            said = [{"role": role, "content": TURN * 15} for role in ("user", "assistant")]
            lines.write(json.dumps({"id": f"c{number:08}", "messages": said}) + "\n")
    schema = pa.schema([("conversation", pa.string()), ("person", pa.string())])
    with pq.ParquetWriter(folder / "parts-train-00000.parquet", schema) as parts:
        for start in range(0, count, 1_000):
            numbers = range(start, min(start + 1_000, count))
            people = [f"p{number // 4:08}" for number in numbers]
            parts.write_table(pa.table({"conversation": [f"c{number:08}" for number in numbers], "person": people}))


def ours(folder: Path) -> None:
    from assent.learn.runs.model import make_tokenizer

    def named() -> Iterator[DataFile]:
        for name in ("messages-train-00000.jsonl", "parts-train-00000.parquet"):
            with (folder / name).open("rb") as file:
                yield DataFile(folder / name, hashlib.file_digest(file, "sha256").hexdigest(), 0)

    messages, parts = named()
    config = parse_config(CONFIG, "run.toml")
    work = folder / "work"
    work.mkdir()
    rows_of(TrainOrder(config, folder, CutFiles("train", (messages,), (parts,))), make_tokenizer(config), work)


def peer(folder: Path) -> None:
    from assent.learn.runs.model import make_tokenizer

    tokenizer = make_tokenizer(parse_config(CONFIG, "run.toml"))
    with (folder / "messages-train-00000.jsonl").open("rb") as lines:
        talks = [json.loads(line) for line in lines]
    texts = ["".join(turn["content"] for turn in talk["messages"]) for talk in talks]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    pq.write_table(pa.table({"input_ids": ids}), folder / "rows.parquet")


def run(how: str, count: int) -> tuple[float, float]:
    """Run one way in a process of its own; returns its peak in MB and its seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        written(Path(scratch), count)
        command = [sys.executable, "-m", "benchmarks.bench_rows", how, scratch]
        peak, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return float(peak), float(seconds)


def measure() -> Result:
    """Run every size in both ways, and once with next to nothing for what the libraries take themselves."""
    sizes = (10, *thirds(CONVERSATIONS))
    peaks, times = Times(), Times()
    for _ in range(ROUNDS):
        for count in sizes:
            for how in ("ours", "peer"):
                peak, seconds = run(how, count)
                peaks.add(f"{how} {count}", peak)
                times.add(f"{how} {count}", seconds)
    ours, peer = f"ours {CONVERSATIONS}", f"peer {CONVERSATIONS}"
    named = {"ours": "making rows", "peer": "reading whole"}
    return Result(
        figures=tuple(
            Figure(f"{title}, {what}", found.spread(f"{how} {CONVERSATIONS}"), unit)
            for what, unit, found in (("peak memory", "MB", peaks), ("time", "seconds", times))
            for how, title in named.items()
        ),
        ratios=(
            Figure("peak memory, against reading the files whole", peaks.against(ours, peer)),
            Figure("time, against reading the files whole", times.against(ours, peer)),
        ),
        growth=tuple(
            Growth(
                f"{title}, peak memory", "MB", "conversations", tuple((n, peaks.spread(f"{how} {n}")) for n in sizes)
            )
            for how, title in named.items()
        ),
        notes=(f"With ten conversations, which is what the libraries take: {times.spread('ours 10').median:.1f} s.",),
    )


def one(how: str, folder: Path) -> None:
    """Be the process that is measured."""
    from assent.learn.runs.logs import quiet

    began, over, peak = perf_counter(), threading.Event(), [0]

    def watch() -> None:
        while not over.wait(0.02):
            lines = Path("/proc/self/status").read_text().splitlines()
            peak[0] = max(peak[0], *(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")))

    watching = threading.Thread(target=watch)
    watching.start()
    with quiet():
        {"ours": ours, "peer": peer}[how](folder)
    over.set()
    watching.join()
    print(f"{peak[0] * 1024 / 1e6:.1f} {perf_counter() - began:.2f}")


HEADLINE = Headline(
    Words(
        title="Rows to learn",
        work=(
            f"Token ids of up to {CONVERSATIONS:,} conversations of 2 kB, a byte tokenizer, 4 shards of 4 slices; "
            "peak of the process's own pages (those of a mapped file are the machine's)."
        ),
        peer="a program that reads the same files whole, as most scripts do",
        remarks=("What grows is the index, 36 bytes a row; the ids themselves lie in a mapped file.",),
    ),
    measure,
    uses=("torch", "pyarrow"),
)


if __name__ == "__main__":
    one(sys.argv[1], Path(sys.argv[2]))
