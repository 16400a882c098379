"""What appending to the ledger needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assent.ledger.note import Signer, Verifier
from assent.services.receipts.record import Identity


@dataclass(frozen=True, slots=True)
class Log:
    """One log: its name, the keys that sign it, who answers for the choices, and a source of salts.

    `origin` is the first line of every checkpoint and the name of every signer. `new_salts(n)`
    draws n times `SALT_BYTES` random bytes, in one piece. `witnesses` are the public keys of
    those whose cosignatures are taken.
    """

    origin: str
    signers: tuple[Signer, ...]
    identity: Identity
    new_salts: Callable[[int], bytes]
    witnesses: tuple[Verifier, ...] = ()
