"""A note holds only when every known key on it did sign it, and has one spelling."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.cosignature import ed25519_message
from assent.ledger.note import (
    COSIGNATURE_ED25519,
    COSIGNATURE_ML_DSA_44,
    ED25519,
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Signer,
    Verifier,
    new_signer,
    open_note,
    parse_signer,
    parse_verifier,
    sign_note,
)

LOG = new_signer("log.example/a", b"\1" * 32)
OTHER = new_signer("log.example/a", b"\2" * 32)
WITNESS = new_signer("witness.example/w1", b"\3" * 32, COSIGNATURE_ED25519)
PQ_WITNESS = new_signer("witness.example/w2", b"\4" * 32, COSIGNATURE_ML_DSA_44)
TEXT = "log.example/a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
NOTE = sign_note(TEXT, [LOG])
ALL = [signer.verifier for signer in (LOG, OTHER, WITNESS, PQ_WITNESS)]

# Text that a note can carry: no control characters but newline, no lone surrogates.
characters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
texts = st.text(characters | st.just("\n")).map(lambda text: text + "\n")
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1).filter(
    lambda name: "+" not in name
)
seeds = st.binary(min_size=32, max_size=32)


@given(texts, names, seeds)
def test_a_signed_note_opens_to_its_text(text: str, name: str, seed: bytes) -> None:
    signer = new_signer(name, seed)
    opened = open_note(sign_note(text, [signer]), [signer.verifier])

    assert (opened.text, opened.verified) == (text, (name,))


@given(names, seeds, st.sampled_from([ED25519, COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44]))
def test_keys_read_back_from_their_text_forms(name: str, seed: bytes, algorithm: int) -> None:
    signer = new_signer(name, seed, algorithm)

    assert parse_signer(signer.encode()) == signer
    assert parse_verifier(signer.verifier.vkey) == signer.verifier


@given(st.data())
def test_a_note_with_one_changed_character_does_not_open(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(NOTE) - 1))
    character = data.draw(characters | st.just("\n"))
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed != NOTE:
        with pytest.raises(Invalid):
            open_note(changed, [LOG.verifier])


@given(st.integers(0, len(NOTE) - 1))
def test_a_note_that_is_cut_off_does_not_open(end: int) -> None:
    with pytest.raises(Invalid):
        open_note(NOTE[:end], [LOG.verifier])


@given(st.text(max_size=300))
def test_any_other_text_is_no_note(text: str) -> None:
    with pytest.raises(Invalid):
        open_note(text, ALL)


def test_several_keys_sign_one_note_and_each_is_named_once() -> None:
    note = sign_note(TEXT, [LOG, OTHER, WITNESS, PQ_WITNESS])
    opened = open_note(note, ALL)

    assert [signed.verifier for signed in opened.signatures] == ALL
    assert opened.verified == ("log.example/a", "witness.example/w1", "witness.example/w2")


def test_lines_of_unknown_keys_are_ignored_also_when_they_share_the_name_or_the_id() -> None:
    same_id = f"— somebody.example/else {NOTE.rsplit(' ', 1)[1]}"
    opened = open_note(NOTE + OTHER.sign(TEXT) + same_id, [LOG.verifier])

    assert [signed.verifier for signed in opened.signatures] == [LOG.verifier]


def test_one_signature_of_a_known_key_that_does_not_hold_spoils_the_note() -> None:
    wrong = OTHER.sign("another text\n")
    for note in (NOTE + wrong, sign_note(TEXT, [OTHER]) + wrong):
        with pytest.raises(Invalid, match=r"the signature of `log\.example/a` does not hold"):
            open_note(note, ALL)


def test_a_note_that_no_known_key_signed_does_not_open() -> None:
    with pytest.raises(Invalid, match="no known key signed"):
        open_note(NOTE, [OTHER.verifier])
    with pytest.raises(Invalid, match="no known key signed"):
        open_note(NOTE, [])


@pytest.mark.parametrize(
    ("signer", "at"), [(WITNESS, 1), (WITNESS, 2**63 - 1), (PQ_WITNESS, 0), (PQ_WITNESS, 1_679_315_147)]
)
def test_a_cosignature_says_when_it_was_made(signer: Signer, at: int) -> None:
    opened = open_note(NOTE + signer.sign(TEXT, at=at), ALL)

    assert [signed.at for signed in opened.signatures] == [0, at]


@pytest.mark.parametrize("signer", [WITNESS, PQ_WITNESS])
def test_a_cosignature_with_another_time_does_not_hold(signer: Signer) -> None:
    head, encoded = signer.sign(TEXT, at=1_679_315_147).rsplit(" ", 1)
    blob = bytearray(base64.b64decode(encoded))
    for at in (1_679_315_148, 2**63):
        blob[4:12] = at.to_bytes(8, "big")
        with pytest.raises(Invalid, match="does not hold"):
            open_note(f"{NOTE}{head} {base64.b64encode(blob).decode()}\n", ALL)


def test_a_cosignature_later_than_any_time_does_not_hold() -> None:
    at = 2**63
    signature = Ed25519PrivateKey.from_private_bytes(WITNESS.seed).sign(ed25519_message(TEXT, at))
    blob = WITNESS.verifier.key_id + at.to_bytes(8, "big") + signature
    with pytest.raises(Invalid, match="does not hold"):
        open_note(f"{NOTE}— {WITNESS.name} {base64.b64encode(blob).decode()}\n", ALL)


@pytest.mark.parametrize("signer", [LOG, WITNESS, PQ_WITNESS])
def test_a_signature_that_is_cut_off_or_longer_does_not_hold(signer: Signer) -> None:
    head, encoded = signer.sign(TEXT, at=1).rsplit(" ", 1)
    blob = base64.b64decode(encoded)
    for changed in (blob[:-1], blob + b"\0", blob[:5], blob[:12]):
        with pytest.raises(Invalid, match="does not hold"):
            open_note(f"{TEXT}\n{head} {base64.b64encode(changed).decode()}\n", ALL)


@pytest.mark.parametrize("at", [-1, 2**63])
def test_a_time_that_cannot_be_is_not_signed(at: int) -> None:
    with pytest.raises(Invalid, match="no time of a cosignature"):
        WITNESS.sign(TEXT, at=at)


def test_a_key_of_one_type_does_not_verify_signatures_of_another() -> None:
    as_log = new_signer(WITNESS.name, WITNESS.seed)
    with pytest.raises(Invalid, match="no known key signed"):
        open_note(sign_note(TEXT, [as_log]), [WITNESS.verifier])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (NOTE.rstrip("\n"), "no signature lines"),
        (TEXT, "no signature lines"),
        (TEXT + "\n", "no signature lines"),
        (NOTE + "\n", "no signature lines"),
        (NOTE.replace("—", "-"), "not an em dash"),
        (NOTE + "— log.example/a\n", "not an em dash"),
        (NOTE + "—  AAAAAAA=\n", "name is empty"),
        (NOTE + "— a+b AAAAAAA=\n", "a plus"),
        (NOTE + "— a\u00a0b AAAAAAA=\n", "a space"),
        (NOTE + "— a AAAAAA==\n", "too short"),
        (NOTE + "— a AAAAAAB=\n", "not canonical base64"),
        (NOTE + "— a AAAAAAA\n", "not canonical base64"),
        (NOTE + "— a AAAAAAA= \n", "not canonical base64"),
        (NOTE + "— a AAAA_AA=\n", "not canonical base64"),
        (NOTE.replace("\n", "\r\n"), "control characters"),
        ("\t" + NOTE, "control characters"),
        ("\x00" + NOTE, "control characters"),
        ("\ud800" + NOTE, "not UTF-8"),
        (NOTE + "— a AAAAAAA=\n" * MAX_SIGNATURES, f"more than {MAX_SIGNATURES} signatures"),
        ("a" * MAX_NOTE_BYTES + NOTE, f"longer than {MAX_NOTE_BYTES} bytes"),
        ("é" * (MAX_NOTE_BYTES // 2) + NOTE, f"longer than {MAX_NOTE_BYTES} bytes"),
    ],
)
def test_a_malformed_note_is_refused_with_one_reason(changed: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        open_note(changed, [LOG.verifier])


def test_as_many_signatures_as_the_limit_are_read() -> None:
    assert open_note(NOTE + "— a AAAAAAA=\n" * (MAX_SIGNATURES - 1), [LOG.verifier]).text == TEXT


def test_the_text_ends_at_the_last_empty_line() -> None:
    text = "a\n\n— b AAAAAAA=\n\n"

    assert open_note(sign_note(text, [LOG]), [LOG.verifier]).text == text


@pytest.mark.parametrize("text", ["no newline", "", "tab\there\n"])
def test_text_that_no_note_can_carry_is_not_signed(text: str) -> None:
    with pytest.raises(Invalid):
        sign_note(text, [LOG])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "log.example/a",
        LOG.verifier.vkey.replace("+", "-", 1),
        LOG.verifier.vkey.replace("log", "dog"),
        LOG.verifier.vkey.upper(),
        LOG.verifier.vkey + "\n",
        LOG.verifier.vkey[:-4],
        "a b" + LOG.verifier.vkey,
        OTHER.verifier.vkey.replace(OTHER.verifier.key_id.hex(), LOG.verifier.key_id.hex()),
        "log.example/a+00000000+" + base64.b64encode(b"\2" + bytes(32)).decode(),
        "log.example/a+00000000+" + base64.b64encode(b"\1").decode(),
    ],
)
def test_any_other_text_is_no_public_key(vkey: str) -> None:
    with pytest.raises(Invalid):
        parse_verifier(vkey)


@pytest.mark.parametrize(
    "text",
    ["", LOG.verifier.vkey, LOG.encode()[:-4], LOG.encode() + "\n", LOG.encode().replace("log", "dog"), "PRIVATE+KEY+"],
)
def test_any_other_text_is_no_private_key(text: str) -> None:
    with pytest.raises(Invalid):
        parse_signer(text)


@pytest.mark.parametrize("read", [parse_verifier, parse_signer])
def test_a_key_that_is_cut_off_is_said_to_be_the_key(read: Callable[[str], object]) -> None:
    text = LOG.verifier.vkey if read is parse_verifier else LOG.encode()
    with pytest.raises(Invalid, match=r"^the key is not canonical base64$"):
        read(text[:-1])


def test_a_private_key_shows_itself_in_no_message() -> None:
    secret = LOG.encode().rsplit("+", 1)[1]
    with pytest.raises(Invalid) as raised:
        parse_signer(LOG.encode().replace("log", "dog"))

    assert secret not in str(raised.value) + raised.value.fix
    assert repr(LOG) == "Signer('log.example/a', type 1)"


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_of_another_length_makes_no_key(seed: bytes) -> None:
    with pytest.raises(Invalid, match="not a seed of 32 bytes"):
        new_signer("log.example/a", seed)


def test_two_keys_with_one_name_and_id_are_never_told_apart_by_chance() -> None:
    class Colliding(Verifier):
        @property
        def key_id(self) -> bytes:
            return LOG.verifier.key_id

    collision = Colliding(LOG.name, ED25519, OTHER.verifier.public_key)
    with pytest.raises(Invalid, match="two different keys"):
        open_note(NOTE, [LOG.verifier, collision])
    assert open_note(NOTE, [LOG.verifier, LOG.verifier]).verified == (LOG.name,)


def test_bytes_that_are_no_point_of_the_curve_verify_nothing() -> None:
    key = Verifier("log.example/a", ED25519, b"\xff" * 32)
    line = "— log.example/a " + base64.b64encode(key.key_id + bytes(64)).decode()
    with pytest.raises(Invalid, match="does not hold"):
        open_note(f"{TEXT}\n{line}\n", [key])
