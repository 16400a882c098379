"""Bring what is staged under a signed checkpoint; going on after a crash is the same call."""

from __future__ import annotations

from functools import lru_cache
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from assent.domain.errors import AssentError, NotFound, Refused
from assent.ledger.checkpoint import Checkpoint, parse_checkpoint
from assent.ledger.keys import parse_key_change
from assent.ledger.note import sign_note, split_note
from assent.services.ledger.tree import AT_ONCE, Tree, grown
from assent.store.records import Edge, Head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assent.ledger.keys import KeyChange
    from assent.ledger.note import Signer, Verifier
    from assent.services.ledger.log import Log
    from assent.store.port import Ledger


class Remembered:
    """Where the ledger ended when one writer last signed it: nothing of that is read again.

    The swap of the head says whether it ends there still; if somebody else went on, it is read anew.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.edge: Edge | None = None


class Sealed(NamedTuple):
    """A signed state, and a tree that holds at least its leaves."""

    head: Head
    tree: Tree


def seal(store: Ledger, log: Log, *, now: datetime) -> Checkpoint:
    """Bring everything that is staged under a checkpoint, and say what that checkpoint says.

    Raises `NotFound` if the ledger has no key yet, `Refused` if none of the log's keys is in force.
    """
    return checkpoint_in(sealed(store, log, store.staged(), now=now).head)


def sealed(
    store: Ledger,
    log: Log,
    covering: int,
    known: Mapping[int, bytes] = MappingProxyType({}),
    *,
    now: datetime,
    remembered: Remembered | None = None,
) -> Sealed:
    """Return a signed state of `covering` leaves or more, signed now if there is none yet.

    `known` are commitments by number that the caller staged and need not be read again; no more
    need the end of the ledger, where it is `remembered` and still there.

    Any number of writers may do this at once: what each signs is a beginning of the same
    sequence of leaves, so two checkpoints of one size state the same root whoever wins the swap.
    """
    remembered = remembered or Remembered()
    while True:
        edge, remembered.edge = remembered.edge or store.edge(), None
        before = edge.head
        signers = signing(log, _keys_in(edge.keys))
        if before is not None and before.size >= covering:
            return Sealed(before, Tree(store))
        size = 0 if before is None else before.size
        own = [known[number] for number in takewhile(known.__contains__, range(size, covering))]
        commitments = own or store.commitments(size, AT_ONCE)
        if not commitments and covering > size:
            raise AssentError(f"the store has lost leaf `{size}` of the ledger", "restore it from a backup")
        tree = grown(store, edge, commitments)
        size += len(commitments)
        note = sign_note(Checkpoint(log.origin, size, tree.root(size)).text, signers)
        after = Head(size, note, now)
        if store.swap(before, after, tree.new):
            remembered.edge = Edge(after, edge.keys, tree.edge(size))
            if size >= covering:
                return Sealed(after, tree)


def checkpoint_in(head: Head) -> Checkpoint:
    """Read what our own signed state says."""
    text, _ = split_note(head.checkpoint)
    return parse_checkpoint(text)


def newest_keys(store: Ledger) -> KeyChange:
    """Say which keys sign now and since which size. Raises `NotFound` before the first of them."""
    return _keys_in(store.edge().keys)


def signing(log: Log, keys: KeyChange) -> tuple[Signer, ...]:
    """Return the signers that are in force. Raises `Refused` if the log holds none of them."""
    in_force = set(keys.verifiers)
    signers = tuple(signer for signer, verifier in _pairs(log.signers) if verifier in in_force)
    if keys.origin != log.origin:
        raise Refused(f"the ledger of this home is `{keys.origin}`", "set `origin` in the settings file back to that")
    if not signers:
        raise Refused("no key of this home signs its ledger any more", "put the newest key back into `keys`")
    return signers


def keys_ever(store: Ledger) -> list[Verifier]:
    """Return every key that ever signed this log, each once."""
    return list(dict.fromkeys(key for note in store.key_changes() for key in _change_in(note).verifiers))


def _keys_in(note: str | None) -> KeyChange:
    if note is None:
        raise NotFound("this home keeps no ledger yet", "run `assent ledger init`")
    return _change_in(note)


@lru_cache(maxsize=64)
def _change_in(note: str) -> KeyChange:
    text, _ = split_note(note)
    return parse_key_change(text)


@lru_cache(maxsize=8)
def _pairs(signers: tuple[Signer, ...]) -> list[tuple[Signer, Verifier]]:
    return [(signer, signer.verifier) for signer in signers]
