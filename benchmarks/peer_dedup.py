"""A peer of bench_dedup.py, in its own environment: `peer_dedup.py PEER TEXTS FOLDER` prints CPU seconds and clusters.

Both peers work as their documentation shows for word 5-grams: 14 bands of 8 rows, one worker.
Reading the file is not timed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

BANDS, ROWS = 14, 8


def seconds() -> float:
    """CPU of this process and of the children it waited for."""
    mine, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def roots(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    parents = list(range(count))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for one, other in pairs:
        left, right = root(one), root(other)
        parents[max(left, right)] = min(left, right)
    return [root(row) for row in range(count)]


def datasketch(texts: list[str], _folder: Path) -> tuple[float, list[int]]:
    import re

    from datasketch import MinHash, MinHashLSH

    start = seconds()
    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    pairs = []
    sets = []
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        sets.append([" ".join(words[at : at + 5]).encode() for at in range(max(1, len(words) - 4))])
    for row, sketch in enumerate(MinHash.generator(sets, num_perm=BANDS * ROWS)):
        pairs += [(other, row) for other in lsh.query(sketch)]
        lsh.insert(row, sketch, check_duplication=False)
    found = roots(len(texts), pairs)
    return seconds() - start, found


def datatrove(texts: list[str], folder: Path) -> tuple[float, list[int]]:
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.utils.hashing import HashConfig

    work = folder / "datatrove"
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=BANDS, hashes_per_bucket=ROWS, n_grams=5)

    def read(_data: object, _rank: int = 0, _world: int = 1) -> object:
        for row, text in enumerate(texts):
            yield Document(text=text, id=str(row))

    stages = (
        (1, [read, MinhashDedupSignature(str(work / "signatures"), config=config)]),
        (BANDS, [MinhashDedupBuckets(str(work / "signatures"), str(work / "buckets"), config=config)]),
        (
            1,
            [MinhashDedupCluster(str(work / "buckets"), str(work / "removed"), config=config, save_cluster_id=True)],
        ),
    )
    start = seconds()
    for tasks, pipeline in stages:
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(work / f"logs{time.time_ns()}")).run()
    taken = seconds() - start
    return taken, clusters_of(len(texts), work)


def clusters_of(count: int, work: Path) -> list[int]:
    """Read the pairs that datatrove found from its buckets: (file, document) twice, as four 32-bit numbers."""
    import struct

    pairs = []
    for path in sorted((work / "buckets").glob("*.dups")):
        pairs += [(one, other) for _, one, _, other in struct.iter_unpack("<4I", path.read_bytes())]
    return roots(count, [(min(pair), max(pair)) for pair in pairs])


def main() -> None:
    peer, path, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    os.environ.setdefault("DATATROVE_COLORIZE_LOGS", "0")
    texts = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
    taken, cluster = {"datasketch": datasketch, "datatrove": datatrove}[peer](texts, folder)
    print(json.dumps({"seconds": taken, "cluster": cluster}))


if __name__ == "__main__":
    main()
