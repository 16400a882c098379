"""JSON lines, plain, gzip or zstd: which line is whose, and a copy of a file without some of them.

A line that is kept is copied as it stands, whatever is in it; so is one that cannot be read. Lines end at a line feed
and nowhere else. What is compressed is read to its end or counts as damaged: half a file is never written back.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from gzip import GzipFile
from itertools import chain
from typing import IO, Final, TypeAlias, cast

import orjson
import zstandard

from assent.connectors.files.rows import NO_ID, Row, Shape
from assent.connectors.formats import jsonl
from assent.connectors.formats.port import Malformed

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED: Final = b"\x2a\x4d\x18"
_BOM: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 20
_ZSTD_BLOCK: Final = 4 << 10
"""So little is given to zstd at once because a block of four bytes may become 128 KiB."""
_GZIP_LEVEL: Final = 6
_BETWEEN_QUOTES: Final = re.compile(rb'(?:[^"\\]|\\.)+', re.DOTALL)
_WORD: Final = re.compile(rb"""[^\s"',;:{}\[\]()<>=|]+""")
_ZSTD_HEAD_BYTES: Final = 18
_OVERLAP: Final = 4 << 10

Problem: TypeAlias = str
"""Why a line cannot be read; quotes nothing of it."""


@dataclass(slots=True)
class Line:
    """A line as it stands in the file, with its number from 1. Not `whole`: a piece of one that is over the limit."""

    number: int
    raw: bytes
    whole: bool = True

    def row(self) -> Row | Problem | None:
        """Read it; None for a blank one."""
        if not self.whole:
            return "the line is longer than the limit"
        raw = self.raw.removeprefix(_BOM) if self.number == 1 else self.raw
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError:
            read = next(jsonl.objects(io.BytesIO(raw.removesuffix(b"\n")), ""), None)
            if read is None:
                return None
            return read.problem if isinstance(read, Malformed) else read[1]
        return value if isinstance(value, dict) else "the line is JSON but not an object"


def lines(stream: IO[bytes]) -> Iterator[Line]:
    """Cut a file into lines. Raises an error of the library where it cannot be read any further."""
    limit, number, within = jsonl.MAX_LINE_BYTES, 1, False
    while raw := stream.readline(limit):
        ends = raw.endswith(b"\n")
        yield Line(number, raw, whole=not within and (ends or len(raw) < limit))
        within = not ends
        number += ends


@contextmanager
def unpacked(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Read a file by what its first bytes say that it is."""
    head = _head(stream)
    if head.startswith(_GZIP):
        with GzipFile(fileobj=stream, mode="rb") as unzipped:
            yield cast("IO[bytes]", unzipped)
    elif _is_zstd(head):
        yield cast("IO[bytes]", io.BufferedReader(_Zstd(stream), _BLOCK))
    else:
        yield stream


def is_plain(stream: IO[bytes]) -> bool:
    """Tell whether a file is not compressed: then a program may append to it at any moment."""
    head = _head(stream)
    return not head.startswith(_GZIP) and not _is_zstd(head)


def rows(stream: IO[bytes]) -> Iterator[tuple[int, Row | Problem]]:
    """Read every row of a file with the number of its line."""
    with unpacked(stream) as text:
        for line in lines(text):
            row = line.row()
            if row is not None:
                yield line.number, row


def found(stream: IO[bytes], shape: Shape, wanted: Collection[str]) -> tuple[Counter[str], dict[str, int]]:
    """Count the rows of conversations, and find lines that cannot be read and say an id: its first line, by id."""
    counts: Counter[str] = Counter()
    unread: dict[str, int] = {}
    tail = b""
    with unpacked(stream) as text:
        for line in lines(text):
            row = line.row()
            if isinstance(row, dict):
                if name := shape.id_of(row):
                    if name in wanted:
                        counts[name] += 1
                    continue
                row = NO_ID
            if row is not None:
                for name in _said(tail + line.raw, wanted):
                    unread.setdefault(name, line.number)
                tail = b"" if line.raw.endswith(b"\n") else line.raw[-_OVERLAP:]
    return counts, unread


def rewriter(shape: Shape, wanted: Collection[str]) -> Callable[[IO[bytes], IO[bytes]], int]:
    """Make what copies a file without the rows of some conversations and returns how many those were."""

    def copy(source: IO[bytes], target: IO[bytes]) -> int:
        left_out = 0
        with unpacked(source) as text, _packed(source, target) as out:
            for line in lines(text):
                row = line.row()
                if isinstance(row, dict) and shape.id_of(row) in wanted:
                    left_out += 1
                    # the mark at the beginning is the file's, not the row's
                    out.write(_BOM if line.number == 1 and line.raw.startswith(_BOM) else b"")
                else:
                    out.write(line.raw)
        return left_out

    return copy


def _said(raw: bytes, wanted: Collection[str]) -> set[str]:
    """Find ids in a line that cannot be read: what stands between two quotes, or as a word."""
    said = set()
    longest = max((len(name) for name in wanted), default=0) * 12
    raw = raw.rstrip(b"\r\n")
    for token in chain(_BETWEEN_QUOTES.finditer(raw), _WORD.finditer(raw)):
        if token.end() - token.start() > longest:
            continue
        with suppress(ValueError):
            name = json.loads(b'"' + token[0] + b'"', strict=False)
            if name in wanted:
                said.add(name)
    return said


def _head(stream: IO[bytes]) -> bytes:
    position = stream.tell()
    head = stream.read(4)
    stream.seek(position)
    return head


def _is_zstd(head: bytes) -> bool:
    """Tell a zstd file, also one that begins with a frame to be skipped."""
    return head.startswith(_ZSTD) or (head[1:4] == _ZSTD_SKIPPED and 0x50 <= head[0] <= 0x5F)


@contextmanager
def _packed(source: IO[bytes], target: IO[bytes]) -> Iterator[IO[bytes]]:
    """Write as the source is packed; where it stands in the source does not change."""
    position = source.tell()
    source.seek(0)
    head = source.read(_ZSTD_HEAD_BYTES)
    source.seek(position)
    if head.startswith(_GZIP):
        with GzipFile(filename="", fileobj=target, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0) as zipped:
            yield cast("IO[bytes]", zipped)
    elif _is_zstd(head):
        checked = zstandard.get_frame_parameters(head).has_checksum
        packer = zstandard.ZstdCompressor(write_checksum=checked)
        with packer.stream_writer(target, closefd=False) as packed:
            yield cast("IO[bytes]", packed)
    else:
        yield target


class _Zstd(io.RawIOBase):
    """A zstd file of one or many frames. The library's own reader takes a file that was cut off for a whole one."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._made = zstandard.ZstdDecompressor(max_window_size=1 << 31)
        self._frame = self._made.decompressobj()
        self._within = False
        self._left = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        while not self._ready:
            block = self._left or self._stream.read(_ZSTD_BLOCK)
            self._left = b""
            if not block:
                if self._within:
                    raise EOFError("the file ends in the middle of a frame")
                return 0
            self._ready = memoryview(self._frame.decompress(block))
            self._within = True
            if self._frame.eof:
                self._left = self._frame.unused_data
                self._frame = self._made.decompressobj()
                self._within = False
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
