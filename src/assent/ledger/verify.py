"""Verify a receipt: that its parts fit, that a known key signed the ledger, and that the ledger holds the choice.

Nothing here asks anybody: receipt, keys and, if there is one, a copy of the log are enough.
What each check proves, and what none of them can, is in spec/receipt.md, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from assent.domain.errors import Incomplete, Invalid, Refused
from assent.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from assent.ledger.merkle import (
    HashReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from assent.ledger.note import Verifier, unsigned_text
from assent.ledger.proof import check_proof
from assent.ledger.receipt import Receipt, read_receipt

NO_KEY = "no key was given, so whether the log's operator signed this is unknown"


@dataclass(frozen=True, slots=True)
class LogCopy:
    """A copy of the whole log: its newest signed checkpoint and a reader of its subtree hashes."""

    checkpoint: str
    read: HashReader


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds for a receipt. `missing` names what could not be checked; while it is not empty, nothing is proven."""

    receipt: Receipt
    checkpoint: Checkpoint
    proven: tuple[str, ...]
    missing: tuple[str, ...]


def verify_receipt(
    data: bytes,
    verifiers: Sequence[Verifier],
    origin: str = "",
    *,
    checkpoint: str | None = None,
    log: LogCopy | None = None,
) -> Verified:
    """Verify a receipt file against the log's public keys.

    `verifiers` are keys that were obtained elsewhere than from the receipt; `origin` is the log's
    name, by default that of the first key. `checkpoint` is one that was obtained elsewhere too
    (from a witness, a newspaper, an earlier visit): it must agree with the receipt's own. `log`
    is a copy of the log, whose newest checkpoint must extend the receipt's and hold the choice.
    Without a key everything is checked but the signature, and `missing` says so.

    Raises `Invalid` for a file that is no receipt, `Refused` with the one reason for a receipt
    that does not hold, and `Incomplete` where two checkpoints cannot be compared without the log.
    """
    receipt = read_receipt(data)
    origin = origin or (verifiers[0].name if verifiers else "")
    with _refusing():
        own = _signed_by(receipt, verifiers, origin) if verifiers else _unsigned(receipt)
    proven = [
        "record, salt and terms are those to which the ledger entry commits, and the document says what they say",
        f"the entry is leaf {receipt.proof.index} of the log `{own.origin}` at size {own.size}",
    ]
    if verifiers:
        proven.append(f"the log `{origin}` signed that state")
    known = [own]
    if checkpoint is not None:
        with _refusing():
            known.append(_open(checkpoint, verifiers, own.origin))
        if log is None:
            proven.append(_same(own, known[-1]))
    if log is not None:
        with _refusing():
            newest = _open(log.checkpoint, verifiers, own.origin)
            for earlier in known:
                _extends(earlier, newest, log.read)
            _holds(receipt, newest, log.read)
        proven.append(f"the log's copy of {newest.size} leaves extends that state and still holds the entry")
    return Verified(receipt, own, tuple(proven), () if verifiers else (NO_KEY,))


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn a malformed or false proof into the answer *no*."""
    try:
        yield
    except Invalid as problem:
        raise Refused(problem.message, problem.fix) from None


def _signed_by(receipt: Receipt, verifiers: Sequence[Verifier], origin: str) -> Checkpoint:
    return check_proof(receipt.proof, receipt.entry, verifiers, origin)


def _unsigned(receipt: Receipt) -> Checkpoint:
    checkpoint = parse_checkpoint(unsigned_text(receipt.proof.checkpoint))
    proof = receipt.proof
    if not verify_inclusion(proof.index, checkpoint.size, leaf_hash(receipt.entry), proof.hashes, checkpoint.root):
        raise Refused(
            f"leaf `{proof.index}` of the log `{checkpoint.origin}` is not this entry",
            "check that record, salt and proof belong together",
        )
    return checkpoint


def _open(note: str, verifiers: Sequence[Verifier], origin: str) -> Checkpoint:
    if verifiers:
        return open_checkpoint(note, verifiers, origin)
    checkpoint = parse_checkpoint(unsigned_text(note))
    if checkpoint.origin != origin:
        raise Refused(f"this is a checkpoint of another log than `{origin}`", "use the checkpoint of that log")
    return checkpoint


def _same(own: Checkpoint, other: Checkpoint) -> str:
    if own.size != other.size:
        raise Incomplete(
            f"the receipt's checkpoint is of {own.size} leaves and the given one of {other.size}, "
            "which cannot be compared without the log",
            "give a copy of the log with --log",
        )
    if own.root != other.root:
        raise _fork(own.size)
    return f"the given checkpoint of {other.size} leaves is the receipt's own"


def _extends(earlier: Checkpoint, newest: Checkpoint, read: HashReader) -> None:
    if newest.size < earlier.size:
        raise Refused(
            f"the log's copy has {newest.size} leaves, but {earlier.size} were signed before",
            "it is stale or was rolled back: fetch the log again",
        )
    if newest.size == earlier.size and newest.root != earlier.root:
        raise _fork(newest.size)
    proof = consistency_proof(earlier.size, newest.size, read)
    if not verify_consistency(earlier.size, newest.size, proof, earlier.root, newest.root):
        raise Refused(
            f"the log's copy of {newest.size} leaves does not extend the signed state of {earlier.size}",
            "the log shows different people different histories, or the copy is damaged",
        )


def _holds(receipt: Receipt, newest: Checkpoint, read: HashReader) -> None:
    index = receipt.proof.index
    proof = inclusion_proof(index, newest.size, read)
    if not verify_inclusion(index, newest.size, leaf_hash(receipt.entry), proof, newest.root):
        raise Refused(f"the log's copy holds another entry as leaf `{index}`", "the copy is damaged: fetch it again")


def _fork(size: int) -> Refused:
    return Refused(
        f"there are two signed states of {size} leaves with different roots",
        "the log shows different people different histories: keep both files and tell others",
    )
