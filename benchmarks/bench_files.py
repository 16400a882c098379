"""Rows out of files: a hundred conversations of a folder of JSON lines or Parquet, with a look before and after.

MB (environment; default 100) of turns are written, once as JSON lines and once as Parquet. The peers believe themselves
and look at nothing: for JSON lines `json.loads` a line and write the others on, for Parquet pyarrow's read, filter and
write. Processor time, five rounds in turn.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assent.connectors.files.product import Files, Settings, connect
from assent.connectors.port import state_of

MB = int(os.environ.get("MB", "100"))
ROUNDS = 5
GONE = 100


def turns() -> list[dict[str, object]]:
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
        for number in range(MB * 1_000)
    ]


def timed(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


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


def main() -> None:
    """Make the files, erase in both ways, and print the median with its range."""
    rows = turns()
    gone = [f"c{number:08}" for number in random.Random(3).sample(range(len(rows) // 4), GONE)]
    print(f"{'':>10}{'MB of text':>12}{'assent: s':>12}{'range':>14}{'peer: s':>10}{'range':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        lines, table = Path(scratch) / "a.jsonl", Path(scratch) / "a.parquet"
        lines.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        size = lines.stat().st_size / 1e6
        pq.write_table(pa.Table.from_pylist(rows), table, row_group_size=100_000, compression="zstd")
        for file, by_hand in ((lines, lines_by_hand), (table, table_by_hand)):
            ours, theirs = [], []
            for turn in range(ROUNDS):
                place = data / file.name
                shutil.copy(file, place)
                state = Path(scratch) / f"state-{file.name}-{turn}"
                product = connect(Settings(name="bench", folder=state, path=data, rows="turn"), str)
                ours.append(timed(lambda product=product: erase(product, gone)))
                place.unlink()
                theirs.append(timed(lambda file=file, by_hand=by_hand: by_hand(file, frozenset(gone))))
            a, b = statistics.median(ours), statistics.median(theirs)
            spread = [f"{min(times):.1f} to {max(times):.1f}" for times in (ours, theirs)]
            head = f"{file.suffix[1:]:>10}{size:>12.0f}{a:>12.2f}{spread[0]:>14}"
            print(f"{head}{b:>10.2f}{spread[1]:>14}{a / b:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
