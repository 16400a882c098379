"""C2SP tlog-checkpoint: the log's signed statement of its size and root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assent.domain.errors import Invalid
from assent.ledger.encoding import HASH_BYTES, MAX_SIZE, read_decimal, read_hash, write_base64
from assent.ledger.note import Verifier, open_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole log in three lines: which log, how many leaves, what root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be written and read back."""
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(char < " " for line in lines for char in line):
            raise Invalid("a line of the checkpoint is empty or holds control characters", "write plain lines")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise Invalid("the checkpoint has no possible size or root", f"give a root of {HASH_BYTES} bytes")

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), write_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text (without signatures), or raise `Invalid`."""
    if not text.endswith("\n") or text.count("\n") < 3:
        raise Invalid("the checkpoint has fewer than three lines, or its last is cut off", "copy it again, whole")
    origin, size, root, *extensions = text[:-1].split("\n")
    return Checkpoint(origin, read_decimal(size, "tree size"), read_hash(root, "root hash"), tuple(extensions))


def open_checkpoint(note: str, verifiers: Sequence[Verifier], origin: str, *, quorum: int = 0) -> Checkpoint:
    """Check a signed checkpoint of the log `origin` and give what it says.

    `verifiers` are the log's keys, whose name is the origin, and those of trusted witnesses. One
    of the log's own signatures must hold, and cosignatures of at least `quorum` witnesses.
    Raises `Invalid` with the reason.
    """
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise Invalid(f"this is a checkpoint of another log than `{origin}`", "use the checkpoint of that log")
    if origin not in opened.verified:
        raise Invalid(f"the log `{origin}` did not sign its checkpoint", "a witness cannot speak for the log")
    witnesses = {signed.verifier.name for signed in opened.signatures if signed.verifier.timestamped} - {origin}
    if len(witnesses) < quorum:
        raise Invalid(
            f"{len(witnesses)} trusted witnesses cosigned the checkpoint, {quorum} are needed",
            "fetch a checkpoint with more cosignatures",
        )
    return checkpoint
