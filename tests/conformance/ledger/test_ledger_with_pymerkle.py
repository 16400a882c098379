"""Another Merkle tree in Python, with its own way of hashing a range, arrives at the same roots and proofs."""

from __future__ import annotations

import random

import pytest
from pymerkle import InmemoryTree

from assent.ledger.merkle import inclusion_proof, leaf_hash, root
from assent.ledger.tiles import grow, tile_reader

LARGEST = 3_000


def _both() -> tuple[InmemoryTree, dict[tuple[int, int], bytes]]:
    chance = random.Random(6962)
    entries = [chance.randbytes(32) for _ in range(LARGEST)]
    theirs = InmemoryTree(algorithm="sha256")
    for entry in entries:
        theirs.append_entry(entry)
    return theirs, grow(0, {}, [leaf_hash(entry) for entry in entries])


def test_roots_agree_at_every_size_up_to_3_000() -> None:
    theirs, grown = _both()
    read = tile_reader(lambda level, number: grown[level, number])

    assert [root(size, read) for size in range(1, LARGEST + 1)] == [
        theirs.get_root(size) for size in range(1, LARGEST + 1)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100, 256, 257, 1000, LARGEST])
def test_inclusion_proofs_name_the_same_hashes(size: int) -> None:
    theirs, grown = _both()
    read = tile_reader(lambda level, number: grown[level, number])

    for index in random.Random(size).sample(range(size), min(size, 50)):
        path = theirs.prove_inclusion(index + 1, size).serialize()["path"]
        ours = [value.hex() for value in inclusion_proof(index, size, read)]
        assert sorted(path[1:]) == sorted(ours)
