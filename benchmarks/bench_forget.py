"""Forgetting a person: what training again without them costs, against training everything again, by number of shards.

PEOPLE with some real conversations each (`arena-hard`) are trained on with 1, 2, 4 and 8 shards of 4 slices. Of each,
people drawn by a seed are forgotten one at a time, and the seconds of the slices trained again are set against those of
the whole training in the same process; the weights must be those of a run that never saw them. Held-back people say
what shards cost: bits per byte of the mean of the shards' probabilities.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assent.learn.runs.config import parse_config
from assent.learn.runs.data import CutFiles, DataFile, Talk, read_talks
from assent.learn.runs.ensemble import opened
from assent.learn.runs.evaluate import read
from assent.learn.runs.logs import quiet
from assent.learn.runs.sharded import compare, seconds_of, take_over
from assent.learn.runs.train import TrainOrder, train

PEOPLE, HELD = int(os.environ.get("PEOPLE", "80")), 16
FORGOTTEN = 6
LONGEST = 2_500
CONFIG = """
[run]
seed = 1
device = "cpu"
[model]
size = {{ layers = 2, width = 64, heads = 2, context = 256 }}
[train]
batch = 8
learning_rate = 3e-3
max_length = 256
[sharding]
shards = {shards}
slices = 4
"""


@contextmanager
def silent(_what: str, _total: int) -> Iterator[object]:
    yield lambda _amount: None


def written(folder: Path, talks: list[tuple[str, str, list[dict[str, str]]]]) -> CutFiles:
    """Write conversations as the shards of a cut are."""
    messages, parts = folder / "messages-train-00000.jsonl", folder / "parts-train-00000.parquet"
    messages.write_text("".join(json.dumps({"id": name, "messages": said}) + "\n" for name, _, said in talks))
    pq.write_table(pa.table({"conversation": [t[0] for t in talks], "person": [t[1] for t in talks]}), parts)
    named = (DataFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), len(talks)) for path in (messages, parts))
    return CutFiles("train", *((file,) for file in named))


def conversations() -> tuple[list[tuple[str, str, list[dict[str, str]]]], list[Talk]]:
    """Give every person some real conversations, and hold some people back."""
    data = Path(os.environ["ASSENT_DATA"]) / "conversations/arena-hard/conversations.jsonl"
    said = [json.loads(line)["messages"] for line in data.read_text("utf-8").splitlines()]
    short = [one for one in said if sum(len(message["content"]) for message in one) < LONGEST]
    named = [(f"c{number:04}", f"p{number % (PEOPLE + HELD):03}", one) for number, one in enumerate(short)]
    kept = sorted({whose for _, whose, _ in named})[:HELD]
    held = [Talk(name, whose, "", one) for name, whose, one in named if whose in kept]
    return [one for one in named if one[1] not in kept], held


def main() -> None:
    """Train, forget, compare."""
    talks, held = conversations()
    people = sorted({whose for _, whose, _ in talks})
    print(f"{len(talks):,} conversations of {len(people)} people, {len(held)} of others held back")
    columns = f"{'ratio':>8}{'1/shards':>10}{'tokens':>9}{'held bits/byte':>16}"
    print(f"{'shards':>7}{'full s':>9}{'forget s: median':>18}{'min':>7}{'max':>7}{columns}")
    for shards in (1, 2, 4, 8):
        with tempfile.TemporaryDirectory() as scratch:
            row(Path(scratch), shards, talks, people, held)


def row(scratch: Path, shards: int, talks: list, people: list[str], held: list[Talk]) -> None:
    config = parse_config(CONFIG.format(shards=shards), "run.toml")
    files = written(scratch, talks)
    whole = scratch / "whole"
    whole.mkdir()
    train(TrainOrder(config, whole, files), silent)
    full = sum(one["seconds"] for one in json.loads((whole / "slices.json").read_bytes())["slices"])
    seconds, shares = [], []
    for number, who in enumerate(random.Random(7).sample(people, FORGOTTEN)):
        without = frozenset(talk.id for talk in read_talks(files) if talk.person == who)
        change = compare(TrainOrder(config, whole, files, without))
        again = scratch / f"again-{number}"
        again.mkdir()
        take_over(whole, again, change)
        digest = train(TrainOrder(config, again, files, without, resume=True), silent).digest
        seconds.append(seconds_of(again, change))
        shares.append(change.tokens / change.whole_tokens)
        if number == 0:
            never = scratch / "never"
            never.mkdir()
            assert digest == train(TrainOrder(config, never, files, without), silent).digest
    with quiet():
        reading = read(opened(whole / "weights", config), held)
    bits = float(reading.bits.sum() / reading.bytes.sum())
    middle = statistics.median(seconds)
    print(
        f"{shards:>7}{full:>9.1f}{middle:>18.2f}{min(seconds):>7.2f}{max(seconds):>7.2f}{middle / full:>8.3f}"
        f"{1 / shards:>10.3f}{statistics.median(shares):>9.3f}{bits:>16.3f}",
        flush=True,
    )
