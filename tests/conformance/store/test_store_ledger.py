"""The contract of the ledger: choices enter with their leaves, numbers have no gap, the head moves once."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.conformance.store.samples import T0, choice, day

from assent.domain.errors import AssentError, Refused
from assent.store.port import Store
from assent.store.records import Choice, Cosignature, Head, Leaf, Staged
from assent.store.sqlite import SqliteStore


def staged(name: str, salt: bytes = b"s" * 32, **more: object) -> Staged:
    made = choice(name, options=("allow", "decline"), target=None, **more)
    return Staged(made, salt, salt[:1] + name.encode().ljust(31, b"."))


def head(size: int, note: str = "note") -> Head:
    return Head(size, f"{note} {size}\n", day(size))


def test_choices_and_leaves_enter_together_and_are_numbered_from_0(store: Store) -> None:
    entries = [staged("c0"), staged("c1", subject="s2")]
    assert store.stage(entries) == [Leaf(n, e.choice.id, e.salt, e.commitment) for n, e in enumerate(entries)]
    (third,) = store.stage([staged("c2")])
    assert third.number == 2
    assert store.staged() == 3
    assert [one.id for one in store.choices("s1")] == ["c0", "c2"]
    assert store.commitments(0, 100) == [*(e.commitment for e in entries), third.commitment]
    assert store.commitments(1, 1) == [entries[1].commitment]
    assert store.commitments(3, 5) == []
    assert store.stage([]) == []


def test_a_choice_that_is_there_keeps_its_leaf_and_its_salt(store: Store) -> None:
    first = store.stage([staged("c0"), staged("c1")])
    again = store.stage([staged("c2"), staged("c1", b"t" * 32), staged("c0", b"u" * 32), staged("c2", b"v" * 32)])
    assert [leaf.number for leaf in again] == [2, 1, 0, 2]
    assert [again[2], again[1]] == first
    assert again[3] == again[0]
    assert store.staged() == 3
    assert store.counts().choices == 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_id_with_another_meaning_is_refused_and_nothing_enters(store: Store, order: tuple[int, int]) -> None:
    store.stage([staged("c0")])
    entries = [staged("c9"), staged("c0", act="decline")]
    with pytest.raises(Refused, match="choice `c0` is recorded with another meaning"):
        store.stage([entries[n] for n in order])
    with pytest.raises(Refused, match="`c5`"):
        store.stage([staged("c5"), staged("c5", act="decline")])
    assert (store.staged(), store.counts().choices) == (1, 1)


def test_a_choice_from_before_the_ledger_gets_its_leaf(store: Store) -> None:
    older = staged("c1")
    store.add_choice(older.choice)
    store.add_choice(choice("c0"))
    assert [one.id for one in store.unlogged(10)] == ["c0", "c1"]
    assert [one.id for one in store.unlogged(1)] == ["c0"]
    assert store.logged("c1") is None
    (leaf,) = store.stage([older])
    assert store.logged("c1") == (older.choice, leaf)
    assert [one.id for one in store.unlogged(10)] == ["c0"]
    assert store.logged("nothing") is None


def test_leaves_are_read_in_order_with_their_choices(store: Store) -> None:
    entries = [staged(f"c{n}") for n in range(5)]
    leaves = store.stage(entries)
    expected = [(entry.choice, leaf) for entry, leaf in zip(entries, leaves, strict=True)]
    assert store.leaves(0, 10) == expected
    assert store.leaves(1, 2) == expected[1:3]


def test_an_erased_salt_is_gone_for_good(store: Store) -> None:
    store.stage([staged("c0"), staged("c1", b"t" * 32)])
    assert store.erase_salts(["c0", "nothing"]) == 1
    assert store.erase_salts(["c0"]) == 0
    found = store.logged("c0")
    assert found is not None
    assert (found[1].salt, found[1].number) == (None, 0)
    assert store.logged("c1")[1].salt == b"t" * 32
    assert store.stage([staged("c0", b"x" * 32)])[0].salt is None


def test_the_bytes_of_an_erased_salt_leave_the_file(sqlite_store: Callable[[], SqliteStore], tmp_path: Path) -> None:
    store = sqlite_store()
    salt, kept = b"salt-that-must-not-be-found-now!", b"salt-that-stays-where-it-is-now!"
    store.stage([staged("c0", salt), staged("c1", kept)])
    store._database.checkpoint()
    data = (tmp_path / "store.db").read_bytes()
    assert salt in data
    store.erase_salts(["c0"])
    assert store._database.checkpoint()
    data = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert salt not in data
    assert kept in data
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET number = 7 WHERE number = 0",
        "UPDATE leaf SET commitment = salt WHERE number = 0",
        "UPDATE leaf SET choice = NULL WHERE number = 0",
        "UPDATE leaf SET salt = commitment WHERE number = 0",
        "DELETE FROM leaf",
    ],
)
def test_the_database_itself_refuses_to_change_a_leaf(store: Store, statement: str) -> None:
    leaves = store.stage([staged("c0")])
    refused = pytest.raises((DBAPIError, AssentError), match=r"append-only|loses its salt|can only go")
    with refused, store._database.writing() as connection:
        connection.execute(text(statement))
    assert [leaf for _, leaf in store.leaves(0, 9)] == leaves


def test_the_head_moves_only_from_where_its_writer_saw_it(store: Store) -> None:
    assert store.head() is None
    assert not store.swap(head(1), head(2), {(0, 0): b"x"})
    assert store.swap(None, head(0), {})
    assert not store.swap(None, head(5), {(0, 0): b"x"}, "keys")
    assert store.swap(head(0), head(2), {(0, 0): b"a" * 64, (1, 0): b"b" * 32}, "first keys\n")
    for other in (head(0), head(2, "other"), replace(head(2), signed_at=day(9))):
        assert not store.swap(other, head(3), {(0, 0): b"c" * 96}, "other keys\n")
    assert (store.head(), store.tile(0, 0), store.tile(1, 0)) == (head(2), b"a" * 64, b"b" * 32)
    assert store.swap(head(2), head(3), {(0, 0): b"c" * 96}, "second keys\n")
    assert (store.head(), store.tile(0, 0), store.tile(0, 1)) == (head(3), b"c" * 96, None)
    assert store.key_changes() == ["first keys\n", "second keys\n"]


def test_cosignatures_are_kept_by_size_and_witness(store: Store) -> None:
    first, second = Cosignature(5, "w1", "line 1\n", T0), Cosignature(5, "w0", "line 0\n", T0)
    assert (store.cosignatures(5), store.cosigned(0)) == ([], None)
    store.add_cosignature(first)
    store.add_cosignature(second)
    store.add_cosignature(replace(first, size=9))
    later = replace(first, line="line 1 again\n", added_at=day(1))
    store.add_cosignature(later)
    assert store.cosignatures(5) == [second, later]
    assert [store.cosigned(size) for size in (0, 6, 9, 10)] == [9, 9, 9, None]


def test_many_writers_leave_no_gap_and_no_number_twice(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(3)]
    found: list[tuple[Choice, Leaf]] = []

    def write(store: Store, writer: int) -> None:
        for batch in range(8):
            entries = [staged(f"c{writer}-{batch}-{n}") for n in range(3)]
            found.extend(zip([entry.choice for entry in entries], store.stage(entries), strict=True))

    threads = [threading.Thread(target=write, args=(store, n)) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(leaf.number for _, leaf in found) == list(range(72))
    assert stores[0].leaves(0, 100) == sorted(found, key=lambda pair: pair[1].number)


def test_a_refusal_names_no_subject(store: Store) -> None:
    store.stage([staged("c0", subject="somebody")])
    with pytest.raises(Refused) as caught:
        store.stage([staged("c0", subject="somebody", act="decline")])
    assert not re.search("somebody", f"{caught.value}{caught.value.fix}")
