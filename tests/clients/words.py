"""Marker words, one for each copy of each conversation, and the look for them in every byte of a folder.

A word is 24 random letters and figures. It counts as found where any eight bytes of it in a row are:
a word that a page border or the compression of a database cut in two is found all the same, and eight
random bytes of text do not occur by chance.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

PIECE = 8
"""Bytes in a row that count as a find."""

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
AT_ONCE = 16 * 2**20


@dataclass(frozen=True)
class Word:
    """A marker word: the conversation and the copy that it was put into, and whether it has to go."""

    text: str
    chat: str
    copy: str
    doomed: bool


@dataclass
class Words:
    """Every word that was given out, reproducible from a seed."""

    seed: str
    given: list[Word] = field(default_factory=list)

    def new(self, chat: str, copy: str, *, doomed: bool) -> str:
        """Give out a word for a copy of a conversation."""
        digest = hashlib.blake2b(f"{self.seed}:{len(self.given)}".encode(), digest_size=22).digest()
        text = "zq" + "".join(LETTERS[byte % len(LETTERS)] for byte in digest)
        self.given.append(Word(text, chat, copy, doomed))
        return text

    def of(self, *, doomed: bool) -> list[Word]:
        """Give the words that have to go, or those that have to stay."""
        return [word for word in self.given if word.doomed is doomed]

    def save(self, path: Path) -> None:
        """Write them down."""
        path.write_text(json.dumps({"seed": self.seed, "given": [asdict(word) for word in self.given]}, indent=1))

    @classmethod
    def load(cls, path: Path) -> Words:
        """Read what was written down."""
        read = json.loads(path.read_text())
        return cls(read["seed"], [Word(**one) for one in read["given"]])


def look(folders: Iterable[Path], words: Iterable[Word]) -> dict[Word, list[str]]:
    """Find words in the bytes of every file, and in the names of files; gives each word found with its places."""
    pieces: dict[int, Word] = {}
    for word in words:
        raw = word.text.encode()
        for start in range(2, len(raw) - PIECE + 1):  # behind `zq`, which all share
            pieces[int.from_bytes(raw[start : start + PIECE], "little")] = word
    wanted = np.sort(np.fromiter(pieces, dtype="<u8", count=len(pieces)))
    found: dict[Word, list[str]] = {}
    for folder in folders:
        for path in _files(folder):
            name = str(path.relative_to(folder))
            hits = {*_hits(name.encode(), wanted), *_in_file(path, wanted)}
            for word in {pieces[hit] for hit in hits}:
                found.setdefault(word, []).append(name)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _in_file(path: Path, wanted: np.ndarray) -> Iterator[int]:
    with path.open("rb") as file:
        before = b""
        while part := file.read(AT_ONCE):
            yield from _hits(before + part, wanted)
            before = part[1 - PIECE :]


def _hits(raw: bytes, wanted: np.ndarray) -> Iterator[int]:
    for start in range(PIECE):
        count = (len(raw) - start) // PIECE
        if count > 0:
            values = np.frombuffer(raw, dtype="<u8", count=count, offset=start)
            places = np.searchsorted(wanted, values)
            places[places == len(wanted)] = 0
            yield from map(int, np.unique(values[wanted[places] == values]))


def table(found: Mapping[Word, list[str]], words: Iterable[Word]) -> str:
    """Say for each kind of copy how many words are left of how many, and in which files."""
    rows: dict[str, list[int]] = {}
    places: dict[str, set[str]] = {}
    for word in words:
        row = rows.setdefault(word.copy, [0, 0])
        row[1] += 1
        row[0] += word in found
        places.setdefault(word.copy, set()).update(found.get(word, ()))
    lines = [
        f"  {copy:38} {left:4} of {total:4}  {', '.join(sorted(places[copy])[:6])}"
        for copy, (left, total) in sorted(rows.items())
    ]
    return "\n".join(lines)
