"""The rows that a model is taught: conversations as token ids, sorted into slices, on disk.

Rows are written once in the order in which conversations come, with an index, and then again slice by slice in the
order that `data.order_of` gives. Both files are read as mapped memory. What grows with the cut is the index alone: 36
bytes a row while it is sorted. Beside the rows of a slice stands a digest of them, which tells whether two runs were
taught the same.

A conversation longer than a row is split after the last turn that fits; only a turn that is longer by itself is cut
within. No token is lost by that, but the second row does not see the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from assent.learn.runs.data import SlicePlace, order_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.data import Talk
    from assent.learn.runs.template import Template, Tokens

UNLEARNED: Final = -100
"""The label of a token that is read and not learned, as the losses of torch have it."""

_INDEX: Final = np.dtype(
    [("place", "<u4"), ("key", "<u8"), ("rest", "<u8"), ("part", "<u4"), ("start", "<u8"), ("length", "<u4")]
)
_BATCH: Final = 256
"""Rows written at once."""
_ROW: Final = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])


@dataclass(frozen=True, slots=True)
class SliceRows:
    """The rows of one slice: their file, their digest, and how many conversations, rows, tokens and learned tokens."""

    path: Path
    digest: str
    conversations: int
    rows: int
    tokens: int
    learned: int


@dataclass(slots=True)
class Told:
    """What became of the conversations: how many came, were split, and were left out and why.

    `silent` ones have nothing that is learned; `unfit` ones are refused by the chat template of a base model.
    """

    conversations: int = 0
    split: int = 0
    silent: int = 0
    unfit: int = 0


def write_rows(
    talks: Iterable[Talk], template: Template, config: RunConfig, folder: Path
) -> tuple[dict[SlicePlace, SliceRows], Told]:
    """Write the rows of every slice into `folder`, which must be empty, and say what is in them."""
    told = Told()
    with (folder / "rows").open("wb") as rows, (folder / "index").open("wb") as index:
        for talk in talks:
            told.conversations += 1
            _write_talk(talk, template, config, told, (rows, index))
    found = _sorted_slices(folder, config)
    for name in ("rows", "index"):
        (folder / name).unlink()
    return found, told


def read_slice(rows: SliceRows) -> Any:
    """Open the rows of a slice as a dataset of the library `datasets`, mapped and not read."""
    from datasets import Dataset

    return Dataset.from_file(str(rows.path))


def windows(tokens: Tokens, longest: int) -> Iterator[slice]:
    """Split a conversation into pieces of at most `longest` tokens, after a turn where that is possible."""
    start, size = 0, len(tokens.ids)
    ends = iter(tokens.ends)
    coming = next(ends, size)
    while start < size:
        stop = min(start + longest, size)
        turn = start
        while coming <= stop:
            turn = coming
            coming = next(ends, size + longest)
        stop = turn if turn > start and stop < size else stop
        yield slice(start, stop)
        start = stop


def _write_talk(
    talk: Talk, template: Template, config: RunConfig, told: Told, files: tuple[BinaryIO, BinaryIO]
) -> None:
    try:
        tokens = template.tokens(talk.messages)
    except ValueError:
        told.unfit += 1
        return
    if not any(tokens.learned):
        told.silent += 1
        return
    rows, index = files
    seed, sharding = config.run.seed, config.sharding
    place = place_of(talk.whose, seed, sharding.shards, sharding.slices)
    key, rest = np.frombuffer(order_of(talk.id, seed), "<u8")
    ids = np.array(tokens.ids, "<i4")
    labels = np.where(tokens.learned, ids, UNLEARNED).astype("<i4")
    pieces = list(windows(tokens, config.train.max_length))
    told.split += len(pieces) > 1
    # A piece without anything learned would be a row without a loss.
    for part, piece in enumerate(piece for piece in pieces if any(tokens.learned[piece])):
        start, length = rows.tell() // 4, piece.stop - piece.start
        entry = (place.shard * sharding.slices + place.slice, key, rest, part, start, length)
        index.write(np.array([entry], _INDEX).tobytes())
        rows.write(ids[piece].tobytes())
        rows.write(labels[piece].tobytes())


def _sorted_slices(folder: Path, config: RunConfig) -> dict[SlicePlace, SliceRows]:
    index = np.fromfile(folder / "index", _INDEX)
    order = np.lexsort((index["part"], index["rest"], index["key"], index["place"]))
    rows = np.memmap(folder / "rows", "<i4", "r") if len(index) else np.zeros(0, "<i4")
    sharding = config.sharding
    places = [SlicePlace(shard, number) for shard in range(sharding.shards) for number in range(sharding.slices)]
    borders = np.searchsorted(index["place"], np.arange(len(places) + 1), sorter=order)
    found = {}
    for number, place in enumerate(places):
        chosen = index[order[borders[number] : borders[number + 1]]]
        longest = config.train.max_length if config.train.packing else 0
        path = folder / f"shard-{place.shard}-slice-{place.slice}.arrow"
        found[place] = _write_slice(path, chosen, rows, longest)
    return found


def _write_slice(path: Path, index: NDArray[Any], rows: NDArray[np.int32], packed: int) -> SliceRows:
    seen, count, tokens, learned = hashlib.sha256(), 0, 0, 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, _ROW) as stream:
        batch: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
        for ids, labels in _together(_rows(index, rows), packed):
            seen.update(len(ids).to_bytes(4, "little") + ids.tobytes() + labels.tobytes())
            count, tokens, learned = count + 1, tokens + len(ids), learned + int((labels != UNLEARNED).sum())
            batch.append((ids, labels))
            if len(batch) == _BATCH:
                stream.write_batch(_record(batch))
                batch = []
        if batch or not count:
            stream.write_batch(_record(batch))
    conversations = int((index["part"] == 0).sum())
    return SliceRows(path, f"sha256:{seen.hexdigest()}", conversations, count, tokens, learned)


def _rows(index: NDArray[Any], rows: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    for entry in index:
        start, length = int(entry["start"]), int(entry["length"])
        yield rows[start : start + length], rows[start + length : start + 2 * length]


def _together(
    rows: Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]], longest: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Fill rows with neighbours as long as they fit into `longest` tokens; 0 leaves them as they are."""
    waiting: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    size = 0
    for row in rows:
        if waiting and size + len(row[0]) > longest:
            yield np.concatenate([ids for ids, _ in waiting]), np.concatenate([labels for _, labels in waiting])
            waiting, size = [], 0
        waiting.append(row)
        size += len(row[0])
    if waiting:
        yield np.concatenate([ids for ids, _ in waiting]), np.concatenate([labels for _, labels in waiting])


def _record(rows: list[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> pa.RecordBatch:
    offsets = np.cumsum([0, *(len(ids) for ids, _ in rows)], dtype=np.int32)
    columns = (np.concatenate([row[side] for row in rows]) if rows else np.zeros(0, np.int32) for side in (0, 1))
    return pa.record_batch([pa.ListArray.from_arrays(offsets, column) for column in columns], schema=_ROW)
