"""Appending, proving and sealing: everybody gets a proof that a stranger can check."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.unit.services.ledger_world import NOW, ORIGIN, choice, choices, holds, ledger, log_of, signer, witness
from tests.vaults import vault_in

from assent.domain.errors import AssentError, Incomplete, NotFound, Refused
from assent.ledger.encoding import write_base64
from assent.ledger.leaf import commitment
from assent.ledger.merkle import inclusion_proof, leaf_hash
from assent.ledger.record import parse_record
from assent.ledger.tiles import grow, tile_reader
from assent.services.ledger.append import append, proofs
from assent.services.ledger.paths import paths
from assent.services.ledger.prove import prove, served
from assent.services.ledger.rotate import found, retire, rotate
from assent.services.ledger.seal import seal
from assent.services.ledger.tree import Tree
from assent.services.ledger.witness import cosign
from assent.services.receipts.record import record_of
from assent.store.port import Store
from assent.store.records import Staged
from assent.store.sqlite import SqliteStore

LOG = log_of()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ledger(tmp_path) as begun:
        yield begun


def test_every_choice_comes_back_with_a_proof_that_holds(store: Store) -> None:
    first = append(store, LOG, choices(0, 3), now=NOW)
    more = append(store, LOG, choices(3, 600), now=NOW)
    assert [one.number for one in (*first, *more)] == list(range(603))
    assert {holds(one, LOG).size for one in first} == {3}
    assert {holds(one, LOG).size for one in more} == {603}
    record = parse_record(first[1].record)
    assert (record.id, record.act, record.controller) == ("c1", "allow", "controller.example")
    assert b"s1" not in first[1].record


def test_the_same_choices_again_are_the_same_leaves(store: Store) -> None:
    first = append(store, LOG, choices(0, 3), now=NOW)
    again = append(store, LOG, [choice(2), choice(9), choice(0), choice(9)], now=NOW)
    assert [one.number for one in again] == [2, 3, 0, 3]
    assert (again[0].salt, again[2].salt) == (first[2].salt, first[0].salt)
    assert {holds(one, LOG).size for one in again} == {4}
    assert append(store, LOG, [], now=NOW) == []
    with pytest.raises(Refused, match="`c0` is recorded with another meaning"):
        append(store, LOG, [choice(5), choice(0, "decline")], now=NOW)
    assert store.staged() == 4


def test_a_choice_can_be_proven_later(store: Store) -> None:
    made = append(store, LOG, choices(0, 300), now=NOW)
    for number in (0, 17, 255, 256, 299):
        later = prove(store, LOG, f"c{number}")
        assert later == made[number]
    append(store, LOG, choices(300, 10), now=NOW)
    assert holds(prove(store, LOG, "c17"), LOG).size == 310
    with pytest.raises(NotFound):
        prove(store, LOG, "nothing")


def test_an_erased_salt_proves_nothing_any_more(store: Store) -> None:
    kept, _ = append(store, LOG, choices(0, 2), now=NOW)
    store.erase_salts(["c1"])
    for act in (lambda: prove(store, LOG, "c1"), lambda: append(store, LOG, [choice(1)], now=NOW)):
        with pytest.raises(Refused, match="leaf `1` was made meaningless"):
            act()
    holds(kept, LOG)
    assert prove(store, LOG, "c0") == kept


def test_what_waits_for_its_checkpoint_is_sealed_by_the_next_call(store: Store) -> None:
    append(store, LOG, [choice(0)], now=NOW)
    record, salt = record_of(choice(1), LOG.identity).encode(), b"s" * 32
    store.stage([Staged(choice(1), salt, commitment(salt, record))])  # and then the process died
    with pytest.raises(Incomplete, match="leaf `1` waits"):
        prove(store, LOG, "c1")
    assert seal(store, LOG, now=NOW).size == 2
    assert holds(prove(store, LOG, "c1"), LOG).size == 2


def test_another_controller_or_key_is_noticed(store: Store) -> None:
    append(store, LOG, [choice(0)], now=NOW)
    for identity in (replace(LOG.identity, controller="other"), replace(LOG.identity, key=b"o" * 32)):
        with pytest.raises(AssentError, match="leaf `0` was made for another record"):
            prove(store, replace(LOG, identity=identity), "c0")


def test_a_home_without_a_ledger_says_what_to_do(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "x.db", vault_in(tmp_path), create=True)
    for act in (
        lambda: append(store, LOG, [choice(0)], now=NOW),
        lambda: seal(store, LOG, now=NOW),
        lambda: served(store),
    ):
        with pytest.raises(NotFound) as caught:
            act()
        assert "assent ledger init" in caught.value.fix
    store.close()


def test_a_log_of_another_name_or_with_unknown_keys_signs_nothing(store: Store) -> None:
    with pytest.raises(Refused, match=f"is `{ORIGIN}`"):
        append(store, replace(LOG, origin="other.example"), [choice(0)], now=NOW)
    with pytest.raises(Refused, match="no key of this home"):
        found(store, log_of(signer(7)), now=NOW)
    assert store.head().size == 0


def test_old_and_new_keys_overlap_until_the_old_one_is_retired(store: Store) -> None:
    append(store, LOG, choices(0, 2), now=NOW)
    change = rotate(store, LOG, signer(1), now=NOW)
    assert (change.size, len(change.verifiers)) == (2, 2)
    assert rotate(store, LOG, signer(1), now=NOW) == change
    both = log_of(signer(0), signer(1))
    (during,) = append(store, both, [choice(2)], now=NOW)
    holds(during, LOG)
    holds(during, log_of(signer(1)))
    with pytest.raises(Refused, match="newest key"):
        retire(store, LOG, now=NOW)
    assert retire(store, both, now=NOW).size == 3
    assert retire(store, log_of(signer(1)), now=NOW).size == 3
    with pytest.raises(Refused, match="no key of this home"):
        append(store, LOG, [choice(3)], now=NOW)
    (after,) = append(store, both, [choice(3)], now=NOW)  # a server that was not restarted yet
    holds(after, log_of(signer(1)))
    assert len(after.proof.split("— ")) == 2
    assert len(store.key_changes()) == 3


def test_a_checkpoint_that_lost_the_swap_is_not_handed_out(store: Store) -> None:
    class Overtaken:
        def __getattr__(self, name: str) -> object:
            if name == "swap" and store.staged() == 1:
                append(store, LOG, [choice(1)], now=NOW + timedelta(seconds=1))
            return getattr(store, name)

    (one,) = append(Overtaken(), LOG, [choice(0)], now=NOW)
    assert one.proof.endswith(store.head().checkpoint)
    assert holds(one, LOG).size == 2


def test_a_proof_is_under_the_newest_checkpoint_that_witnesses_signed(store: Store) -> None:
    log = log_of(witnesses=2)
    append(store, log, choices(0, 5), now=NOW)
    note = served(store)
    line = witness(0).sign(note.partition("\n\n")[0] + "\n", at=int(NOW.timestamp()))
    append(store, log, choices(5, 4), now=NOW)
    cosign(store, log, note + line, now=NOW)
    covered, not_covered = prove(store, log, "c4"), prove(store, log, "c5")
    assert (holds(covered, log).size, holds(not_covered, log).size) == (5, 9)
    assert covered.proof.endswith(line)
    rotate(store, log, signer(1), now=NOW)
    assert holds(prove(store, log, "c4"), log).size == 9


@given(some.integers(1, 1500), some.data())
def test_paths_are_those_of_one_leaf_at_a_time(size: int, data: some.DataObject) -> None:
    first = data.draw(some.integers(0, size - 1))
    end = data.draw(some.integers(first + 1, min(size, first + 700)))
    tiles = grow(0, {}, [leaf_hash(number.to_bytes(4, "big")) for number in range(size)])
    read = tile_reader(lambda level, number: tiles[level, number])
    written = paths(first, end, size, read, lambda level, number: tiles[level, number])
    sample = {first, end - 1, (first + end) // 2}
    assert len(written) == end - first
    for number in sample & set(range(first, end)):
        assert written[number - first].splitlines() == [write_base64(h) for h in inclusion_proof(number, size, read)]


def test_proofs_of_scattered_leaves_are_written_together(store: Store) -> None:
    append(store, LOG, choices(0, 20), now=NOW)
    head = store.head()
    texts = proofs([19, 3, 4, 3], head.size, head.checkpoint, Tree(store))
    assert sorted(texts) == [3, 4, 19]
    for number, text in texts.items():
        assert text == prove(store, LOG, f"c{number}").proof
