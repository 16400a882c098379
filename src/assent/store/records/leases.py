"""Rows of leases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do something alone, until an instant. `fence` is higher than that of everyone who had it before."""

    name: str
    holder: str
    fence: int
    until: datetime
