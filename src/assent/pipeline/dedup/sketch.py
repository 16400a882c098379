"""A sketch is all that an election needs of a text: its digest, its shingles as 32-bit hashes, its band keys.

It is made where the text is, in any process, and only sketches travel to the election. A
sketch is derived from the text: whoever holds one can tell whether a text they know is the
same, so it ends when the text ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from unicodedata import is_normalized, normalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assent.domain.errors import Invalid
from assent.pipeline.dedup.kernels import gather, sketch_texts
from assent.pipeline.dedup.segments import segment_tables
from assent.pipeline.dedup.terms import BANDS, DedupTerms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assent.pipeline.dedup.joins import Arrays

SKETCH: Final = pa.schema(
    [
        pa.field("digest", pa.binary(32), nullable=False),
        pa.field("bands", pa.list_(pa.field("item", pa.uint64(), nullable=False), BANDS), nullable=False),
        pa.field("shingles", pa.large_list(pa.field("item", pa.uint32(), nullable=False)), nullable=False),
    ]
)
"""Columns of a sketch. `digest` is the SHA-256 of the text in normal form C; `shingles` are sorted, each once."""


def sketch(texts: Sequence[str] | pa.Array, terms: DedupTerms) -> pa.RecordBatch:
    """Sketch each text, in order; the columns are `SKETCH`."""
    pieces = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.large_string())
    return _sketch(pieces, np.arange(len(pieces) + 1, dtype=np.int64), terms)


def sketch_rows(rows: pa.RecordBatch, terms: DedupTerms, texts: pa.Array | None = None) -> pa.RecordBatch:
    """Sketch each conversation of rows of a cut: columns `conversation`, `person` and those of `SKETCH`.

    The pieces of a conversation are its rows; `texts` takes the place of the column `text`, for
    texts whose surrogates are masked. Conversations come whole and their rows together.
    """
    if rows.num_rows == 0:
        return pa.RecordBatch.from_pylist([], schema=_ROWS)
    ends = pc.run_end_encode(rows.column("conversation"), run_end_type=pa.int64()).run_ends.to_numpy()
    groups = np.concatenate([np.zeros(1, np.int64), ends])
    firsts = rows.select(["conversation", "person"]).take(pa.array(groups[:-1]))
    found = _sketch(rows.column("text") if texts is None else texts, groups, terms)
    return pa.RecordBatch.from_arrays([*firsts.columns, *found.columns], schema=_ROWS)


_ROWS: Final = pa.schema(
    [pa.field("conversation", pa.string(), nullable=False), pa.field("person", pa.string()), *SKETCH]
)


def text_digests(texts: pa.Array) -> pa.Array:
    """Return the SHA-256 of each text in normal form C."""
    data, offsets = text_buffers(normal(texts))
    found = _digests(data, offsets, np.arange(len(texts) + 1))
    return pa.Array.from_buffers(pa.binary(32), len(texts), [None, pa.py_buffer(found)])


def normal(texts: pa.Array) -> pa.Array:
    """Return texts as large strings in normal form C, where the same letters are the same characters."""
    large = texts.cast(pa.large_string())
    asked = pc.invert(pc.string_is_ascii(large))
    found = large.filter(asked).to_pylist()
    if all(is_normalized("NFC", text) for text in found):
        return large
    changed = pa.array([normalize("NFC", text) for text in found], pa.large_string())
    return pc.replace_with_mask(large, asked, changed)


def text_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the bytes of large strings and where each begins, without copying them."""
    _, offsets, data = texts.buffers()
    begins = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", np.uint8), begins


def _sketch(texts: pa.Array, groups: npt.NDArray[np.int64], terms: DedupTerms) -> pa.RecordBatch:
    if len(groups) == 1:
        return pa.RecordBatch.from_pylist([], schema=SKETCH)
    data, offsets = text_buffers(normal(texts))
    shingles, begins, bands = sketch_texts(data, offsets, groups, (terms.words, terms.rows), segment_tables())
    digests = _digests(data, offsets, groups)
    empty = begins[1:] == begins[:-1]
    # texts without a segment are alike when they are the same; their digest leads them together
    bands[empty] = np.frombuffer(digests, np.uint64).reshape(-1, 4)[empty, :1]
    return pa.RecordBatch.from_arrays(
        [
            pa.Array.from_buffers(pa.binary(32), len(groups) - 1, [None, pa.py_buffer(digests)]),
            pa.FixedSizeListArray.from_arrays(pa.array(bands.reshape(-1)), type=SKETCH.field("bands").type),
            pa.LargeListArray.from_arrays(pa.array(begins), pa.array(shingles), type=SKETCH.field("shingles").type),
        ],
        schema=SKETCH,
    )


