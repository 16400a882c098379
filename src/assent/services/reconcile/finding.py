"""What a reconciliation says: one finding for each thing that is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` things are wrong in one way; `says` is a sentence, `named` some of them, `fix` what to do.

    Names are ids of conversations, erasures, backups, segments or numbers of slots, never subjects or content.
    """

    check: str
    count: int
    says: str
    fix: str
    named: tuple[str, ...] = ()
