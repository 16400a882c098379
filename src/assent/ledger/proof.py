"""C2SP tlog-proof: one text that proves, offline and for ever, that an entry is in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assent.domain.errors import Invalid
from assent.ledger.checkpoint import Checkpoint, open_checkpoint
from assent.ledger.encoding import read_base64, read_decimal, read_hash, write_base64
from assent.ledger.merkle import leaf_hash, verify_inclusion
from assent.ledger.note import MAX_NOTE_BYTES, Verifier

MAX_HASHES: Final = 63  # the height of a tree of 2**63 - 1 leaves
MAX_EXTRA_BYTES: Final = 65_536
_HEADER: Final = "c2sp.org/tlog-proof@v1"
# the header, the extra data in base64, the index, the hashes, the checkpoint
_MAX_PROOF_CHARS: Final = 64 + MAX_EXTRA_BYTES * 4 // 3 + MAX_HASHES * 45 + MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an entry is, the hashes that lead to the root, and the signed checkpoint of that root.

    `extra` is carried along and vouched for by nobody; empty is the same as none.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        """The text that a person keeps, by custom in a file ending in `.tlog-proof`."""
        extra = [f"extra {write_base64(self.extra)}"] if self.extra else []
        lines = [_HEADER, *extra, f"index {self.index}", *map(write_base64, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse_proof(text: str) -> Proof:
    """Read a proof without believing it, or raise `Invalid`."""
    if len(text) > _MAX_PROOF_CHARS:
        raise Invalid(f"the proof is longer than {_MAX_PROOF_CHARS} characters", "give the file of one proof")
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != _HEADER or not blank:
        raise Invalid(f"this is no proof: it does not start with `{_HEADER}`", "give the file of one proof, whole")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = read_base64(lines.pop(0).removeprefix("extra "), "extra data")
        if len(extra) > MAX_EXTRA_BYTES:
            raise Invalid(f"the extra data is longer than {MAX_EXTRA_BYTES} bytes", "leave it out")
    if not lines or not lines[0].startswith("index "):
        raise Invalid("the proof names no index", "copy the proof again, whole")
    index = read_decimal(lines.pop(0).removeprefix("index "), "index")
    if len(lines) > MAX_HASHES:
        raise Invalid(f"the proof has more than {MAX_HASHES} hashes", "copy the proof again, unchanged")
    return Proof(index, tuple(read_hash(line, "hash of the proof") for line in lines), checkpoint, extra)


def check_proof(
    proof: Proof, entry: bytes, verifiers: Sequence[Verifier], origin: str, *, quorum: int = 0
) -> Checkpoint:
    """Check that the log `origin` holds this entry, and give the checkpoint that says so.

    `quorum` is how many of the trusted witnesses must have cosigned. Raises `Invalid` with the
    reason: not signed by the log, another log, not in the tree.
    """
    checkpoint = open_checkpoint(proof.checkpoint, verifiers, origin, quorum=quorum)
    if proof.index >= checkpoint.size:
        raise Invalid(f"the proof names leaf `{proof.index}` of a log of `{checkpoint.size}`", "ask for a new proof")
    if not verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root):
        raise Invalid(
            f"leaf `{proof.index}` of the log `{origin}` is not this entry",
            "check that record, salt and proof belong together",
        )
    return checkpoint
