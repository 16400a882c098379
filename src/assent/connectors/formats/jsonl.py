"""JSON lines, read fast and in bounded memory: one object per line, every line accounted for.

Lines are cut from large binary blocks, because reading a text file line by line costs more
than parsing it. Blank lines are no records. Everything else is either an object with its
1-based line number or a `Malformed` with the same number.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import IO, Final, cast

import orjson

from assent.connectors.formats.port import Malformed
from assent.domain.errors import Place

MAX_LINE_BYTES: Final = 256 * 1024 * 1024
"""A longer line is refused: it would have to be held in memory several times over."""

CHUNK_BYTES: Final = 1024 * 1024

Line = tuple[int, dict[str, object]]

_BOM: Final = b"\xef\xbb\xbf"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DAMAGED: Final = "the file cannot be read any further"
_TOO_LONG: Final = "the line is longer than the limit"


class _Counted(io.RawIOBase):
    """A raw file that tells how many bytes were taken from it, before any decompression."""

    def __init__(self, raw: io.RawIOBase, on_bytes: Callable[[int], None]) -> None:
        self._raw = raw
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer) or 0
        self._on_bytes(count)
        return count


@contextmanager
def opened(path: Path, on_bytes: Callable[[int], None]) -> Iterator[IO[bytes]]:
    """Open a plain or gzip file by its first bytes; `on_bytes` hears the bytes taken from the disk."""
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb", buffering=0))
        buffered = io.BufferedReader(_Counted(raw, on_bytes), CHUNK_BYTES)
        if buffered.peek(2)[:2] == _GZIP_MAGIC:
            yield cast("IO[bytes]", stack.enter_context(GzipFile(fileobj=buffered, mode="rb")))
        else:
            yield buffered


def read_objects(path: Path, file: str, on_bytes: Callable[[int], None]) -> Iterator[Line | Malformed]:
    """Read the objects of a plain or gzip file; a file that cannot be opened is one malformed record."""
    try:
        with opened(path, on_bytes) as stream:
            yield from objects(stream, file)
    except OSError:
        yield Malformed(Place(file), "the file cannot be opened")


def objects(stream: IO[bytes], file: str, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Line | Malformed]:
    """Yield each line's object with its number; what is no object is `Malformed` at that number."""
    for number, raw in enumerate(_cut(stream, max_line_bytes), 1):
        if isinstance(raw, str):
            yield Malformed(Place(file, number), raw)
            continue
        line = raw.removeprefix(_BOM) if number == 1 else raw
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not line or line.isspace():
                continue
            value = _without_surrogates(line)
            if value is None:
                yield Malformed(Place(file, number), _problem(error))
                continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield Malformed(Place(file, number), "the line is JSON but not an object")


def _cut(stream: IO[bytes], limit: int) -> Iterator[bytes | str]:
    """Cut a stream at line feeds; text instead of bytes names why a line is missing."""
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except (OSError, EOFError, zlib.error):
            yield _DAMAGED
            return
        if not chunk:
            break
        first, *rest = chunk.split(b"\n")
        size += len(first)
        if size > limit:
            pieces.clear()
        else:
            pieces.append(first)
        if rest:
            yield _TOO_LONG if size > limit else b"".join(pieces)
            last = rest.pop()
            for line in rest:
                yield _TOO_LONG if len(line) > limit else line
            pieces, size = [last], len(last)
    if size:
        yield _TOO_LONG if size > limit else b"".join(pieces)


def _without_surrogates(line: bytes) -> object:
    """Read a line whose text was cut through the middle of an emoji, as JavaScript programs do.

    Half a surrogate pair is legal in JSON and in no Unicode text; it becomes U+FFFD.
    None when that was not the fault.
    """
    if b"\\u" not in line:
        return None
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False, allow_nan=False)
        value: object = orjson.loads(_SURROGATE.sub("\ufffd", text))
    except (ValueError, RecursionError):
        return None
    return value


def _problem(error: orjson.JSONDecodeError) -> str:
    if "UTF-8" in error.msg:
        return "the line is not UTF-8 text"
    if "depth" in error.msg:
        return "the line is nested too deeply"
    if "infinity" in error.msg:
        return "the line holds a number that is too large"
    return "the line is not JSON"
