"""Keys change only by the word of the key that goes, and an old checkpoint keeps the key it had."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.keys import MAX_KEYS, KeyChange, follow_keys, parse_key_change
from assent.ledger.note import COSIGNATURE_ML_DSA_44, Signer, new_signer, sign_note

ORIGIN = "log.example/a"
KEYS = [new_signer(ORIGIN, bytes([number]) * 32) for number in range(20)]
FIRST, SECOND, THIRD, FOURTH = KEYS[:4]


def change(size: int, outgoing: Signer, *incoming: Signer) -> str:
    return sign_note(KeyChange(ORIGIN, size, tuple(key.verifier for key in incoming)).text, [outgoing])


NOTES = [change(100, FIRST, SECOND), change(200, SECOND, THIRD, FOURTH)]


def verifiers(*signers: Signer) -> list[object]:
    return [signer.verifier for signer in signers]


def test_without_a_change_the_trusted_key_stays() -> None:
    assert follow_keys([], FIRST.verifier) == verifiers(FIRST)
    assert follow_keys([], FIRST.verifier, size=7) == verifiers(FIRST)


def test_the_newest_keys_are_found_through_every_change() -> None:
    assert follow_keys(NOTES, FIRST.verifier) == verifiers(THIRD, FOURTH)
    assert follow_keys(NOTES[1:], SECOND.verifier) == verifiers(THIRD, FOURTH)


@pytest.mark.parametrize(
    ("size", "signers"),
    [
        (0, [FIRST]),
        (99, [FIRST]),
        (100, [FIRST, SECOND]),
        (101, [SECOND]),
        (200, [SECOND, THIRD, FOURTH]),
        (201, [THIRD, FOURTH]),
    ],
)
def test_a_checkpoint_of_a_size_has_the_keys_of_its_time(size: int, signers: list[Signer]) -> None:
    assert follow_keys(NOTES, FIRST.verifier, size=size) == verifiers(*signers)


def test_two_changes_at_one_size_leave_all_three_keys_in_force_at_it() -> None:
    notes = [change(100, FIRST, SECOND), change(100, SECOND, THIRD)]

    assert follow_keys(notes, FIRST.verifier, size=100) == verifiers(FIRST, SECOND, THIRD)
    assert follow_keys(notes, FIRST.verifier, size=101) == verifiers(THIRD)


def test_a_key_can_change_before_the_first_entry() -> None:
    assert follow_keys([change(0, FIRST, SECOND)], FIRST.verifier) == verifiers(SECOND)
    assert follow_keys([change(0, FIRST, SECOND)], FIRST.verifier, size=0) == verifiers(FIRST, SECOND)


def test_a_key_that_stays_is_named_once() -> None:
    assert follow_keys([change(5, FIRST, FIRST, SECOND)], FIRST.verifier, size=5) == verifiers(FIRST, SECOND)


def test_either_of_two_keys_in_force_may_hand_over() -> None:
    notes = [*NOTES, change(300, FOURTH, FIRST)]

    assert follow_keys(notes, FIRST.verifier) == verifiers(FIRST)


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ([change(100, SECOND, SECOND)], "no known key signed"),
        ([NOTES[0], change(200, FIRST, THIRD)], "no known key signed"),
        ([NOTES[1]], "no known key signed"),
        ([NOTES[0], change(99, SECOND, THIRD)], "starts before the one it follows"),
        ([NOTES[0].replace("\n100\n", "\n10\n")], "does not hold"),
        ([KeyChange(ORIGIN, 1, (SECOND.verifier,)).text], "no signature lines"),
        ([sign_note("assent/keys/v2\n", [FIRST])], "no change of keys"),
    ],
)
def test_a_broken_chain_of_changes_is_refused(notes: list[str], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        follow_keys(notes, FIRST.verifier)


def test_a_key_of_another_log_hands_over_nothing() -> None:
    other = new_signer("log.example/b", b"\7" * 32)
    theirs = KeyChange(other.name, 1, (other.verifier,))
    with pytest.raises(Invalid, match="not about the log"):
        follow_keys([sign_note(theirs.text, [FIRST])], FIRST.verifier)


@given(st.integers(0, 2**63 - 1), st.lists(st.sampled_from(KEYS), min_size=1, max_size=MAX_KEYS, unique=True))
def test_a_change_reads_back(size: int, keys: list[Signer]) -> None:
    made = KeyChange(ORIGIN, size, tuple(key.verifier for key in keys))

    assert parse_key_change(made.text) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "assent/keys/v1\n",
        f"assent/keys/v1\n{ORIGIN}\n1\n",
        f"assent/keys/v1\n{ORIGIN}\n1\n\n",
        f"assent/keys/v1\n{ORIGIN}\n1\n{FIRST.verifier.vkey}",
        f"assent/keys/v1\n{ORIGIN}\n01\n{FIRST.verifier.vkey}\n",
        f"assent/keys/v1\n{ORIGIN}\n1\n{FIRST.verifier.vkey}\n{FIRST.verifier.vkey}\n",
        f"assent/keys/v1\nlog.example/b\n1\n{FIRST.verifier.vkey}\n",
        f"assent/keys/v2\n{ORIGIN}\n1\n{FIRST.verifier.vkey}\n",
    ],
)
def test_any_other_text_is_no_change_of_keys(text: str) -> None:
    with pytest.raises(Invalid):
        parse_key_change(text)


@pytest.mark.parametrize(("size", "count"), [(-1, 1), (2**63, 1), (0, 0), (0, MAX_KEYS + 1)])
def test_a_change_that_cannot_be_is_refused(size: int, count: int) -> None:
    with pytest.raises(Invalid, match="does not name 1 to"):
        KeyChange(ORIGIN, size, tuple(key.verifier for key in KEYS[:count]))


def test_a_log_can_add_a_key_of_another_type_beside_one_that_can_hand_over() -> None:
    safe = new_signer(ORIGIN, b"\x08" * 32, COSIGNATURE_ML_DSA_44)
    notes = [change(10, FIRST, FIRST, safe), change(20, FIRST, SECOND, safe)]

    assert follow_keys(notes, FIRST.verifier) == verifiers(SECOND, safe)
    with pytest.raises(Invalid, match="names no Ed25519 key"):
        change(20, FIRST, safe)
    with pytest.raises(Invalid, match="not a plain decimal"):
        change(20, safe, FIRST)
