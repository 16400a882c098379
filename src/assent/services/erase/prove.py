"""Prove an erasure: what is left of it, what the ledger says of it, and that nothing of it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import AssentError, Incomplete, NotFound, Refused
from assent.domain.instants import to_micros
from assent.ledger.erasure import Tree, ground_of, leaf_record, leaf_salt, parse_erasure
from assent.ledger.erasure_proof import ErasureProof, Stone
from assent.ledger.leaf import commitment
from assent.services.ledger.prove import proof_of
from assent.store.port import Conversations, Erasures, Ledger
from assent.store.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assent.services.erase.world import ErasureWorld
    from assent.services.ledger.log import Log
    from assent.store.records import Erasure, Obligation, Tombstone


class ProvingStore(Erasures, Ledger, Conversations, Protocol):
    """What proving asks of a store."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to open what an erasure names: keys tried, keys that opened, and parts that are here again.

    `tried` is None if nobody knows the slots any more: the journal of that time has been dropped.
    """

    tried: int | None
    opened: int
    here: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """An erasure with its proof, the states of its copies now, and an attempt to open what it erased."""

    erasure: Erasure
    proof: ErasureProof
    copies: tuple[Obligation, ...]
    attempt: Attempt


def erasures_of(store: Erasures, named: str) -> list[Erasure]:
    """Find an erasure by its number, or all erasures of a conversation, newest first. Raises `NotFound`."""
    if named.isdecimal() and (found := store.erasure(int(named))) is not None:
        return [found]
    erasures: list[Erasure] = []
    page: str | None = None
    while True:
        listing = store.erasures(Page(200, page), conversation=named)
        erasures += listing.items
        page = listing.after
        if page is None:
            break
    if not erasures:
        fix = "give the number of an erasure, or the id of a conversation of which something was erased"
        raise NotFound(f"nothing was erased under `{named}`", fix)
    return erasures


def prove(
    store: ProvingStore, world: ErasureWorld, log: Log, erasure: Erasure, conversation: str | None = None
) -> Proven:
    """Prove one erasure, with its tombstones: all, or those of one conversation.

    Raises `Incomplete` before it has its receipt, and `AssentError` if what the store says of it does not fit
    together or a key of it still opens.
    """
    proof = erasure_proof(store, log, erasure, conversation)
    stones = proof.stones
    return Proven(erasure, proof, tuple(store.obligations(erasure.id)), _attempt(store, world, erasure, stones))


def erasure_proof(store: ProvingStore, log: Log, erasure: Erasure, conversation: str | None = None) -> ErasureProof:
    """Write the proof of one erasure, with its tombstones: all, or those of one conversation.

    Raises `Refused` for one from before erasures were chained, `Incomplete` before it has its receipt, and
    `AssentError` if what the store says of it does not fit together.
    """
    if erasure.kind == "before":
        fix = "its tombstones are all there is: see the sweep of that time"
        raise Refused(f"erasure `{erasure.id}` is from before erasures were chained", fix)
    if erasure.finished_at is None or erasure.receipt is None:
        fix = "run `assent sweep --redo`; `assent derived list` says which copies it waits for"
        raise Incomplete(f"erasure `{erasure.id}` has no receipt yet", fix)
    leaf = store.receipt_leaf(erasure.id)
    if leaf is None or leaf.salt is None:
        raise AssentError(f"the ledger has no leaf for erasure `{erasure.id}`", "restore the store from a backup")
    record = parse_erasure(erasure.receipt.encode())
    if commitment(leaf.salt, erasure.receipt.encode()) != leaf.commitment or not record.holds():
        raise _altered(erasure)
    stones = tuple(_stones(store, erasure, conversation))
    return ErasureProof(record, leaf.salt, proof_of(store, log, leaf.number), stones)


def _stones(store: ProvingStore, erasure: Erasure, conversation: str | None) -> Iterator[Stone]:
    """Build the tree of an erasure anew and yield its leaves, or those of one conversation, with their paths."""
    if erasure.salt is None:  # texts that newer ones took the place of: no part ended
        return
    salt, stones = erasure.salt, list(store.tombstones_of(erasure.id))
    tree = Tree(salt, [_leaf(stone) for stone in stones])
    if (tree.root, tree.size) != (erasure.root, erasure.parts):
        raise _altered(erasure)
    for stone in stones:
        if conversation in (None, stone.conversation):
            yield Stone(
                stone.number,
                stone.conversation,
                stone.part,
                stone.erase_by,
                stone.rule,
                stone.policy,
                leaf_salt(salt, stone.number),
                tuple(tree.proof(stone.number)),
            )


def _leaf(stone: Tombstone) -> bytes:
    ground = ground_of(stone.rule, stone.policy)
    return leaf_record(stone.conversation, stone.part, to_micros(stone.erase_by), ground)


def _attempt(store: ProvingStore, world: ErasureWorld, erasure: Erasure, stones: Sequence[Stone]) -> Attempt:
    slots = store.slots_of(erasure.id) or _journalled(world, erasure)
    opened = world.contents.opens(slots) if slots else set()
    here = []
    for conversation in dict.fromkeys(stone.conversation for stone in stones):
        found = store.conversation(conversation)
        kept = {part.id for part in found.parts} if found is not None else set()
        here += [
            f"{conversation}#{one.part}" for one in stones if one.conversation == conversation and one.part in kept
        ]
    return Attempt(len(slots) if slots else None, len(opened), tuple(here))


def _journalled(world: ErasureWorld, erasure: Erasure) -> list[int]:
    """Find the slots of an erasure in the journal, which keeps them as long as a backup could bring them back."""
    for entry in world.journal.read(since=erasure.at.date()):
        if entry.kind == "erasure" and entry.body["chain"] == erasure.chain.hex():
            return list(entry.body["slots"])
    return []


def _altered(erasure: Erasure) -> AssentError:
    return AssentError(
        f"what the store says of erasure `{erasure.id}` does not fit together",
        "somebody or the disk changed it: run `assent reconcile`, and restore the store from a backup",
    )
