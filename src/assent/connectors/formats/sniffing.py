"""Looking at the first bytes of a source to guess its format, without ever failing on odd input."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import orjson

from assent.connectors.formats.jsonl import opened

HEAD_BYTES: Final = 256 * 1024
MAX_LINES: Final = 20
MAX_FILES: Final = 5
MAX_ENTRIES: Final = 10_000
"""How many folder entries are looked at before a folder counts as something else."""


def some_files(path: Path, *suffixes: str) -> Iterator[Path]:
    """Yield PATH if it is a file with one of the suffixes, or the first such files below it."""
    try:
        if path.is_file():
            if path.name.endswith(suffixes):
                yield path
            return
        entries = islice(path.rglob("*"), MAX_ENTRIES) if path.is_dir() else iter(())
        yield from islice((item for item in entries if item.name.endswith(suffixes) and item.is_file()), MAX_FILES)
    except OSError:
        return


def head(path: Path) -> bytes:
    """Read the first bytes of a plain or gzip file; b"" if that is not possible."""
    try:
        with opened(path, lambda _count: None) as stream:
            return stream.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    except (OSError, EOFError, zlib.error):
        return b""


def first_objects(path: Path) -> Iterator[dict[str, object]]:
    """Yield the objects on the first lines of a file, passing over what is none."""
    for line in head(path).split(b"\n")[:MAX_LINES]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value