def _digests(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> bytes:
    """Digest each text with the lengths of its pieces but the last, so that pieces do not run together."""
    found = []
    begins, starts = offsets.tolist(), groups.tolist()
    view = memoryview(data)  # type: ignore[arg-type]  # numpy 2.4 types it only from Python 3.12 on
    for first, stop in pairwise(starts):
        one = hashlib.sha256(view[begins[first] : begins[stop]])
        if stop - first > 1:
            one.update(np.diff(offsets[first:stop]).tobytes())
        found.append(one.digest())
    return b"".join(found)


@dataclass(frozen=True, slots=True)
class Sketches:
    """Sketches of many texts as arrays, in memory or mapped from files."""

    digests: npt.NDArray[np.uint64]
    bands: npt.NDArray[np.uint64]
    begins: npt.NDArray[np.int64]
    shingles: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.digests)

    @property
    def arrays(self) -> Arrays:
        """Return what the inner loops take."""
        return (self.digests, self.bands, self.begins, self.shingles)

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch]) -> Sketches:
        """Gather batches with the columns of `SKETCH`, in order."""
        parts = [_arrays_of(batch) for batch in batches] or [_arrays_of(pa.RecordBatch.from_pylist([], schema=SKETCH))]
        digests, bands, sizes, shingles = zip(*parts, strict=True)
        return cls(np.concatenate(digests), np.concatenate(bands), _begins(sizes), np.concatenate(shingles))

    @classmethod
    def joined(cls, one: Sketches, other: Sketches) -> Sketches:
        """Put one behind the other."""
        return cls(
            np.concatenate([one.digests, other.digests]),
            np.concatenate([one.bands, other.bands]),
            np.concatenate([one.begins, one.begins[-1] + other.begins[1:]]),
            np.concatenate([one.shingles, other.shingles]),
        )

    def take(self, rows: npt.NDArray[np.int64]) -> Sketches:
        """Return some rows, in the order given."""
        sizes = self.begins[rows + 1] - self.begins[rows]
        begins = _begins([sizes])
        return Sketches(self.digests[rows], self.bands[rows], begins, gather(self.shingles, self.begins, rows, begins))

    def to_batch(self) -> pa.RecordBatch:
        """Return a batch with the columns of `SKETCH`."""
        return pa.RecordBatch.from_arrays(
            [
                pa.Array.from_buffers(pa.binary(32), len(self), [None, pa.py_buffer(self.digests.tobytes())]),
                pa.FixedSizeListArray.from_arrays(pa.array(self.bands.reshape(-1)), type=SKETCH.field("bands").type),
                pa.LargeListArray.from_arrays(
                    pa.array(self.begins), pa.array(self.shingles), type=SKETCH.field("shingles").type
                ),
            ],
            schema=SKETCH,
        )


_FILES: Final = ("digests", "bands", "sizes", "shingles")


class SketchFiles:
    """Takes batches of sketches to files of a folder, so that memory holds one batch."""

    def __init__(self, folder: Path) -> None:
        """Begin empty files in `folder`; `spool` is the usual way in."""
        self._folder = folder
        self._files = [(folder / name).open("wb") for name in _FILES]

    def add(self, batch: pa.RecordBatch) -> None:
        """Append the sketches of a batch."""
        for file, array in zip(self._files, _arrays_of(batch), strict=True):
            file.write(np.ascontiguousarray(array).data)

    def close(self) -> None:
        """Put everything into the files."""
        for file in self._files:
            file.close()

    def read(self) -> Sketches:
        """Map the files; the arrays take memory only where they are looked at."""
        self.close()
        digests, bands, sizes, shingles = (
            _mapped(self._folder / name, kind)
            for name, kind in zip(_FILES, (np.uint64, np.uint64, np.int64, np.uint32), strict=True)
        )
        return Sketches(digests.reshape(-1, 4), bands.reshape(-1, BANDS), _begins([sizes]), shingles)


@contextmanager
def spool(folder: Path) -> Iterator[SketchFiles]:
    """Keep sketches in files of an empty folder while there are more to come."""
    files = SketchFiles(folder)
    try:
        yield files
    finally:
        files.close()


def check_words(terms: DedupTerms, made_with: DedupTerms) -> None:
    """Refuse to compare sketches that were made differently; raises `Invalid`."""
    if terms.describe_sketch() != made_with.describe_sketch():
        raise Invalid("the sketches were made with other terms", "make them again from the texts")


def _mapped(path: Path, kind: Any) -> npt.NDArray[Any]:
    # "c": the type of a writable array, for which the loops are compiled already; nothing is written
    return np.asarray(np.memmap(path, kind, "c")) if path.stat().st_size else np.empty(0, kind)


def _arrays_of(batch: pa.RecordBatch) -> tuple[npt.NDArray[Any], ...]:
    """Return digests, bands, how many shingles each row has, and the shingles."""
    digest, bands, shingles = (batch.column(name) for name in SKETCH.names)
    begin = digest.offset * 32
    raw = digest.buffers()[1]
    digests = np.frombuffer(raw or b"", np.uint8)[begin : begin + 32 * len(digest)].view(np.uint64).reshape(-1, 4)
    sizes = np.diff(shingles.offsets.to_numpy())
    return digests, bands.flatten().to_numpy().reshape(-1, BANDS), sizes, shingles.flatten().to_numpy()


def _begins(sizes: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(list(sizes)), dtype=np.int64)])
