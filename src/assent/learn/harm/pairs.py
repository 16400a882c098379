"""The contrast pairs that our detectors learn from: a harmful request, and a harmless one in the same words.

The files beside this module (`pairs/*.toml`) hold templates and what stands in their braces; the pairs are made of
them by counting, not by chance, so the same files give the same pairs.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

from assent.domain.digests import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOT: Final = re.compile(r"\{(\w+)\}")
_FILES: Final = ("violence", "crime", "cyber", "persons", "self", "contexts", "questions", "content")
_ALONE: Final = ("everyday", "knowledge", "stories", "talk")
_ASKED: Final = 3
"""Pairs made of one line of acts by asking for both in the same way."""
_DISTANT: Final = 2
"""Pairs made of one harmful act by asking for it, and by asking about it."""
_COPIES: Final = 3
"""Pairs made of one line of texts whose slots can be filled in several ways."""


class Pair(NamedTuple):
    """Two texts that differ in little but the harm. Pairs of one `family` come from the same line of a file."""

    family: str
    category: str
    harmful: str
    harmless: str


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(_content(name).decode())


def _content(name: str) -> bytes:
    return resources.files(__package__).joinpath("pairs", f"{name}.toml").read_bytes()


def _lines(block: str) -> list[str]:
    return [line for line in block.splitlines() if line]


@cache
def _fillers() -> dict[str, list[str]]:
    tables = _table("slots"), _table("everyday")["slots"]
    return {slot: fillers.split(" | ") for table in tables for slot, fillers in table.items()}


def _filled(text: str, line: str, copy: int) -> str:
    """Fill the slots of a text; which filler is taken depends on the line and the copy, not on the half."""

    def filler(slot: re.Match[str]) -> str:
        choices = _fillers().get(slot[1])
        # `{act}` is filled later, and braces of code stay
        return choices[(crc32(f"{line}{slot[1]}".encode()) + copy) % len(choices)] if choices else slot[0]

    return _SLOT.sub(filler, text)


def pairs() -> Iterator[Pair]:
    """Make every pair, in the order of the files."""
    frames = {kind: _lines(block) for kind, block in _table("frames").items()}
    for name in _FILES:
        for part in _table(name)["set"]:
            for line in _lines(part.get("acts", "")):
                yield from _of_act(line, part["category"], frames)
            for line in _lines(part.get("texts", "")):
                harmful, _, harmless = line.partition(" | ")
                for copy in range(_COPIES if "{" in line else 1):
                    filled = (_filled(half, line, copy) for half in (harmful, harmless))
                    yield Pair(line, part["category"], *filled)


def _of_act(line: str, category: str, frames: dict[str, list[str]]) -> Iterator[Pair]:
    harmful, _, harmless = line.partition(" | ")
    start = crc32(line.encode())

    def framed(kind: str, act: str, turn: int) -> str:
        frame = frames[kind][(start + 7 * turn) % len(frames[kind])]
        return frame.replace("{act}", _filled(act, line, turn))

    for turn in range(_ASKED):
        yield Pair(line, category, framed("asking", harmful, turn), framed("asking", harmless, turn))
    yield Pair(line, category, framed("wrapped", harmful, _ASKED), framed("wrapped", harmless, _ASKED))
    for turn in range(_ASKED + 1, _ASKED + 1 + _DISTANT):
        yield Pair(line, category, framed("asking", harmful, turn), framed("distant", harmful, turn))


def everyday() -> Iterator[tuple[str, str]]:
    """Make the harmless texts that have no twin: the line each comes from, and the text."""
    for name in _ALONE:
        for line in _lines(_table(name)["texts"]):
            for copy in range(_COPIES if "{" in line else 1):
                yield line, _filled(line, line, copy)


def pairs_digest() -> str:
    """Return the digest of all files that pairs are made of."""
    names = sorted((*_FILES, *_ALONE, "frames", "slots"))
    return digest_bytes(b"\0".join(_content(name) for name in names))
