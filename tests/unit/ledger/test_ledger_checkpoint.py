"""A checkpoint speaks for one log, in that log's own name, and a proof holds for one entry in it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from assent.ledger.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, root
from assent.ledger.note import COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44, new_signer, sign_note
from assent.ledger.proof import MAX_EXTRA_BYTES, MAX_HASHES, Proof, check_proof, parse_proof
from assent.ledger.tiles import grow, tile_reader

ORIGIN = "log.example/a"
LOG = new_signer(ORIGIN, b"\1" * 32)
ROTATED = new_signer(ORIGIN, b"\2" * 32)
WITNESSES = [
    new_signer("witness.example/w1", b"\3" * 32, COSIGNATURE_ED25519),
    new_signer("witness.example/w2", b"\4" * 32, COSIGNATURE_ML_DSA_44),
]
TRUSTED = [signer.verifier for signer in (LOG, *WITNESSES)]

SIZE = 300
ENTRIES = [bytes([number % 256]) * 32 for number in range(SIZE)]
TILES = grow(0, {}, [leaf_hash(entry) for entry in ENTRIES])
read = tile_reader(lambda level, number: TILES[level, number])
CHECKPOINT = Checkpoint(ORIGIN, SIZE, root(SIZE, read))
NOTE = sign_note(CHECKPOINT.text, [LOG])


def proof_of(index: int) -> Proof:
    return Proof(index, tuple(inclusion_proof(index, SIZE, read)), NOTE)


lines = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)


@given(lines, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_a_checkpoint_reads_back(origin: str, size: int, hash_: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, hash_, tuple(extensions))

    assert parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "fewer than three lines"),
        ("a\n1\n", "fewer than three lines"),
        (CHECKPOINT.text[:-1], "fewer than three lines"),
        (CHECKPOINT.text + "extension", "fewer than three lines"),
        (CHECKPOINT.text.replace("300", "0300"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", "+300"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", "-300"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", " 300"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", "3_00"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", "\u0663"), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", str(2**63)), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", "9" * 5000), "not a plain decimal"),
        (CHECKPOINT.text.replace("300", ""), "not a plain decimal"),
        (CHECKPOINT.text.replace("=", ""), "not canonical base64"),
        (CHECKPOINT.text.replace("=\n", "=\n\nextension\n"), "line of the checkpoint is empty"),
        ("\n" + CHECKPOINT.text.partition("\n")[2], "line of the checkpoint is empty"),
        ("a\n1\nAAAA\n", "not 32 bytes"),
    ],
)
def test_any_other_text_is_no_checkpoint(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_checkpoint(text)


def test_a_root_has_one_spelling() -> None:
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text
    with pytest.raises(Invalid, match="not canonical base64"):
        parse_checkpoint(text.replace("U=\n", "V=\n"))


@pytest.mark.parametrize(("origin", "extensions"), [("a\nb", ()), ("a", ("b\nc",)), ("", ()), ("a", ("",))])
def test_a_line_that_is_no_line_is_refused(origin: str, extensions: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="line of the checkpoint"):
        Checkpoint(origin, 0, EMPTY_ROOT, extensions)


@pytest.mark.parametrize("size", [-1, 2**63])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(Invalid, match="no possible size"):
        Checkpoint(ORIGIN, size, EMPTY_ROOT)


def test_the_log_must_have_signed_itself() -> None:
    cosigned = CHECKPOINT.text + "\n" + WITNESSES[0].sign(CHECKPOINT.text, at=1)

    assert open_checkpoint(NOTE, TRUSTED, ORIGIN) == CHECKPOINT
    with pytest.raises(Invalid, match="did not sign its checkpoint"):
        open_checkpoint(cosigned, TRUSTED, ORIGIN)


def test_a_checkpoint_of_another_log_is_refused_also_under_the_right_key() -> None:
    other = sign_note(replace(CHECKPOINT, origin="log.example/b").text, [LOG])
    with pytest.raises(Invalid, match="another log"):
        open_checkpoint(other, TRUSTED, ORIGIN)


def test_cosignatures_of_trusted_witnesses_count_each_once() -> None:
    first, second = (witness.sign(CHECKPOINT.text, at=5) for witness in WITNESSES)
    stranger = new_signer("witness.example/w3", b"\5" * 32, COSIGNATURE_ED25519).sign(CHECKPOINT.text, at=5)
    again = WITNESSES[0].sign(CHECKPOINT.text, at=6)

    assert open_checkpoint(NOTE + first + second, TRUSTED, ORIGIN, quorum=2) == CHECKPOINT
    for few in ("", first, first + again, first + stranger):
        with pytest.raises(Invalid, match="2 are needed"):
            open_checkpoint(NOTE + few, TRUSTED, ORIGIN, quorum=2)


def test_an_ordinary_signature_of_somebody_else_is_no_cosignature() -> None:
    other = new_signer("witness.example/w1", b"\7" * 32)
    with pytest.raises(Invalid, match="0 trusted witnesses"):
        open_checkpoint(NOTE + other.sign(CHECKPOINT.text), [LOG.verifier, other.verifier], ORIGIN, quorum=1)


def test_a_cosignature_in_the_name_of_the_log_is_no_witness() -> None:
    own = new_signer(ORIGIN, b"\6" * 32, COSIGNATURE_ML_DSA_44)
    note = sign_note(CHECKPOINT.text, [LOG, own])

    assert open_checkpoint(note, [own.verifier], ORIGIN) == CHECKPOINT
    with pytest.raises(Invalid, match="0 trusted witnesses"):
        open_checkpoint(note, [LOG.verifier, own.verifier], ORIGIN, quorum=1)


def test_a_log_may_sign_with_its_old_and_its_new_key() -> None:
    note = sign_note(CHECKPOINT.text, [LOG, ROTATED])

    assert open_checkpoint(note, [LOG.verifier], ORIGIN) == open_checkpoint(note, [ROTATED.verifier], ORIGIN)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 298, 299])
def test_a_proof_holds_for_its_entry_and_reads_back(index: int) -> None:
    proof = proof_of(index)

    assert parse_proof(proof.text) == proof
    assert check_proof(proof, ENTRIES[index], TRUSTED, ORIGIN) == CHECKPOINT


@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_a_proof_holds_for_no_other_entry(index: int, other: int) -> None:
    proof = proof_of(index)
    if ENTRIES[index] == ENTRIES[other]:
        assert check_proof(proof, ENTRIES[other], TRUSTED, ORIGIN) == CHECKPOINT
        return
    with pytest.raises(Invalid, match="is not this entry"):
        check_proof(proof, ENTRIES[other], TRUSTED, ORIGIN)


@given(st.integers(0, SIZE - 1), st.data())
def test_a_proof_with_one_changed_character_does_not_hold(index: int, data: st.DataObject) -> None:
    text = proof_of(index).text
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(codec="utf-8"))
    changed = text[:place] + character + text[place + 1 :]
    if changed != text:
        with pytest.raises(Invalid):
            check_proof(parse_proof(changed), ENTRIES[index], TRUSTED, ORIGIN)


def test_the_proof_of_an_only_entry_has_no_hashes() -> None:
    checkpoint = Checkpoint(ORIGIN, 1, leaf_hash(b"only"))
    proof = Proof(0, (), sign_note(checkpoint.text, [LOG]))

    assert parse_proof(proof.text) == proof
    assert check_proof(proof, b"only", TRUSTED, ORIGIN) == checkpoint


def test_a_proof_can_be_asked_for_witnesses() -> None:
    proof = proof_of(5)
    cosigned = replace(proof, checkpoint=NOTE + WITNESSES[0].sign(CHECKPOINT.text, at=5))

    assert check_proof(cosigned, ENTRIES[5], TRUSTED, ORIGIN, quorum=1) == CHECKPOINT
    with pytest.raises(Invalid, match="1 are needed"):
        check_proof(proof, ENTRIES[5], TRUSTED, ORIGIN, quorum=1)


def test_empty_extra_data_is_none() -> None:
    assert parse_proof(replace(proof_of(5), extra=b"").text).extra is None


def test_a_proof_for_a_leaf_beyond_the_log_is_refused() -> None:
    with pytest.raises(Invalid, match="leaf `300` of a log of `300`"):
        check_proof(replace(proof_of(0), index=300), ENTRIES[0], TRUSTED, ORIGIN)


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(min_size=1))
def test_every_proof_reads_back_also_with_extra_data(index: int, hashes: list[bytes], extra: bytes) -> None:
    proof = Proof(index, tuple(hashes), NOTE, extra)

    assert parse_proof(proof.text) == proof


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2", "does not start with"),
        ("c2sp.org/tlog-proof@v1\n", "", "does not start with"),
        ("index 5", "index 05", "not a plain decimal"),
        ("index 5", "index  5", "not a plain decimal"),
        ("index 5\n", "", "names no index"),
        ("index 5", "extra \nindex 5", "extra data is not canonical"),
        ("index 5", "extra AAB=\nindex 5", "extra data is not canonical"),
        ("index 5", "extra AAA=\nextra AAA=\nindex 5", "names no index"),
        ("index 5", "index 5\nextra AAA=", "not canonical base64"),
        ("index 5", "index 5\nAAAA", "not 32 bytes"),
        ("\n\n", "\n", "does not start with"),
    ],
)
def test_any_other_text_is_no_proof(old: str, new: str, reason: str) -> None:
    text = proof_of(5).text
    assert old in text
    with pytest.raises(Invalid, match=reason):
        parse_proof(text.replace(old, new) if old != "\n\n" else text.replace("\n\n", "\n"))


def test_a_proof_of_a_tree_higher_than_any_is_refused() -> None:
    with pytest.raises(Invalid, match=f"more than {MAX_HASHES} hashes"):
        parse_proof(Proof(0, (bytes(32),) * (MAX_HASHES + 1), NOTE).text)


def test_the_largest_proof_there_can_be_reads_back() -> None:
    proof = Proof(2**63 - 1, (bytes(32),) * MAX_HASHES, NOTE, bytes(MAX_EXTRA_BYTES))
    assert parse_proof(proof.text) == proof


def test_a_proof_of_any_length_is_not_read() -> None:
    chance = random.Random(0)
    with pytest.raises(Invalid, match="extra data is longer"):
        parse_proof(Proof(0, (), NOTE, chance.randbytes(MAX_EXTRA_BYTES + 1)).text)
    with pytest.raises(Invalid, match="proof is longer"):
        parse_proof(proof_of(0).text + "a" * 2_000_000)
