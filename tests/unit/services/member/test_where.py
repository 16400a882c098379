"""Who was in which cut is told without content, and proven to the person alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conformance.store.samples import talk
from tests.stores import new_store

from assent.domain.errors import Invalid, NotFound, Refused
from assent.ledger.membership import MemberTree, names_of, verify_proof
from assent.services.member.where import Asked, cuts_of, every_cut, members_of, prove, whose
from assent.store.records import Cut, CutRow
from assent.store.sqlite import SqliteStore

KEY = bytes(range(32))
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def cut(number: int) -> Cut:
    return Cut("spring", number, f"sha256:{number:064}", NOW, "somewhere")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with two cuts: Ann is in both, Bob left after the first, Cid's conversation is in none."""
    made = new_store(tmp_path / "assent.db")
    rows = [CutRow(f"test:{who}", part, who) for who in ("ann", "bob") for part in ("a", "b")]
    made.record_cut(cut(1), rows)
    made.record_cut(cut(2), [CutRow("test:dora", "a", "dora")], [row for row in rows if row.subject == "bob"])
    made.intake([talk("cid", subject="cid")], plan="pro", recorded_at=NOW)
    yield made
    made.close()


def numbers(store: SqliteStore, asked: Asked) -> list[int]:
    return [found.number for found in cuts_of(store, asked)]


def test_cuts_are_listed_by_conversation_and_by_person(store: SqliteStore) -> None:
    assert numbers(store, Asked("test:ann")) == [1, 2]
    assert numbers(store, Asked(subject="bob")) == [1]
    assert numbers(store, Asked("test:cid")) == numbers(store, Asked(subject="cid")) == []


@pytest.mark.parametrize(
    ("asked", "first", "second"),
    [
        (Asked("test:ann"), True, True),
        (Asked("test:bob"), True, False),
        (Asked(subject="bob"), True, False),
        (Asked(subject="dora"), False, True),
        (Asked("test:cid"), False, False),
        (Asked("test:ann", "bob"), False, False),
        (Asked("test:long-gone", "bob"), False, False),
    ],
)
def test_each_cut_proves_who_is_in_it_and_who_is_not(
    store: SqliteStore, asked: Asked, first: bool, second: bool
) -> None:
    for number, member in ((1, first), (2, second)):
        proof = prove(store, cut(number), KEY, whose(store, asked), asked.conversation)
        verify_proof(proof)
        assert (proof.member, proof.manifest) == (member, cut(number).manifest)


def test_the_root_of_a_proof_is_that_of_the_members(store: SqliteStore) -> None:
    tree = MemberTree(names_of(KEY, members_of(store, cut(2))))
    assert prove(store, cut(2), KEY, "ann").root == tree.root
    assert tree.size == 4, "two people with a conversation each"


def test_a_proof_names_nobody(store: SqliteStore) -> None:
    assert b"ann" not in prove(store, cut(1), KEY, "ann").encode()


def test_a_conversation_of_which_nobody_knows_whose_it_is_needs_a_name(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="whose conversation"):
        whose(store, Asked("test:long-gone"))


def test_nobody_cannot_be_looked_for() -> None:
    with pytest.raises(Invalid):
        Asked()


def test_every_cut_is_read(store: SqliteStore) -> None:
    assert [found.number for found in every_cut(store)] == [2, 1]


def test_a_proof_of_one_cut_does_not_do_for_another(store: SqliteStore) -> None:
    first, second = (prove(store, cut(number), KEY, "bob") for number in (1, 2))
    with pytest.raises(Refused):
        verify_proof(replace(first, root=second.root, size=second.size))
