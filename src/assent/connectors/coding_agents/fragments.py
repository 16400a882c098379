"""Keyed fragments: recognising a session's words in another file without keeping any of them.

Of every run of eight words in a session's longer texts a keyed hash is made, and the smallest few
are kept. The same is done with a file that belongs to no session: some equal ones, and it repeats
what the session said. Without the key a fragment says nothing about the words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from hashlib import blake2b
from typing import Final

RUN_WORDS: Final = 8
FRAGMENTS: Final = 64
"""How many are kept of a session."""

ENOUGH: Final = 2
"""So many equal fragments and a file repeats a session; one may be chance or a common phrase."""

MAX_BYTES: Final = 8 << 20
"""How much of a file is looked at."""

_LONG_TEXT: Final = re.compile(rb'"((?:[^"\\]|\\.){40,})"')
_WORD: Final = re.compile(rb"[^\W_]+")
_BREAK: Final = re.compile(rb"\\[nrt]")


def of_session(contents: Iterable[bytes], key: bytes) -> frozenset[str]:
    """Make the fragments of a session from its files."""
    found: set[str] = set()
    for content in contents:
        for text in _LONG_TEXT.findall(content[:MAX_BYTES]):
            found.update(_runs(text, key))
    return frozenset(sorted(found)[:FRAGMENTS])


def repeated(content: bytes, wanted: Collection[str], key: bytes) -> set[str]:
    """Find which of these fragments stand in a file."""
    return {run for run in _runs(content[:MAX_BYTES], key) if run in wanted}


def _runs(text: bytes, key: bytes) -> Iterator[str]:
    words = _WORD.findall(_BREAK.sub(b" ", text).lower())
    for start in range(len(words) - RUN_WORDS + 1):
        yield blake2b(b" ".join(words[start : start + RUN_WORDS]), digest_size=8, key=key).hexdigest()
