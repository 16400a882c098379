"""Witnesses: ask them to look at the log, and keep what they sign (C2SP tlog-witness, tlog-cosignature)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from assent import settings
from assent.domain.errors import Invalid, NotFound, Place, Refused
from assent.ledger.checkpoint import Checkpoint, parse_checkpoint
from assent.ledger.encoding import read_base64, write_base64
from assent.ledger.merkle import consistency_proof
from assent.ledger.note import open_note, parse_verifier, split_note
from assent.services.ledger.seal import checkpoint_in
from assent.services.ledger.tree import Tree
from assent.store.records import Cosignature

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assent.ledger.note import Verifier
    from assent.services.ledger.log import Log
    from assent.store.port import Ledger


MAX_SKEW: Final = timedelta(minutes=5)
"""How far a witness's clock may be ahead of ours."""

DASH: Final = "— "
"""How a signature line starts (C2SP signed-note)."""


def witness_of(vkey: str) -> Verifier:
    """Read the public key of a witness from the settings. Raises `Invalid` if it is a key of another kind."""
    verifier = parse_verifier(vkey)
    if not verifier.timestamped:
        fix = "ask the witness for its key of signature type 4 or 6"
        raise Invalid(f"the key of `{verifier.name}` is no key of a witness", fix, Place(settings.FILE))
    return verifier


def request_of(store: Ledger, old_size: int) -> str:
    """Write what a witness is asked (`add-checkpoint`): that the newest checkpoint continues the one of `old_size`.

    `old_size` is the size of the last checkpoint that the witness signed, 0 for the first time.
    """
    head = store.head()
    if head is None or old_size > head.size:
        size = 0 if head is None else head.size
        raise NotFound(f"the log has {size} leaves under a checkpoint, not `{old_size}`", "ask for a smaller size")
    hashes = consistency_proof(old_size, head.size, Tree(store).read)
    return "\n".join([f"old {old_size}", *map(write_base64, hashes), "", head.checkpoint])


def cosign(store: Ledger, log: Log, text: str, *, now: datetime, size: int | None = None) -> list[Cosignature]:
    """Take in what witnesses signed: a cosigned checkpoint, or signature lines alone for the one of `size`.

    Without `size`, lines alone are for the newest checkpoint. Lines of nobody we know are left
    out. Raises `Invalid` where a line of a known witness does not hold or none is there,
    `Refused` where the checkpoint states another root than this log has.
    """
    if not log.witnesses:
        raise Refused("this home takes cosignatures of no witness", "name their keys under `witnesses` in the settings")
    checkpoint, lines = _read(store, log, text, size)
    note = checkpoint.text + "\n" + "".join(f"{line}\n" for line in lines)
    signatures = open_note(note, log.witnesses).signatures
    if any(signed.at > (now + MAX_SKEW).timestamp() for signed in signatures):
        raise Invalid("a cosignature is from the future", "check the clock of the witness, and ours")
    found = [
        Cosignature(checkpoint.size, signed.verifier.vkey, _line_of(signed.verifier, lines), now)
        for signed in signatures
    ]
    for cosignature in found:
        store.add_cosignature(cosignature)
    return found


def _line_of(witness: Verifier, lines: Sequence[str]) -> str:
    for line in lines:
        name, _, encoded = line.removeprefix(DASH).partition(" ")
        if name == witness.name and read_base64(encoded, "signature").startswith(witness.key_id):
            return f"{line}\n"
    raise Invalid(f"the line of `{witness.name}` is missing", "send it again, whole")


def _read(store: Ledger, log: Log, text: str, size: int | None) -> tuple[Checkpoint, list[str]]:
    head = store.head()
    if head is None:
        raise NotFound("nothing is under a checkpoint yet", "append a choice first")
    if text.startswith(DASH):
        lines = text.removesuffix("\n").split("\n")
        stated = None
        size = head.size if size is None else size
    else:
        body, lines = split_note(text)
        stated = parse_checkpoint(body)
        size = stated.size
    if size > head.size:
        raise Refused(f"the log has {head.size} leaves under a checkpoint, not `{size}`", "send it again later")
    ours = checkpoint_in(head) if size == head.size else Checkpoint(log.origin, size, Tree(store).root(size))
    if stated is not None and stated != ours:
        raise Refused("this checkpoint is not one of this log", "a witness that signed it has seen another log")
    return ours, lines
