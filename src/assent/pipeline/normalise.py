"""The block that normalises: the same text written in several ways becomes one way, and nothing visible changes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from assent.pipeline.block import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION: Final = 1
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b\u2060\ufff9-\ufffb]|\r\n?")
_FENCE: Final = re.compile(r"^(?:```|~~~)", re.MULTILINE)


def normalise(text: str) -> str:
    """Compose letters (NFC), end lines with a line feed, take out control signs and blanks of no width.

    Joiners stay, for scripts and emoji need them. Inside fenced code letters stay as they are
    written: there a string may be meant sign by sign.
    """
    if text.isascii() and not _CONTROL.search(text):
        return text
    plain = _CONTROL.sub(lambda match: "\n" if match[0][0] == "\r" else "", text)
    if plain.isascii() or unicodedata.is_normalized("NFC", plain):
        return plain
    edges = [match.start() for match in _FENCE.finditer(plain)]
    pieces = [plain[a:b] for a, b in zip([0, *edges], [*edges, len(plain)], strict=True)]
    return "".join(one if place % 2 else unicodedata.normalize("NFC", one) for place, one in enumerate(pieces))


class Normalise:
    """Normalises the texts of a batch; nothing is left out."""

    name = "normalise"

    def describe(self) -> dict[str, Any]:
        """Return the version and that of Unicode, which composition follows."""
        return {"version": _VERSION, "unicode": unicodedata.unidata_version}

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Normalise each text, and count those that changed."""
        old = rows.column("text").to_pylist()
        new = [normalise(text) for text in old]
        changed = sum(a is not b and a != b for a, b in zip(old, new, strict=True))
        counts: Mapping[str, int] = {"changed": changed} if changed else {}
        place = rows.schema.get_field_index("text")
        return Outcome(rows.set_column(place, rows.schema.field("text"), pa.array(new, pa.string())), (), counts)
