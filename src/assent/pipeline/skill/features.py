"""What the classifier sees of a text: which words, pairs of words, beginnings of words and marks of code occur.

Everything here is whole numbers, so the same text gives the same features on every machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BUCKETS: Final = 1 << 16
"""How many features there are; words that fall into one bucket share its weights."""
HEAD: Final = 1_200
TAIL: Final = 400
"""Characters that are read of what was asked: people say what they want at its beginning or its end."""

SMALL: Final = 16
"""Added to the number of features when weights are averaged, so that two words alone are no strong belief."""

_BASE: Final = 0x9E3779B97F4A7C15
"""Odd, so it has an inverse modulo 2**64 and the hash of a word does not depend on where it stands."""
_INVERSE: Final = pow(_BASE, -1, 1 << 64)
_STEM: Final = 5
"""Beginnings of this many bytes stand for all forms of a word."""
_MIX: Final = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_PAIR: Final = 0xD6E8FEB86659FD93
_STEM_SALT: Final = 0xA0761D6478BD642F

_MARKS: Final = (
    "```", "()", "{", "};", ";\n", "=>", "->", "==", "!=", "://", "\\", "$", "</", "/>", "\n    ", "\n\n", "?", "%",
    "€", '"""', "#!", "&&", "||", "::", "[]", "](", "**", "|-", "\n- ", "\n1.", "^", "√", "≤", "\t", "@", " = ", "<",
    "_",
)  # fmt: skip
"""Pieces of text that hint at code, formulas, tables or lists."""
_CAMEL: Final = re.compile(r"[a-z][A-Z]")
_FILE: Final = re.compile(
    r"\b[\w-]+\.(?:py|[jt]sx?|java|cpp|c|h|rs|go|rb|php|sql|sh|ya?ml|json|toml|html|css|vue|kt|swift|cs)\b"
)
_TERM: Final = re.compile(r"\d\s*[-+*/×÷^=]\s*[\dx(]")
_SPEAKER: Final = re.compile(
    r"^\s*[#*\[<|]*(user|human|person|assistant|ai|bot|system|tool)[*\]>|]*:", re.IGNORECASE | re.MULTILINE
)
_PERSONS: Final = frozenset({"user", "human", "person"})
_CHUNK: Final = 1 << 20


class Ask(NamedTuple):
    """What a conversation asks for: the words of the person, and whether code came with it or in the answers."""

    text: str
    coded: bool


def asked(text: str) -> Ask:
    """Read what is asked in a text: the person's turns, if it is a conversation with `user:` and `assistant:`."""
    coded = "```" in text
    if not _SPEAKER.match(text):
        return Ask(text, coded)
    pieces = _SPEAKER.split(text)
    said = [turn.strip() for who, turn in zip(pieces[1::2], pieces[2::2], strict=True) if who.lower() in _PERSONS]
    return Ask("\n".join(said) if said else text, coded)


class Features(NamedTuple):
    """Buckets of all texts one after another, each bucket once a text; `starts` says where each text begins."""

    buckets: NDArray[np.uint32]
    starts: NDArray[np.int64]


def features(asks: Sequence[Ask]) -> Features:
    """Read the features of each ask. Every text has at least one."""
    heads = [_read(ask.text) for ask in asks]
    marked = [_marks(head, coded=ask.coded) for head, ask in zip(heads, asks, strict=True)]
    joined = [f"{head.lower()}\n{signs}".encode() for head, signs in zip(heads, marked, strict=True)]
    found: list[NDArray[np.uint64]] = []
    first = size = 0
    for last, text in enumerate(joined, 1):
        size += len(text)
        if size >= _CHUNK or last == len(joined):
            found.append(_hashed(joined[first:last], first))
            first, size = last, 0
    keys = np.concatenate(found) if found else np.empty(0, np.uint64)
    texts = (keys >> np.uint64(32)).astype(np.int64)
    return Features((keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), np.searchsorted(texts, np.arange(len(asks))))


def bucket_of(phrase: str) -> NDArray[np.uint32]:
    """Tell the buckets of one word (with its beginning), or of the last pair of a phrase of two words."""
    words, _ = _words(np.frombuffer(f"{phrase}\n".encode(), np.uint8))
    chosen = _pairs(words[0]) if len(words[0]) > 1 else np.concatenate(words)
    return (_mixed(chosen) % np.uint64(BUCKETS)).astype(np.uint32)


def _read(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def _marks(head: str, *, coded: bool) -> str:
    """Write what is not a word as words of its own, which no text contains in this form."""
    signs = ["\x01all", f"\x01length{len(head).bit_length()}"]
    signs.extend(f"\x01mark{number}" for number, mark in enumerate(_MARKS) if mark in head)
    if coded:
        signs.append("\x01coded")
    if _CAMEL.search(head):
        signs.append("\x01camel")
    if _FILE.search(head):
        signs.append("\x01file")
    if _TERM.search(head):
        signs.append("\x01term")
    return "\n".join(signs)


def _classes() -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Tell which bytes belong to words, and the value of each; digits are alike, so a number counts by its length."""
    letters = np.zeros(256, np.bool_)
    for low, high in ((0x30, 0x3A), (0x61, 0x7B), (0x80, 0x100), (0x01, 0x02), (0x23, 0x24), (0x2B, 0x2C)):
        letters[low:high] = True  # `#` and `+` for c# and c++
    values = np.arange(1, 257, dtype=np.uint64)
    values[0x30:0x3A] = 0x31
    return letters, values


_LETTERS, _VALUES = _classes()


def _powers(of: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, of, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _words(data: NDArray[np.uint8]) -> tuple[list[NDArray[np.uint64]], NDArray[np.int64]]:
    """Hash the words of a text, and the beginnings of the longer ones; tell where the words stand."""
    inside = _LETTERS[data]
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    sums = np.zeros(len(data) + 1, np.uint64)
    np.cumsum(_VALUES[data] * _powers(_BASE, len(data)), out=sums[1:])
    shift = _powers(_INVERSE, len(data))[starts]
    words = (sums[ends] - sums[starts]) * shift
    stems = (sums[np.minimum(ends, starts + _STEM)] - sums[starts]) * shift + np.uint64(_STEM_SALT)
    return [words, stems], starts


def _pairs(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return words[:-1] * np.uint64(_PAIR) + words[1:]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for factor in _MIX:
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))


def _hashed(texts: list[bytes], first: int) -> NDArray[np.uint64]:
    """Hash neighbouring texts at once: sorted keys of text number (high half) and bucket (low half), each once."""
    data = np.frombuffer(b"\n".join(texts) + b"\n", np.uint8)
    (words, stems), starts = _words(data)
    begins = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    owners = np.searchsorted(begins, starts, side="right").astype(np.uint64) - np.uint64(1) + np.uint64(first)
    pairs = _pairs(words)
    within = owners[:-1] == owners[1:]
    hashed = _mixed(np.concatenate([words, stems, pairs[within]])) % np.uint64(BUCKETS)
    keys = (np.concatenate([owners, owners, owners[1:][within]]) << np.uint64(32)) | hashed
    keys.sort()
    once: NDArray[np.uint64] = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    return once
