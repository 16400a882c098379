"""Forgetting a person: what training again without them costs, against training everything again, by number of shards.

PEOPLE with some real conversations each (`arena-hard`) are trained on with 1, 2, 4 and 8 shards of 4 slices. Of each,
people drawn by a seed are forgotten one at a time, and the seconds of the slices trained again are set against those of
the whole training in the same process; the weights must be those of a run that never saw them. Held-back people say
what shards cost: bits per byte of the mean of the shards' probabilities.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from benchmarks.board.page import spread
from benchmarks.board.rounds import no_data, public_data, setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Table, Words

PEOPLE, HELD = setting("PEOPLE", 80, small=8), 16
TALKS = setting("TALKS", 400, small=36)
FORGOTTEN = setting("FORGOTTEN", 6, small=1)
MOST_SHARDS = setting("MOST_SHARDS", 8, small=2)
LONGEST = 2_500
FILE = public_data() / "conversations/arena-hard/conversations.jsonl"
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
    said = [json.loads(line)["messages"] for line in FILE.read_text("utf-8").splitlines()]
    short = [one for one in said if sum(len(message["content"]) for message in one) < LONGEST]
    named = [(f"c{number:04}", f"p{number % (PEOPLE + HELD):03}", one) for number, one in enumerate(short[:TALKS])]
    kept = sorted({whose for _, whose, _ in named})[:HELD]
    held = [Talk(name, whose, "", one) for name, whose, one in named if whose in kept]
    return [one for one in named if one[1] not in kept], held


@dataclass(frozen=True)
class Row:
    """What one number of shards costs: the whole training, people forgotten, and bits a byte of held-back people."""

    shards: int
    full: float
    seconds: list[float]
    tokens: float
    bits: float


def row(scratch: Path, shards: int, talks: list[tuple[str, str, list[dict[str, str]]]], held: list[Talk]) -> Row:
    """Train on so many shards, then forget people one at a time."""
    people = sorted({whose for _, whose, _ in talks})
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
    return Row(shards, full, seconds, statistics.median(shares), float(reading.bits.sum() / reading.bytes.sum()))


def measure() -> Result:
    """Train, forget, compare, on one shard and on more."""
    if not FILE.exists():
        return Result(absent=(no_data("arena-hard"),))
    talks, held = conversations()
    rows = []
    for shards in (one for one in (1, 2, 4, 8) if one <= MOST_SHARDS):
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(row(Path(scratch), shards, talks, held))
    return Result(
        ratios=tuple(
            Figure(f"shards: {one.shards}, against training everything again",
                   Spread.of([seconds / one.full for seconds in one.seconds]), aim=Aim("at most", 1.5 / one.shards))
            for one in rows
        ),
        tables=(
            Table(
                ("shards", "whole training, s", "forgetting, s", "tokens read again", "held-back people, bits a byte"),
                tuple(
                    (str(one.shards), f"{one.full:.1f}", spread(Spread.of(one.seconds)), f"{one.tokens:.3f}",
                     f"{one.bits:.2f}")
                    for one in rows
                ),
            ),
        ),
        notes=(f"{len(talks):,} real conversations of {PEOPLE} people, {len(held)} of others held back.",),
    )  # fmt: skip


HEADLINE = Headline(
    Words(
        title="Forgetting a person",
        work=(
            f"Training again without one person, {FORGOTTEN} people one at a time; 4 slices a shard, a model of "
            "0.1 million weights on one thread. The weights of the first must be, bit for bit, those of a run "
            "that never saw them."
        ),
        peer="training everything again, in the same process",
        remarks=(
            ("The price of shards is the last column: each model sees a share of the people. The aim is 1.5 / shards."),
        ),
    ),
    measure,
)
