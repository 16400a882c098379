"""A proof of an erasure holds for whoever has the log's key, and for nobody who changed a byte of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_world import log_of
from provider import DAY, T0, Provider, day, part, provider, talk

from assent.domain.contents import Piece
from assent.domain.errors import AssentError, Incomplete, Invalid, NotFound, Refused
from assent.ledger.erasure_proof import read_erasure_proof, verify_erasure
from assent.ledger.note import new_signer
from assent.services.erase.carry_out import carry_out
from assent.services.erase.journal import Journal
from assent.services.erase.prove import erasures_of, prove
from assent.services.erase.registry import add

NOW = day(50)
KEYS = [signer.verifier for signer in log_of().signers]


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[Provider]:
    """Five conversations were due and are erased, in two erasures; one is kept."""
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(*(talk(f"old{n}") for n in range(5)), talk("young", "s1", day(45)))
        made.sweep(made.plan(NOW).digest, NOW, batch_rows=6)
        yield made


def proof_of(made: Provider, number: int = 1, conversation: str | None = None) -> bytes:
    erasure = made.store.erasure(number)
    return prove(made.store, made.world, log_of(), erasure, conversation).proof.encode()


def test_a_proof_says_what_is_gone_and_that_nothing_opens(swept: Provider) -> None:
    proven = prove(swept.store, swept.world, log_of(), swept.store.erasure(1))
    assert (proven.attempt.tried, proven.attempt.opened, proven.attempt.here) == (9, 0, ())
    assert {copy.store: copy.state for copy in proven.copies} == dict.fromkeys(
        ("cuts", "database", "segments"), "removed"
    )
    found = verify_erasure(proven.proof.encode(), KEYS)
    assert (found.missing, found.lingering) == ((), ())
    assert [(stone.conversation, stone.part) for stone in found.proof.stones] == [
        (f"test:old{n}", name) for n in range(3) for name in ("q", "a")
    ]
    assert "6 of 6 tombstones are leaves of the erasure's tree" in found.proven


def test_a_person_gets_the_tombstones_of_one_conversation_and_learns_of_no_other(swept: Provider) -> None:
    (erasure,) = erasures_of(swept.store, "test:old1")
    data = proof_of(swept, erasure.id, "test:old1")
    assert len(verify_erasure(data, KEYS).proof.stones) == 2
    assert b"test:old0" not in data
    assert b'"s1"' not in data


def test_without_a_key_the_proof_is_checked_but_not_proven(swept: Provider) -> None:
    found = verify_erasure(proof_of(swept), [])
    assert found.missing
    assert not any("signed" in said for said in found.proven)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("tombstones", 0, "part", "other"), "tombstone `0` is not in the tree"),
        (("tombstones", 1, "erase_by", "2030-01-01T00:00:00Z"), "tombstone `1` is not in the tree"),
        (("tombstones", 0, "policy", "sha256:other"), "tombstone `0` is not in the tree"),
        (("salt", "A" * 43 + "="), "is not this entry"),
    ],
)
def test_a_changed_proof_does_not_hold(swept: Provider, change: tuple[object, ...], reason: str) -> None:
    *way, last, value = change
    table = place = json.loads(proof_of(swept))
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises(Refused, match=reason):
        verify_erasure(_canonical(table), KEYS)


def test_a_record_that_says_more_is_gone_does_not_hold(swept: Provider) -> None:
    table = json.loads(proof_of(swept))
    record = json.loads(table["record"])
    for change in ({"parts": 7}, {"copies": []}, {"keys_destroyed_at": "2020-01-01T00:00:00Z"}):
        table["record"] = _canonical(record | change).decode()
        with pytest.raises(Refused):
            verify_erasure(_canonical(table), KEYS)


def test_a_proof_of_another_log_does_not_hold(swept: Provider) -> None:
    other = [new_signer("other.example/log", bytes(32)).verifier]
    with pytest.raises(Refused):
        verify_erasure(proof_of(swept), other)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"v":1}', b"\xff", b'{"v":"assent/erasure-proof/v1"}'])
def test_a_file_that_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="no proof of an erasure"):
        read_erasure_proof(data)


def _canonical(table: object) -> bytes:
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# -- what cannot be proven ------------------------------------------------------------------


def test_what_was_never_erased_cannot_be_proven(swept: Provider) -> None:
    for named in ("test:young", "99", "nothing"):
        with pytest.raises(NotFound, match=f"nothing was erased under `{named}`") as missing:
            erasures_of(swept.store, named)
        assert missing.value.fix == (
            "give the number of an erasure, or the id of a conversation of which something was erased"
        )


def test_an_erasure_that_waits_has_no_proof_yet(swept: Provider) -> None:
    add(swept.store, "index", now=NOW)
    swept.keep(talk("more"))
    swept.sweep(swept.plan(NOW + DAY).digest, NOW + DAY)
    (erasure,) = erasures_of(swept.store, "test:more")
    with pytest.raises(Incomplete, match=f"erasure `{erasure.id}` has no receipt yet") as waits:
        prove(swept.store, swept.world, log_of(), erasure)
    assert waits.value.fix == "run `assent sweep --redo`; `assent derived list` says which copies it waits for"


def test_a_key_that_came_back_is_found(swept: Provider) -> None:
    """As a restore of the slots alone would bring it back."""
    slot = next(entry.body["slots"][0] for entry in swept.world.journal.read() if entry.kind == "erasure")
    swept.store.contents.keep([Piece(slot, "normal-text", "again")], day=T0.date())
    proven = prove(swept.store, swept.world, log_of(), swept.store.erasure(1))
    assert proven.attempt.opened == 1


def test_a_tombstone_that_was_changed_is_found(swept: Provider) -> None:
    with swept.store._database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER tombstone_never_changes")
        connection.exec_driver_sql("UPDATE tombstone SET part = 'other' WHERE number = 0")
    with pytest.raises(AssentError, match="what the store says of erasure `1` does not fit together") as altered:
        prove(swept.store, swept.world, log_of(), swept.store.erasure(1))
    assert altered.value.fix == (
        "somebody or the disk changed it: run `assent reconcile`, and restore the store from a backup"
    )


def test_a_receipt_that_was_changed_is_found(swept: Provider) -> None:
    erasure = swept.store.erasure(1)
    for receipt in (swept.store.erasure(2).receipt, erasure.receipt.replace('"note":"', '"note":"x', 1)):
        with pytest.raises(AssentError, match="what the store says of erasure `1` does not fit together"):
            prove(swept.store, swept.world, log_of(), replace(erasure, receipt=receipt))


def test_what_the_ledger_does_not_hold_cannot_be_proven(swept: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = swept.store.receipt_leaf(1)
    for found in (None, replace(leaf, salt=None)):
        monkeypatch.setattr(swept.store, "receipt_leaf", lambda _number, found=found: found)
        with pytest.raises(AssentError, match="the ledger has no leaf for erasure `1`") as missing:
            prove(swept.store, swept.world, log_of(), swept.store.erasure(1))
        assert missing.value.fix == "restore the store from a backup"


def test_what_was_erased_before_erasures_were_chained_has_no_proof(swept: Provider) -> None:
    with pytest.raises(Refused, match="erasure `1` is from before erasures were chained") as early:
        prove(swept.store, swept.world, log_of(), replace(swept.store.erasure(1), kind="before"))
    assert early.value.fix == "its tombstones are all there is: see the sweep of that time"


def test_an_erasure_is_found_by_its_number_and_by_each_of_its_conversations(swept: Provider) -> None:
    assert [one.id for one in erasures_of(swept.store, "2")] == [2]
    assert [one.id for one in erasures_of(swept.store, "test:old0")] == [1]
    swept.keep(talk("new", "s1", T0, part("q"), part("a", at=day(1))))
    swept.sweep(swept.plan(NOW).digest, NOW, batch_rows=1)
    assert [one.id for one in erasures_of(swept.store, "test:new")] == [4, 3]


def test_a_part_that_is_here_again_is_told(swept: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a restore without the journal would bring it back: the intake does not."""
    swept.keep(talk("other", "s1", day(45), part("a", at=day(45)), part("new", at=day(45))))
    again = {"test:old1": swept.store.conversation("test:other"), "test:old2": swept.store.conversation("test:young")}
    monkeypatch.setattr(swept.store, "conversation", again.get)

    def here(conversation: str | None = None) -> tuple[str, ...]:
        return prove(swept.store, swept.world, log_of(), swept.store.erasure(1), conversation).attempt.here

    assert here() == ("test:old1#a", "test:old2#q", "test:old2#a")
    assert (here("test:old0"), here("test:old1")) == ((), ("test:old1#a",))


def test_without_the_journal_of_the_time_nobody_knows_which_keys_to_try(swept: Provider, tmp_path: Path) -> None:
    elsewhere = replace(swept.world, journal=Journal(tmp_path / "another journal"))
    attempt = prove(swept.store, elsewhere, log_of(), swept.store.erasure(1)).attempt
    assert (attempt.tried, attempt.opened) == (None, 0)
    later = prove(swept.store, swept.world, log_of(), swept.store.erasure(2)).attempt
    assert later.tried == 6, "two parts in each of two conversations, and their titles"


def test_texts_that_others_took_the_place_of_can_be_proven_too(swept: Provider) -> None:
    swept.keep(talk("young", "s1", day(45), part("q", "corrected", day(45)), part("a", at=day(45))))
    assert carry_out(swept.store, swept.world, now=NOW).finished == 1
    newest = swept.store.chained(2, 10)[0]
    assert newest.kind == "replaced"
    found = verify_erasure(proof_of(swept, newest.id), KEYS)
    assert found.proof.stones == ()
