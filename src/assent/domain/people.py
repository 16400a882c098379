"""Names of people who act: two ways of typing a name are one person."""

from __future__ import annotations

import unicodedata


def plain_name(name: str) -> str:
    """Write a name as it is compared: without regard to capitals, spaces or forms of the same letter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
