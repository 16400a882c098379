"""What serving questions and taking answers needs from outside, and how an answer is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from assent.domain.errors import Refused
from assent.ledger.note import Signer, Verifier
from assent.services.receipts.record import Identity

PERSON: Final = "person"
"""The role of the person's own session in the product, and of a guardian in theirs; any other is somebody else."""

Reason = Literal[
    "no snapshot",
    "bad snapshot",
    "expired",
    "not yet",
    "another person",
    "another question",
    "unknown rendering",
    "stale policy",
    "used",
    "not offered",
    "not from here",
    "role",
    "age",
    "guardian",
]

_STATUS: Final[dict[str, int]] = {"role": 403, "age": 403, "guardian": 403, "another person": 403, "not from here": 403}


class Rejected(Refused):
    """An act was not taken, and nothing was written. `reason` is the word for programs, `status` the one for HTTP."""

    def __init__(self, reason: Reason, message: str, fix: str) -> None:
        """Keep the reason apart from the sentence."""
        super().__init__(message, fix)
        self.reason = reason
        self.status = _STATUS.get(reason, 409)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where questions are handed out and answers come back.

    `signer` signs snapshots; `earlier` are public keys whose snapshots are still taken. `identity`
    makes pseudonyms. `adult_age` is the age in full years from which people allow for themselves,
    `valid` how long a snapshot may be answered, `clock_skew` how far the clocks of two machines
    of ours may be apart.
    """

    signer: Signer
    identity: Identity
    adult_age: int = 18
    valid: timedelta = timedelta(hours=1)
    clock_skew: timedelta = timedelta(seconds=60)
    earlier: tuple[Verifier, ...] = ()
