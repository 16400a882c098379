"""The peer of bench_cut.py, in its own environment: datatrove's blocks over the same conversations, one worker.

`python -m benchmarks.peer_cut TEXTS FOLDER` reads lines `{"id", "text"}`, a conversation each, and prints CPU seconds.
Personal data is replaced, copies are found by MinHash as in peer_dedup.py, and Gopher's filters stand last, so that the
costly blocks see every text. Language is not looked at, for its model would be fetched.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from benchmarks.peer_dedup import BANDS, ROWS, seconds


def pipeline(texts: Path, work: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.formatters import PIIFormatter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=BANDS, hashes_per_bucket=ROWS, n_grams=5)
    plain, signatures, buckets, removed = (str(work / name) for name in ("plain", "signatures", "buckets", "removed"))
    stages = (
        (1, [JsonlReader(str(texts.parent), glob_pattern=texts.name), PIIFormatter(), JsonlWriter(plain)]),
        (1, [JsonlReader(plain), MinhashDedupSignature(signatures, config=config)]),
        (BANDS, [MinhashDedupBuckets(signatures, buckets, config=config)]),
        (1, [MinhashDedupCluster(buckets, removed, config=config)]),
        (1, [JsonlReader(plain), MinhashDedupFilter(removed), GopherRepetitionFilter(), GopherQualityFilter(),
             JsonlWriter(str(work / "kept"))]),
    )  # fmt: skip
    for tasks, blocks in stages:
        LocalPipelineExecutor(blocks, tasks=tasks, workers=1, logging_dir=str(work / f"logs{time.time_ns()}")).run()


def main() -> None:
    texts, work = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ.setdefault("DATATROVE_COLORIZE_LOGS", "0")
    start = seconds()
    pipeline(texts, work)
    print(json.dumps({"seconds": seconds() - start}))


if __name__ == "__main__":
    main()
