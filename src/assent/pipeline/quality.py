"""The block that keeps conversations aside which nobody can learn an answer from.

The rules are those numeric filters for web pages that still mean something in a chat: the repetition
rules of Gopher (arXiv 2112.11446), and the shares of letters and of lines that FineWeb uses (arXiv 2406.17557).
Rules of page length, stop words and bullet points are left out: a good answer may be one word, a table or a program.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import zstandard

from assent.domain.errors import Invalid
from assent.pipeline.block import Dropped, Outcome
from assent.pipeline.spans import conversation_spans, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MILLE: Final = 1000
_FENCED: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_FAILED: Final = re.compile(
    r"\s*(?:\W{0,3}(?:network|internal server|request|api|unexpected|connection|rate limit)\W{0,3}error\b"
    r"|error\W{0,3}(?:code\W{0,3})?\d{3}\b|an error (?:has )?occurred\b|something went wrong\b"
    r"|(?:request|response) timed? ?out\b|too many requests\b|\[?(?:no response|empty response|interrupted)\b)"
    r"[^\n]{0,200}\s*\Z",
    re.IGNORECASE,
)
"""An answer that is nothing but the notice of a failure, in the words chat products show."""
_OPEN_END: Final = re.compile(r"[,(\[{+=]\s*\Z")
"""No sentence, list or program ends so. A bare word says nothing: lists end with one."""
_SPACE: Final = bytes(range(33))
_LETTERS: Final = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + bytes(range(128, 256))
"""Bytes of letters and digits; every byte of a character beyond ASCII counts as one."""
_TAIL: Final = 8_192
"""Bytes that are squeezed: an answer that got stuck repeats itself until its end."""


@dataclass(frozen=True, slots=True)
class QualityTerms:
    """Limits, each with its source where it has one; shares are in thousandths, lengths in characters.

    `squeezed`: a text of at least `long` that zstd makes smaller than this share repeats itself (plain prose is
    at 360 to 560). `same_lines`: share of characters in lines that occurred before (Gopher: 300 of
    lines). `letters`: letters and digits among what is not space, outside code (Gopher: 800 of
    words have a letter; lower here, for tables). `cut_off`: an answer of at least this length that stops inside
    a sentence or a code fence was truncated.
    """

    long: int = 600
    squeezed: int = 120
    same_lines: int = 600
    letters: int = 350
    cut_off: int = 3000

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise Invalid("limits of quality are numbers from 0", "0 switches a limit off")


@dataclass(frozen=True, slots=True)
class Quality:
    """Adds `quality`, the share from 0 to 1 of the characters of answers in answers that pass every rule.

    A conversation is dropped with the rule's name, `quality: repetition` and so on, when no answer in it
    passes, and as `quality: empty` when nobody answered or asked. What the person typed is never
    judged: strange questions are worth an answer.
    """

    terms: QualityTerms = QualityTerms()
    name: str = "quality"

    def describe(self) -> dict[str, Any]:
        """Return the limits, the version of the rules, and that of the library that squeezes."""
        return {**asdict(self.terms), "version": 1, "zstd": ".".join(map(str, zstandard.ZSTD_VERSION))}

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Judge the answers of each conversation of a batch."""
        spans = conversation_spans(rows)
        speakers = rows.column("speaker").to_pylist()
        texts = rows.column("text").to_pylist()
        squeeze = squeezer()
        judged = [self._judge(speakers[start:end], texts[start:end], squeeze) for start, end in spans]
        reasons = [None if fault is None else f"quality: {fault}" for _, fault in judged]
        parts = rows.column("part").to_pylist()
        dropped = tuple(
            Dropped(part, reason)
            for (start, end), reason in zip(spans, reasons, strict=True)
            if reason is not None
            for part in parts[start:end]
        )
        counts = Counter(fault for _, fault in judged if fault is not None)
        out = rows.append_column("quality", repeated([score for score, _ in judged], spans, pa.float32()))
        kept = repeated([reason is None for reason in reasons], spans, pa.bool_())
        return Outcome(out.filter(kept), dropped, counts)

    def _judge(
        self, speakers: Sequence[str], texts: Sequence[str], squeeze: Callable[[bytes], bytes]
    ) -> tuple[float, str | None]:
        answers = [
            text for speaker, text in zip(speakers, texts, strict=True) if speaker == "assistant" and text.strip()
        ]
        asked = any(speaker != "assistant" and text.strip() for speaker, text in zip(speakers, texts, strict=True))
        if not answers or not asked:
            return 0.0, "empty"
        faults = [fault(text, self.terms, squeeze) for text in answers]
        whole = sum(map(len, answers))
        good = sum(len(text) for text, found in zip(answers, faults, strict=True) if found is None)
        worst = Counter(found for found in faults if found is not None)
        return round(good / whole, 3), None if good else min(worst, key=lambda name: (-worst[name], name))


def squeezer() -> Callable[[bytes], bytes]:
    """Make what squeezes texts; one serves many texts, but not two threads at once."""
    return zstandard.ZstdCompressor(level=1).compress


def fault(text: str, terms: QualityTerms, squeeze: Callable[[bytes], bytes]) -> str | None:
    """Name the first rule an answer breaks (failed, repetition, letters, truncated), None if it breaks none."""
    if len(text) <= _MILLE and _FAILED.match(text):
        return "failed"
    if _repeats(text, terms, squeeze):
        return "repetition"
    prose = _FENCED.sub("", text) if "```" in text else text
    if len(prose) * 4 >= terms.long and _few_letters(prose.encode(), terms):
        return "letters"
    if terms.cut_off and len(text) >= terms.cut_off and (text.count("```") % 2 or _OPEN_END.search(text[-40:])):
        return "truncated"
    return None


def _few_letters(content: bytes, terms: QualityTerms) -> bool:
    seen = content.translate(None, _SPACE)
    signs = len(seen.translate(None, _LETTERS))
    return (len(seen) - signs) * _MILLE < terms.letters * len(seen)


def _repeats(text: str, terms: QualityTerms, squeeze: Callable[[bytes], bytes]) -> bool:
    if len(text) < max(terms.long, 1):
        return False
    content = text.encode()[-_TAIL:]
    if len(squeeze(content)) * _MILLE < terms.squeezed * len(content):
        return True
    lines = Counter(line for line in text.split("\n") if line.strip())
    again = sum(len(line) * (count - 1) for line, count in lines.items())
    return bool(terms.same_lines) and again * _MILLE >= terms.same_lines * len(text)
