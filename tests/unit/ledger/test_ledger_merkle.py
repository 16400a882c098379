"""Every leaf and every earlier tree can be proven, and nothing else can."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.leaf import SALT_BYTES, commitment
from assent.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from assent.ledger.tiles import grow, tile_reader

MANY = 600
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(MANY)]
GROWN = grow(0, {}, LEAVES)
read = tile_reader(lambda level, number: GROWN[level, number])
ROOTS = [root(size, read) for size in range(MANY + 1)]
SMALL = 40


def slow_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return node_hash(slow_root(leaves[:left]), slow_root(leaves[left:]))


def test_the_root_is_that_of_the_definition_at_every_size() -> None:
    assert ROOTS[0] == EMPTY_ROOT
    assert ROOTS[1] == LEAVES[0]
    for size in (*range(130), 255, 256, 257, 511, 512, 513, MANY):
        assert ROOTS[size] == slow_root(LEAVES[:size])


def test_a_leaf_and_a_node_of_the_same_bytes_differ() -> None:
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_every_leaf_of_every_small_tree_is_proven_at_its_own_index_only() -> None:
    for size in range(1, SMALL + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, read)
            holds = [verify_inclusion(at, size, LEAVES[index], proof, ROOTS[size]) for at in range(-1, size + 2)]
            assert [at for at, held in enumerate(holds, -1) if held] == [index]


def test_every_earlier_tree_of_every_small_tree_is_proven() -> None:
    for new in range(SMALL + 1):
        for old in range(new + 1):
            proof = consistency_proof(old, new, read)
            assert verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])


indexes = st.integers(1, MANY).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(indexes, st.integers(0, MANY - 1))
def test_an_inclusion_proof_holds_for_no_other_entry(place: tuple[int, int], other: int) -> None:
    index, size = place
    proof = inclusion_proof(index, size, read)

    assert verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])
    assert verify_inclusion(index, size, LEAVES[other], proof, ROOTS[size]) == (other == index)


@given(indexes, st.integers(0, MANY), st.integers(0, MANY))
def test_an_inclusion_proof_holds_for_no_other_index_and_no_other_root(
    place: tuple[int, int], at: int, other: int
) -> None:
    index, size = place
    proof = inclusion_proof(index, size, read)

    assert verify_inclusion(at, size, LEAVES[index], proof, ROOTS[size]) == (at == index)
    assert verify_inclusion(index, size, LEAVES[index], proof, ROOTS[other]) == (other == size)


@given(indexes, st.data())
def test_a_changed_longer_or_shorter_inclusion_proof_does_not_hold(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    proof = inclusion_proof(index, size, read)

    for changed in _changes(proof, data):
        assert not verify_inclusion(index, size, LEAVES[index], changed, ROOTS[size])


@given(st.integers(0, MANY), st.integers(0, MANY), st.integers(0, MANY))
def test_a_consistency_proof_holds_for_its_two_trees_only(one: int, two: int, other: int) -> None:
    old, new = sorted((one, two))
    proof = consistency_proof(old, new, read)

    assert verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])
    assert verify_consistency(old, new, proof, ROOTS[other], ROOTS[new]) == (other == old)
    # every tree continues the empty one, so nothing then binds the newer root
    assert verify_consistency(old, new, proof, ROOTS[old], ROOTS[other]) == (other == new or old == 0 < new)


@given(st.integers(1, MANY), st.integers(1, MANY), st.data())
def test_a_changed_longer_or_shorter_consistency_proof_does_not_hold(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    proof = consistency_proof(old, new, read)

    for changed in _changes(proof, data):
        assert not verify_consistency(old, new, changed, ROOTS[old], ROOTS[new])


def _changes(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    changes = [[*proof, bytes(32)], [bytes(32), *proof]]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(proof[place], "big") ^ (1 << bit)).to_bytes(32, "big")
        changes += [
            [*proof[:place], flipped, *proof[place + 1 :]],
            [*proof[:place], *proof[place + 1 :]],
            [*proof[:place], proof[place] + b"\0", *proof[place + 1 :]],
            [*proof[:place], proof[place][:-1], *proof[place + 1 :]],
        ]
    return changes


def test_a_history_with_one_other_entry_is_told_from_the_first_size_that_holds_it() -> None:
    chance = random.Random(1)
    for _ in range(200):
        changed, old = chance.randrange(MANY), chance.randrange(1, MANY + 1)
        fork = list(LEAVES)
        fork[changed] = leaf_hash(b"another entry")
        grown = grow(0, {}, fork)
        forked = tile_reader(lambda level, number, grown=grown: grown[level, number])
        proof = consistency_proof(old, MANY, forked)
        holds = verify_consistency(old, MANY, proof, ROOTS[old], root(MANY, forked))
        assert holds == (changed >= old)


def test_a_proof_that_ends_below_the_root_does_not_hold() -> None:
    assert not verify_inclusion(0, 4, LEAVES[0], [LEAVES[1]], ROOTS[2])
    assert not verify_consistency(1, 4, [LEAVES[1]], ROOTS[1], ROOTS[2])


def test_nothing_needs_to_be_shown_of_the_empty_tree() -> None:
    assert verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    assert not verify_consistency(0, 5, [ROOTS[1]], EMPTY_ROOT, ROOTS[5])
    assert not verify_consistency(0, 5, [], ROOTS[1], ROOTS[5])


def test_hashes_of_another_length_are_never_taken_for_hashes() -> None:
    assert not verify_inclusion(0, 1, b"", [], b"")
    assert not verify_inclusion(0, 1, b"short", [], b"short")
    assert not verify_consistency(1, 1, [], b"short", b"short")
    assert not verify_consistency(0, 1, [], EMPTY_ROOT, b"short")


def test_sizes_and_indexes_that_cannot_be_are_refused() -> None:
    with pytest.raises(Invalid, match="no size `-1`"):
        root(-1, read)
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(Invalid, match="no leaf"):
            inclusion_proof(index, size, read)
    for old, new in ((-1, 3), (4, 3)):
        with pytest.raises(Invalid, match="begins a tree"):
            consistency_proof(old, new, read)
        assert not verify_consistency(old, new, [], EMPTY_ROOT, EMPTY_ROOT)


def test_a_commitment_is_the_hash_of_label_salt_and_record() -> None:
    salt = bytes(range(SALT_BYTES))

    assert commitment(salt, b"record") == hashlib.sha256(b"assent/leaf/v1\n" + salt + b"record").digest()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_salt_of_another_length_commits_to_nothing(length: int) -> None:
    with pytest.raises(Invalid, match=f"salt of {length} bytes"):
        commitment(bytes(length), b"record")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(), st.binary())
def test_another_salt_or_record_is_another_commitment(salt: bytes, other: bytes, record: bytes, text: bytes) -> None:
    same = (salt, record) == (other, text)

    assert (commitment(salt, record) == commitment(other, text)) == same
