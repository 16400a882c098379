"""The Merkle tree of RFC 6962 section 2.1: roots, proofs and their verification.

Making a proof reads hashes through a `HashReader`; checking one needs nothing but its arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from assent.domain.errors import Invalid
from assent.ledger.encoding import HASH_BYTES

# (level, index) -> hash of the complete subtree over leaves [index * 2**level, (index + 1) * 2**level)
HashReader = Callable[[int, int], bytes]

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf; the prefix keeps a leaf from ever passing for an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(size: int, read: HashReader) -> bytes:
    """Compute the root of the first `size` leaves."""
    if size < 0:
        raise Invalid(f"a tree has no size `{size}`", "give a size of 0 or more")
    return _range(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """Name the hashes that lead from leaf `index` to the root of `size` leaves, leaf's sibling first."""
    if not 0 <= index < size:
        raise Invalid(f"no leaf `{index}` in a tree of `{size}`", "ask for an index below the size")
    start, proof = 0, []
    while size > 1:
        left = _left(size)
        if index < start + left:
            proof.append(_range(start + left, size - left, read))
            size = left
        else:
            proof.append(_range(start, left, read))
            start, size = start + left, size - left
    return proof[::-1]


def consistency_proof(old: int, new: int, read: HashReader) -> list[bytes]:
    """Name the hashes that show the tree of `old` leaves to be the beginning of the tree of `new`.

    Empty where there is nothing to show: `old` is 0 or equals `new`.
    """
    if not 0 <= old <= new:
        raise Invalid(f"no tree of `{old}` leaves begins a tree of `{new}`", "give the smaller size first")
    if old in {0, new}:
        return []
    start, proof, known = 0, [], True
    while old < new:
        left = _left(new)
        if old <= left:
            proof.append(_range(start + left, new - left, read))
            new = left
        else:
            proof.append(_range(start, left, read))
            start, old, new, known = start + left, old - left, new - left, False
    if not known:
        proof.append(_range(start, old, read))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof leads from this leaf at this index to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _all_hashes((leaf_hash, root, *proof)):
        return False
    node, last, current = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Tell whether the proof shows `old_root` to begin `new_root` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new or not _all_hashes((old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    # a complete subtree is its own first hash; the proof then leaves it out
    first, *rest = proof if old & (old - 1) else (old_root, *proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_seen = new_seen = first
    for sibling in rest:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_seen, new_seen = node_hash(sibling, old_seen), node_hash(sibling, new_seen)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_seen = node_hash(new_seen, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_seen == old_root and new_seen == new_root


def _left(size: int) -> int:
    """Give the largest power of two below `size`: how many leaves go to the left."""
    return 1 << ((size - 1).bit_length() - 1)


def _range(start: int, size: int, read: HashReader) -> bytes:
    """Hash `size` leaves from `start`, which a left split always puts at a multiple of a power of two >= size."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    left = _left(size)
    return node_hash(_range(start, left, read), _range(start + left, size - left, read))


def _all_hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in hashes)
