"""Tokens of texts: counted with a vocabulary that is at hand offline, and packed into windows of a fixed length."""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa

from assent.domain.errors import Invalid
from assent.pipeline.block import Outcome
from assent.pipeline.extra import needing

if TYPE_CHECKING:
    from collections.abc import Sequence

VOCABULARY: Final = "o200k_base"
"""The public vocabulary that rs-bpe carries in its wheel; nothing is fetched."""


class Tokens:
    """Adds `tokens` to each row: how many its text has. Nothing is dropped."""

    name = "tokens"

    def describe(self) -> dict[str, Any]:
        """Return library and vocabulary."""
        return describe_tokens()

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Count the tokens of each text."""
        counts = count_tokens(rows["text"].to_pylist())
        return Outcome(rows.append_column("tokens", pa.array(counts, pa.int32())), counts={"tokens": sum(counts)})


class Packed(NamedTuple):
    """Texts that share one window, by their place in what was packed, and the tokens they take together."""

    texts: tuple[int, ...]
    tokens: int


@cache
def _tokenizer() -> Any:
    with needing("counting tokens"):
        from rs_bpe import openai  # noqa: PLC0415  comes with an extra

    return openai.o200k_base()


def describe_tokens() -> dict[str, Any]:
    """Return what a count depends on besides the text, for a manifest."""
    with needing("counting tokens"):
        from importlib.metadata import version  # noqa: PLC0415  only the manifest asks

        return {"library": f"rs-bpe {version('rs-bpe')}", "vocabulary": VOCABULARY}


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Count the tokens of each text. Special tokens of chat templates are not among them."""
    count = _tokenizer().count
    return [int(count(text)) for text in texts]


def pack(counts: Sequence[int], window: int, between: int = 1) -> list[Packed]:
    """Put texts into windows of `window` tokens, with `between` tokens from one text to the next.

    Best fit, longest first, so the windows are well filled and the same for the same counts. A text is
    never cut: one that is longer than the window has a window of its own, which the trainer shortens.
    """
    if window < 1 or between < 0:
        raise Invalid(f"a window of `{window}` tokens with `{between}` between holds nothing", "name a length from 1")
    spaces = _Spaces()
    windows: list[list[int]] = []
    sizes: list[int] = []
    for text in sorted(range(len(counts)), key=lambda at: (-counts[at], at)):
        needed = counts[text] + between
        found = spaces.take(needed)
        if found is None:
            found = len(windows)
            windows.append([])
            sizes.append(-between)
        windows[found].append(text)
        sizes[found] += needed
        spaces.put(window - sizes[found], found)
    return [Packed(tuple(sorted(texts)), size) for texts, size in zip(windows, sizes, strict=True)]


class _Spaces:
    """Windows by the space left in them, the fullest that still fits found by bisection."""

    def __init__(self) -> None:
        self._left: list[tuple[int, int]] = []

    def put(self, left: int, window: int) -> None:
        if left > 0:
            insort(self._left, (left, window))

    def take(self, needed: int) -> int | None:
        at = bisect_left(self._left, (needed, -1))
        return self._left.pop(at)[1] if at < len(self._left) else None
