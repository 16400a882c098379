"""Show later that a choice is in the ledger, under the newest checkpoint or one that witnesses signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Incomplete, NotFound
from assent.ledger.checkpoint import Checkpoint
from assent.ledger.note import sign_note
from assent.services.ledger.append import Appended, proofs, salt_of
from assent.services.ledger.seal import newest_keys, signing
from assent.services.ledger.tree import Tree
from assent.services.receipts.record import record_of

if TYPE_CHECKING:
    from assent.services.ledger.log import Log
    from assent.store.port import Ledger
    from assent.store.records import Head


def prove(store: Ledger, log: Log, choice_id: str) -> Appended:
    """Return a choice with a proof of today. Its record and salt are what they were when it was appended.

    The proof carries the cosignatures of witnesses where any covers the choice. Raises
    `NotFound` if there is no such choice in the ledger, `Refused` if its salt was erased,
    `Incomplete` if it waits for its first checkpoint.
    """
    found = store.logged(choice_id)
    if found is None:
        raise NotFound("there is no such choice in the ledger", "check the id of the choice")
    choice, leaf = found
    record = record_of(choice, log.identity).encode()
    salt = salt_of(leaf, record)
    return Appended(choice, record, salt, leaf.number, proof_of(store, log, leaf.number))


def proof_of(store: Ledger, log: Log, number: int) -> str:
    """Write the tlog-proof of a leaf, with the cosignatures of witnesses where any covers it.

    Raises `Incomplete` if the leaf waits for its first checkpoint.
    """
    head = store.head()
    if head is None or number >= head.size:
        raise Incomplete(f"leaf `{number}` waits for its checkpoint", "ask again in a moment")
    tree = Tree(store)
    size, checkpoint = _best(store, log, head, number + 1, tree)
    return proofs([number], size, checkpoint, tree)[number]


def served(store: Ledger) -> str:
    """Return the newest checkpoint with the cosignatures that it has. Raises `NotFound` before the first."""
    head = store.head()
    if head is None:
        raise NotFound("nothing is under a checkpoint yet", "run `assent ledger init`, or append a choice")
    return head.checkpoint + _cosigned_by(store, head.size)


def _best(store: Ledger, log: Log, head: Head, at_least: int, tree: Tree) -> tuple[int, str]:
    """Choose the newest checkpoint that witnesses signed if it covers the leaf, else the newest of all.

    A checkpoint from before the newest change of keys is left alone: the keys that may sign
    it are gone. Any later one is made again from the tree, bit for bit as it was.
    """
    keys = newest_keys(store)
    size = store.cosigned(max(at_least, keys.size)) or head.size
    if size >= head.size:
        return head.size, head.checkpoint + _cosigned_by(store, head.size)
    note = sign_note(Checkpoint(log.origin, size, tree.root(size)).text, signing(log, keys))
    return size, note + _cosigned_by(store, size)


def _cosigned_by(store: Ledger, size: int) -> str:
    return "".join(cosignature.line for cosignature in store.cosignatures(size))
