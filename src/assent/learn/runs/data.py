"""The conversations of a cut as a trainer reads them: checked, joined with person and skill, and each put in its place.

What the files look like says spec/manifest.md. Nothing of a file is used before its SHA-256 was found to be the
recorded one, and nothing is held in memory but a piece of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import orjson
import pyarrow.parquet as pq

from assent.domain.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS = 1_000
"""Rows of parts in memory at once."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a cut as its manifest names it: where it lies, its SHA-256 (64 hexadecimal digits) and its rows."""

    path: Path
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class CutFiles:
    """One split of a cut: its shards of messages and of parts. Shards of one bucket share the number in their name."""

    split: str
    messages: tuple[DataFile, ...]
    parts: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation to learn from. `person` is the cut's pseudonym; `skill` is empty if the recipe names none."""

    id: str
    person: str | None
    skill: str
    messages: list[dict[str, Any]]

    @property
    def whose(self) -> str:
        """What decides in which slice it is learned: the person, or the conversation where there is none."""
        return self.id if self.person is None else self.person


class SlicePlace(NamedTuple):
    """Where a person's conversations are learned; both count from 0."""

    shard: int
    slice: int


def place_of(whose: str, seed: int, shards: int, slices: int) -> SlicePlace:
    """Put what somebody said in a slice, by who it is and the seed alone: nobody else's coming or going moves it.

    `whose` is the pseudonym of the person, or the id of a conversation that has none.
    """
    number = int.from_bytes(_hash(f"place/{seed}/{whose}")[:16])
    return SlicePlace(number % shards, number // shards % slices)


def order_of(conversation: str, seed: int) -> bytes:
    """Give the key (16 bytes) by which conversations are sorted in their slice: mixed, and again by nobody else's."""
    return _hash(f"order/{seed}/{conversation}")[:16]


def read_talks(files: CutFiles, without: frozenset[str] = frozenset()) -> Iterator[Talk]:
    """Read the conversations of a split in the order of its files, but for those named in `without`.

    Raises `Refused` naming a file whose bytes are not those that the manifest names, `NotFound` for one that is gone.
    """
    by_bucket = {_bucket(file): file for file in files.parts}
    for messages in files.messages:
        parts = by_bucket.get(_bucket(messages))
        if parts is None:
            raise NotFound(f"`{messages.path.name}` has no shard of parts beside it", "run `assent cut verify`")
        with _checked(messages) as lines, _checked(parts) as table:
            yield from _joined(lines, table, messages, without)
            _unchanged(lines, messages)
            _unchanged(table, parts)


def _bucket(file: DataFile) -> str:
    return file.path.stem.rpartition("-")[2]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _checked(file: DataFile) -> BinaryIO:
    try:
        stream = file.path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"`{file.path.name}` is gone from the cut", "run `assent cut verify`") from None
    try:
        _unchanged(stream, file)
    except Refused:
        stream.close()
        raise
    return stream


def _unchanged(stream: BinaryIO, file: DataFile) -> None:
    # Asked again at the end: bytes that changed while they were read are found before any weights are made of them.
    stream.seek(0)
    found = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type] # a stream of bytes is what it takes
    if found.hexdigest() != file.sha256:
        fix = "somebody changed it: run `assent cut verify`, and cut again"
        raise Refused(f"`{file.path.name}` is not the file that the manifest names", fix)
    stream.seek(0)


def _joined(lines: BinaryIO, table: BinaryIO, file: DataFile, without: frozenset[str]) -> Iterator[Talk]:
    """Walk both files side by side: conversations stand in the same order in both, some of the parts have no line."""
    origins = _origins(table)
    for line in lines:
        said = orjson.loads(line)
        conversation = said["id"]
        for origin in origins:
            if origin[0] == conversation:
                break
        else:
            fix = "run `assent cut verify`, and cut again"
            raise Refused(f"`{file.path.name}` has a conversation that the parts have not, or in another order", fix)
        if conversation not in without:
            yield Talk(conversation, origin[1], origin[2], said["messages"])


def _origins(table: BinaryIO) -> Iterator[tuple[str, str | None, str]]:
    parts = pq.ParquetFile(table)
    columns = [name for name in ("conversation", "person", "skill") if name in parts.schema_arrow.names]
    last = None
    for batch in parts.iter_batches(_ROWS, columns=columns):
        values = [batch.column(name).to_pylist() for name in columns]
        for conversation, person, *skill in zip(*values, strict=True):
            if conversation != last:
                last = conversation
                yield conversation, person, (skill[0] or "") if skill else ""
