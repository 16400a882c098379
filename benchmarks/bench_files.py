"""Rows out of files: a hundred conversations of a folder of JSON lines or Parquet, with a look before and after.

KILOBYTES (environment; default 100,000) of turns are written, once as JSON lines and once as Parquet. The peers believe
themselves and look at nothing: for JSON lines `json.loads` a line and write the others on, for Parquet pyarrow's read,
filter and write. Processor time, rounds in turn.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assent.connectors.files.product import Files, Settings, connect
from assent.connectors.port import state_of
from benchmarks.board.rounds import Times, cpu, growth, setting, thirds, took
from benchmarks.board.values import Figure, Headline, Result, Words

KILOBYTES = setting("KILOBYTES", 100_000, small=3_200)
ROUNDS = setting("ROUNDS", 5, small=2)
GONE = setting("GONE", 100, small=10)


def turns(count: int) -> list[dict[str, object]]:
    chance = random.Random(7)
    words = [f"w{number:04}" for number in range(5_000)]
    texts = [" ".join(chance.choices(words, k=150)) for _ in range(2_000)]
    return [
        {
            "conversation_id": f"c{number // 4:08}",
            "owner": f"p{number % 977}",
            "role": "assistant" if number % 2 else "user",
            "content": chance.choice(texts),
            "created_at": 1_767_600_000 + number,
        }
        for number in range(count)
    ]


def erase(product: Files, gone: list[str]) -> None:
    found = product.erase(gone)
    assert {state_of(copies) for copies in found.values()} == {"removed"}


def lines_by_hand(file: Path, gone: frozenset[str]) -> None:
    with file.open("rb") as source, file.with_suffix(".new").open("wb") as target:
        for line in source:
            if json.loads(line)["conversation_id"] not in gone:
                target.write(line)
        target.flush()
        os.fsync(target.fileno())


def table_by_hand(file: Path, gone: frozenset[str]) -> None:
    table = pq.read_table(file, use_threads=False)
    stays = pc.invert(pc.is_in(table["conversation_id"], value_set=pa.array(sorted(gone))))
    pq.write_table(table.filter(stays), file.with_suffix(".new"), row_group_size=100_000, compression="zstd")


def round_of(data: Path, file: Path, by_hand: Callable[[Path, frozenset[str]], None], gone: list[str]) -> list[float]:
    """Erase from a fresh copy of a file in both ways; returns the CPU seconds of ours and of the peer."""
    place = data / file.name
    shutil.copy(file, place)
    with tempfile.TemporaryDirectory() as state:
        product = connect(Settings(name="bench", folder=Path(state), path=data, rows="turn"), str)
        ours = took(lambda: erase(product, gone), cpu)
    place.unlink()
    return [ours, took(lambda: by_hand(file, frozenset(gone)), cpu)]


def measure() -> Result:
    """Make files of three sizes and erase in both ways, in turn."""
    found = {(kind, size): Times() for kind in ("jsonl", "parquet") for size in thirds(KILOBYTES)}
    for size in thirds(KILOBYTES):
        rows = turns(size)
        gone = [f"c{number:08}" for number in random.Random(3).sample(range(len(rows) // 4), GONE)]
        with tempfile.TemporaryDirectory() as scratch:
            data = Path(scratch) / "data"
            data.mkdir()
            lines, table = Path(scratch) / "a.jsonl", Path(scratch) / "a.parquet"
            lines.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
            pq.write_table(pa.Table.from_pylist(rows), table, row_group_size=100_000, compression="zstd")
            for turn in range(ROUNDS + 1):
                for file, by_hand in ((lines, lines_by_hand), (table, table_by_hand)):
                    ours, theirs = round_of(data, file, by_hand, gone)
                    if turn:  # the first round warms up
                        found[file.suffix[1:], size].add("assent", ours)
                        found[file.suffix[1:], size].add("by hand", theirs)
    kinds = {"jsonl": "JSON lines", "parquet": "Parquet"}
    return Result(
        figures=tuple(
            Figure(f"{title}, {side}", found[kind, KILOBYTES].spread(side), "CPU seconds")
            for kind, title in kinds.items()
            for side in ("assent", "by hand")
        ),
        ratios=tuple(
            Figure(f"{title}, against a script", found[kind, KILOBYTES].against("assent", "by hand"))
            for kind, title in kinds.items()
        ),
        growth=tuple(
            growth(f"to erase from {title}", {size: found[kind, size]["assent"] for size in thirds(KILOBYTES)}, of="kB")
            for kind, title in kinds.items()
        ),
    )


HEADLINE = Headline(
    Words(
        title="Rows out of files",
        work=(
            f"{GONE} conversations out of a file with some {KILOBYTES / 1e3:,.0f} MB of turns, once as JSON lines "
            "and once as Parquet, with a look before and after."
        ),
        peer="`json.loads` a line and the others written on; pyarrow's read, filter and write",
        remarks=("The peers believe themselves and look at nothing.",),
    ),
    measure,
    uses=("pyarrow",),
)
