"""Freshness: whether everything in a cut may still be used, decided anew for each of its rows at this instant.

Nothing is marked beforehand: a withdrawal, a hold, a flag or a new policy counts from the instant at which it is
acknowledged, however old the cut is. A run asks before it starts, and a consumer may ask at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Refused
from assent.store.answers import answers
from assent.store.port import Cuts, FactColumns
from assent.store.selection import no_longer_eligible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assent.policy.model import Policy
    from assent.store.columns import Columns
    from assent.store.records import Cut


class FreshStore(FactColumns, Cuts, Protocol):
    """What this asks of a store."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How things stand with a cut at `at`: its rows, those erased since, and those not to be used, by reason."""

    at: datetime
    rows: int
    erased: int
    stale: Mapping[str, int]

    @property
    def fresh(self) -> bool:
        """Whether every row that is left may be used."""
        return not self.stale


def freshness(store: FreshStore, columns: Columns, policies: Sequence[Policy], cut: Cut, at: datetime) -> Freshness:
    """Decide every row of a cut anew. Raises `Refused` for a cut from before purposes were kept."""
    with answers(store, columns, policies, at):
        return freshness_within(store, columns, cut, at)


def freshness_within(store: FreshStore, columns: Columns, cut: Cut, at: datetime) -> Freshness:
    """Do the same inside answers at `at` that the caller opened, for many cuts in one pass."""
    if cut.purpose is None:
        raise Refused(f"nobody knows any more what cut `{cut.name}` number `{cut.number}` was for", "cut again")
    rows = store.count_members(cut.name, cut.number)
    there, stale = no_longer_eligible(columns, cut.purpose, store.member_keys(cut.name, cut.number))
    return Freshness(at, rows, rows - there, stale)
