"""`assent dedup`: which of the texts that say the same is kept."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
import orjson

from assent.interfaces.cli.app import Complaints

if TYPE_CHECKING:
    from assent.pipeline.dedup.lines import Answer


@click.command()
@click.option(
    "--threshold",
    type=click.FloatRange(0.5, 1.0),
    default=0.8,
    show_default=True,
    help="Least Jaccard similarity of two texts that say the same.",
)
@click.option("--words", type=click.IntRange(1, 50), default=5, show_default=True, help="Segments in a shingle.")
@click.argument("texts", type=click.File("rb"), default="-")
def command(threshold: float, words: int, texts: IO[bytes]) -> int:
    """Find texts that say the same, and say which is kept.

    TEXTS are lines of {"id", "text"} (default: standard input). For each line, in order, one comes out: {"id", "keep",
    "cluster"}. `cluster` is the id of the text that is kept for it: the smallest id among all texts that are alike,
    directly or through others (numbers are smaller than text; text is compared by code points).

    Two texts are alike when they are equal, or when the exact Jaccard similarity of their sets of shingles is at
    least the threshold. A shingle is 5 segments in a row (--words); a text with fewer is one shingle. A segment is, in
    lower case, a run of letters, digits, marks and underscores. Each character of scripts without spaces (Chinese,
    Japanese, Thai, ...), each emoji and each symbol such as + = < > $ ^ ` | ~ is a segment of its own. Spaces and
    punctuation separate segments and do not count. Candidates come from MinHash bands (at similarity 0.8, 4 pairs in
    10,000 are missed) and each is verified, so none is wrong.

    For plain English the segments are what `re.findall(r"\\w+", text.lower())` finds.

    A bad line is named on standard error, and the rest goes on.

    Exit status: 0 all compared, 4 some lines were bad.

    \b
    Examples:
      assent dedup --threshold 0.8 < texts.ndjson > clusters.ndjson
      printf '{"id":"%s","text":"good morning to you all, friends"}\\n' b a | assent dedup
    """
    from assent.interfaces.cli.progress import progress
    from assent.pipeline.dedup.terms import BANDS, DedupTerms
    from assent.pipeline.extra import needing

    with needing("deduplication"):
        from assent.pipeline.dedup.lines import dedup_lines

    bad = Complaints()
    terms = DedupTerms(threshold, words)
    with tempfile.TemporaryDirectory(prefix="assent-dedup-") as folder, progress("compare", BANDS) as advance:
        for answer in dedup_lines(texts, terms, Path(folder), bad=bad, told=advance):
            sys.stdout.write(_written(answer) + "\n")
    sys.stdout.flush()
    return bad.status


def _written(answer: Answer) -> str:
    try:
        return orjson.dumps(answer).decode()
    except TypeError:
        # orjson writes no whole number beyond 64 bits
        return json.dumps(asdict(answer), ensure_ascii=False, separators=(",", ":"))
