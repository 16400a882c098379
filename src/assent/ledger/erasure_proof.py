"""The proof of an erasure: one JSON file that anybody can check offline (spec/erasure.md, section 6).

It holds the record that the ledger commits to, the proof that the ledger holds it, and for each
tombstone of interest the path from its leaf to the root in the record. It holds no content.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical
from assent.domain.errors import Invalid, Refused
from assent.domain.instants import format_instant, parse_instant, to_micros
from assent.ledger.checkpoint import parse_checkpoint
from assent.ledger.encoding import HASH_BYTES
from assent.ledger.erasure import SALT_BYTES, ErasureRecord, ground_of, leaf_record, parse_erasure
from assent.ledger.leaf import commitment
from assent.ledger.merkle import leaf_hash, verify_inclusion
from assent.ledger.note import unsigned_text
from assent.ledger.proof import check_proof, parse_proof
from assent.ledger.verify import NO_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.ledger.checkpoint import Checkpoint
    from assent.ledger.note import Verifier
    from assent.ledger.proof import Proof

VERSION: Final = "assent/erasure-proof/v1"
MAX_BYTES: Final = 64 << 20
"""More than this no proof has: some hundred thousand tombstones."""


@dataclass(frozen=True, slots=True)
class Stone:
    """A tombstone with the way from its leaf to the root: `salt` is the leaf's own, `path` its siblings upwards."""

    number: int
    conversation: str
    part: str
    erase_by: datetime
    rule: str
    policy: str
    salt: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ErasureProof:
    """What a proof file holds. `salt` is that of the ledger's leaf, `proof` a C2SP tlog-proof of it."""

    record: ErasureRecord
    salt: bytes
    proof: str
    stones: tuple[Stone, ...]

    def encode(self) -> bytes:
        """Write the file: canonical JSON, as every verifier reads it."""
        return canonical(
            {
                "v": VERSION,
                "record": self.record.encode().decode(),
                "salt": base64.b64encode(self.salt).decode(),
                "proof": self.proof,
                "tombstones": [
                    {
                        "number": stone.number,
                        "conversation": stone.conversation,
                        "part": stone.part,
                        "erase_by": format_instant(stone.erase_by),
                        "rule": stone.rule,
                        "policy": stone.policy,
                        "salt": stone.salt.hex(),
                        "path": [value.hex() for value in stone.path],
                    }
                    for stone in self.stones
                ],
            }
        )


@dataclass(frozen=True, slots=True)
class ProvenErasure:
    """What holds for a proof. `missing` names what could not be checked; `lingering` the copies not yet removed."""

    proof: ErasureProof
    log: str
    leaf: int
    size: int
    proven: tuple[str, ...]
    lingering: tuple[str, ...]
    missing: tuple[str, ...]


def read_erasure_proof(data: bytes) -> ErasureProof:
    """Read a proof without believing it, or raise `Invalid`."""
    if len(data) > MAX_BYTES:
        raise Invalid(f"the file is longer than {MAX_BYTES} bytes", "give the proof of one erasure")
    try:
        proof = _proof(json.loads(data))
    except Invalid:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise _none() from None
    if proof.encode() != data.removesuffix(b"\n"):
        raise _none()
    return proof


def _proof(table: dict[str, Any]) -> ErasureProof:
    salt = base64.b64decode(table["salt"], validate=True)
    if table["v"] != VERSION or len(salt) != SALT_BYTES:
        raise _none()
    stones = tuple(map(_stone, table["tombstones"]))
    return ErasureProof(parse_erasure(table["record"].encode()), salt, str(table["proof"]), stones)


def _none() -> Invalid:
    return Invalid("the file is no proof of an erasure", f"give it as `assent prove` wrote it, `v` is `{VERSION}`")


def verify_erasure(data: bytes, verifiers: Sequence[Verifier], origin: str = "") -> ProvenErasure:
    """Verify a proof against the log's public keys, which were obtained elsewhere than from the file.

    Raises `Invalid` for a file that is none, `Refused` with the one reason for a proof that does not hold.
    """
    proof = read_erasure_proof(data)
    record = proof.record
    if not record.holds():
        raise Refused("the record does not give the hash under which the erasure is chained", "ask for a new proof")
    for stone in proof.stones:
        _check_stone(stone, record)
    entry = commitment(proof.salt, record.encode())
    try:
        inclusion = parse_proof(proof.proof)
        found = (
            check_proof(inclusion, entry, verifiers, origin or verifiers[0].name)
            if verifiers
            else _unsigned(inclusion, entry)
        )
    except Invalid as problem:
        raise Refused(problem.message, problem.fix) from None
    proven = [
        f"the record follows from erasure `{record.link.id}`'s place in the chain of erasures",
        f"{len(proof.stones):,} of {record.link.parts:,} tombstones are leaves of the erasure's tree",
        f"the record is leaf {inclusion.index} of the log `{found.origin}` at size {found.size}",
        *([f"the log `{found.origin}` signed that state"] if verifiers else []),
    ]
    lingering = tuple(f"{copy.store}: {copy.state}" for copy in record.copies if copy.state != "removed")
    missing = () if verifiers else (NO_KEY,)
    return ProvenErasure(proof, found.origin, inclusion.index, found.size, tuple(proven), lingering, missing)


def _unsigned(proof: Proof, entry: bytes) -> Checkpoint:
    found = parse_checkpoint(unsigned_text(proof.checkpoint))
    if not verify_inclusion(proof.index, found.size, leaf_hash(entry), proof.hashes, found.root):
        raise Invalid(f"leaf `{proof.index}` of the log is not this record", "check that record, salt and proof belong")
    return found


def _check_stone(stone: Stone, record: ErasureRecord) -> None:
    ground = ground_of(stone.rule, stone.policy)
    entry = stone.salt + leaf_record(stone.conversation, stone.part, to_micros(stone.erase_by), ground)
    if not verify_inclusion(stone.number, record.link.parts, leaf_hash(entry), stone.path, record.link.root):
        raise Refused(f"tombstone `{stone.number}` is not in the tree of this erasure", "ask for a new proof")
    if stone.policy not in record.policies:
        raise Refused(f"tombstone `{stone.number}` names a policy that the record does not", "ask for a new proof")


def _instant(said: str) -> datetime:
    try:
        return parse_instant(said)
    except Invalid:
        raise _none() from None


def _stone(table: dict[str, Any]) -> Stone:
    salt = bytes.fromhex(table["salt"])
    path = tuple(map(bytes.fromhex, table["path"]))
    if len(salt) != SALT_BYTES or any(len(value) != HASH_BYTES for value in path):
        raise _none()
    return Stone(
        number=int(table["number"]),
        conversation=str(table["conversation"]),
        part=str(table["part"]),
        erase_by=_instant(table["erase_by"]),
        rule=str(table["rule"]),
        policy=str(table["policy"]),
        salt=salt,
        path=path,
    )
