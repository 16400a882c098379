"""What others have reserved: pages that an agent fetched and whose publisher says that no model may be trained on them.

A fetched page stands in the result of a tool. Where the result carries the header `Content-Usage` (IETF AIPREF,
vocabulary draft) with `train-ai=n`, or the reservation of the TDM protocol (W3C, `tdm-reservation: 1`), the part is
left out, whatever the person allowed: it is not theirs to give.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from http_sfv.dictionary import Dictionary

from assent.pipeline.block import Dropped, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

REASON: Final = "reserved by its publisher"

_HEADER: Final = re.compile(r"content-usage\\?[\"']?\s*[:=]\s*\\?[\"']?\s*([^\"'\\\r\n<>]{1,400})", re.IGNORECASE)
_TDM: Final = re.compile(r"tdm-reservation\\?[\"']?\s*(?:content\s*=|[:=])\s*\\?[\"']?\s*1\b", re.IGNORECASE)
_META: Final = re.compile(r"tdm-reservation\\?[\"']\s+content\s*=\s*\\?[\"']1\\?[\"']", re.IGNORECASE)
_HINTS: Final = ("ontent-usage", "ontent-Usage", "ONTENT-USAGE", "dm-reservation", "DM-RESERVATION")


class Reservations:
    """Leaves out results of tools that carry a reservation of their publisher."""

    name = "reservations"

    def describe(self) -> dict[str, Any]:
        """Name the version of the rules."""
        return {"version": 1}

    def apply(self, rows: pa.RecordBatch) -> Outcome:
        """Look at what tools brought, and at nothing that a person or a model said."""
        origins, texts, names = (rows[name].to_pylist() for name in ("origin", "text", "part"))
        reserved = [
            origin in ("tool", "connector", "file") and is_reserved(text)
            for origin, text in zip(origins, texts, strict=True)
        ]
        if not any(reserved):
            return Outcome(rows)
        import pyarrow as pa  # noqa: PLC0415 - a worker imports it when there is something to filter

        dropped = tuple(Dropped(name, REASON) for name, out in zip(names, reserved, strict=True) if out)
        return Outcome(rows.filter(pa.array([not out for out in reserved])), dropped)


def is_reserved(text: str) -> bool:
    """Tell whether a text carries a reservation against training, as a header, in JSON or in HTML."""
    if not any(hint in text for hint in _HINTS):
        return False
    return bool(_TDM.search(text) or _META.search(text)) or any(
        _disallows(found[1]) for found in _HEADER.finditer(text)
    )


def _disallows(value: str) -> bool:
    parsed = Dictionary()
    try:
        parsed.parse(value.strip().rstrip(",;").encode())
    except ValueError:
        return False
    found = parsed.get("train-ai")
    return found is not None and str(getattr(found, "value", "")) == "n"
