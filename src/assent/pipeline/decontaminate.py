"""Conversations that carry a benchmark's questions or answers are left out of a cut, by the name of the benchmark.

A benchmark is a file of texts. Each run of 13 segments of it (`pipeline.dedup.segments`) is kept
as a 64-bit hash; a conversation that has one of them in one of its parts is contaminated. A text
shorter than 13 segments is matched as a whole, down to 8; shorter ones are everybody's words, and
are counted instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from assent.domain.digests import canonical
from assent.domain.errors import Invalid
from assent.pipeline.block import Dropped, Outcome

if TYPE_CHECKING:
    from pathlib import Path

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DecontaminateTerms:
    """`words` segments in a row are a match; a shorter text of a benchmark counts whole, from `least_words` on.

    `matches` is how many different runs a conversation must share before it is left out.
    """

    words: int = 13
    least_words: int = 8
    matches: int = 1

    def describe(self) -> dict[str, Any]:
        """Return what the answer depends on besides the benchmarks and the texts."""
        return {
            "version": _VERSION,
            "words": self.words,
            "least_words": self.least_words,
            "matches": self.matches,
        }


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkIndex:
    """The runs of all benchmarks: sorted hashes, whose each is (a place in `names`), and how long runs are.

    `ignored` counts texts that are too short to be told apart from everybody's words. Of a run
    that stands in two benchmarks the first in order is named.
    """

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    hashes: npt.NDArray[np.uint64]
    owners: npt.NDArray[np.uint16]
    ignored: int

    @property
    def digest(self) -> str:
        """Name what the index holds, `sha256:...`."""
        found = hashlib.sha256(canonical([_VERSION, list(self.names), list(self.lengths)]))
        found.update(self.hashes.tobytes())
        found.update(self.owners.tobytes())
        return "sha256:" + found.hexdigest()


def build_index(files: Sequence[Path], terms: DecontaminateTerms) -> BenchmarkIndex:
    """Read benchmarks from files; a benchmark has the name of its file.

    Of `.jsonl` and `.ndjson` every piece of text in each line's value counts, of any other file
    every paragraph (a blank line ends it). Raises `Invalid` for a line that is not JSON, and for
    two files of one name.
    """
    names = [path.stem for path in files]
    if len(set(names)) < len(names):
        raise Invalid("two benchmarks have files of the same name", "rename one; the name is the reason in the cut")
    hashes: list[npt.NDArray[np.uint64]] = []
    owners: list[npt.NDArray[np.uint16]] = []
    lengths: set[int] = set()
    ignored = 0
    for owner, path in enumerate(files):
        for text in _texts(path):
            segments = _segments(text)
            length = min(terms.words, len(segments))
            if length < terms.least_words:
                ignored += 1
                continue
            lengths.add(length)
            runs = _runs(segments, length)
            hashes.append(runs)
            owners.append(np.full(len(runs), owner, np.uint16))
    every = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    whose = np.concatenate(owners) if owners else np.empty(0, np.uint16)
    found, first = np.unique(every, return_index=True)
    return BenchmarkIndex(tuple(names), tuple(sorted(lengths)), found, whose[first], ignored)


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """The block that leaves out conversations which share a run with a benchmark: reason `benchmark: NAME`."""

    terms: DecontaminateTerms
    index: BenchmarkIndex
    name: str = "decontaminate"

    def describe(self) -> dict[str, Any]:
        """Return the terms, and the benchmarks by name and digest."""
        return {**self.terms.describe(), "benchmarks": list(self.index.names), "index": self.index.digest}

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Drop contaminated conversations; counts are conversations by the benchmark that each shares most with."""
        if rows.num_rows == 0 or not self.index.lengths:
            return Outcome(rows)
        groups = _groups(rows.column("conversation"))
        shares = self._shares(rows.column("text"), groups)
        gone = shares.sum(axis=1) >= self.terms.matches
        if not gone.any():
            return Outcome(rows)
        reasons = [f"benchmark: {self.index.names[owner]}" for owner in shares.argmax(axis=1)]
        sizes = np.diff(groups)
        leaving = np.repeat(gone, sizes)
        row_reasons = np.repeat(np.array(reasons, object), sizes)[leaving].tolist()
        names = rows.column("part").filter(pa.array(leaving)).to_pylist()
        counts: dict[str, int] = {}
        for conversation in np.flatnonzero(gone).tolist():
            counts[reasons[conversation]] = counts.get(reasons[conversation], 0) + 1
        dropped = tuple(Dropped(part, reason) for part, reason in zip(names, row_reasons, strict=True))
        return Outcome(rows.filter(pa.array(~leaving)), dropped, counts)

    def _shares(self, texts: pa.Array, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Count, for each conversation, the different runs it shares with each benchmark."""
        from assent.pipeline.dedup.matches import count_matches  # noqa: PLC0415 - compiles when a block first works
        from assent.pipeline.dedup.segments import segment_tables  # noqa: PLC0415
        from assent.pipeline.dedup.sketch import normal, text_buffers  # noqa: PLC0415

        data, offsets = text_buffers(normal(texts))
        index = (self.index.hashes, self.index.owners, len(self.index.names))
        return count_matches(data, offsets, groups, np.array(self.index.lengths), index, segment_tables())


def _groups(conversations: pa.Array) -> npt.NDArray[np.int64]:
    ends = pc.run_end_encode(conversations, run_end_type=pa.int64()).run_ends.to_numpy()
    return np.concatenate([np.zeros(1, np.int64), ends])


def _segments(text: str) -> npt.NDArray[np.uint64]:
    from assent.pipeline.dedup.kernels import segments_of  # noqa: PLC0415 - numba only where it is used
    from assent.pipeline.dedup.segments import segment_tables  # noqa: PLC0415
    from assent.pipeline.dedup.sketch import normal, text_buffers  # noqa: PLC0415

    data, offsets = text_buffers(normal(pa.array([text], pa.large_string())))
    out = np.empty(len(data) + 1, np.uint64)
    return out[: segments_of(data, int(offsets[0]), int(offsets[1]), segment_tables(), out, 0)]


def _runs(segments: npt.NDArray[np.uint64], words: int) -> npt.NDArray[np.uint64]:
    from assent.pipeline.dedup.kernels import roll  # noqa: PLC0415

    out = np.empty(len(segments), np.uint64)
    return out[: roll(segments, len(segments), words, out)]


def _texts(path: Path) -> Iterator[str]:
    if path.suffix not in {".jsonl", ".ndjson"}:
        yield from path.read_text("utf-8").split("\n\n")
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield from _pieces(orjson.loads(line))
                except orjson.JSONDecodeError:
                    raise Invalid(
                        f"line {number} of `{path.name}` is not JSON", "write one JSON value a line"
                    ) from None


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _pieces(inner)
