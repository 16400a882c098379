"""Sealed records: what goes in comes out, and nothing else opens."""

import random
from importlib.metadata import version

import pytest
import zstandard
from benchmarks.make_dictionary import IDENTITY, SEED, TALKS, texts
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.vaults import SEALING

from assent.domain.errors import AssentError
from assent.vault.sealing import Sealing, shipped_dictionary

KEY = bytes(range(32))


@given(st.text(st.characters(codec=None)), st.integers(0, 2**63 - 1))
def test_a_text_comes_back_as_it_was(text: str, slot: int) -> None:
    assert SEALING.open([(slot, KEY, SEALING.seal([(slot, KEY, text)])[0])]) == [text]


def test_a_lone_surrogate_and_a_long_text_come_back() -> None:
    for text in ("\ud800", "x" * 3_000_000, ""):
        assert SEALING.open([(1, KEY, SEALING.seal([(1, KEY, text)])[0])]) == [text]


@pytest.mark.parametrize("damage", [0, 1, -1])
def test_a_record_with_one_wrong_byte_does_not_open(damage: int) -> None:
    record = bytearray(SEALING.seal([(5, KEY, "what was said")])[0])
    record[damage] ^= 1
    with pytest.raises(AssentError, match="the record of slot `5`"):
        SEALING.open([(5, KEY, bytes(record))])


def test_a_record_opens_under_its_own_slot_and_key_alone() -> None:
    record = SEALING.seal([(5, KEY, "what was said")])[0]
    for slot, key in ((6, KEY), (5, bytes(32))):
        with pytest.raises(AssentError, match=f"the record of slot `{slot}` does not open with its key"):
            SEALING.open([(slot, key, record)])
    with pytest.raises(AssentError, match="slot `5` does not open"):
        SEALING.open([(5, KEY, b"\x01")])


def test_a_record_is_made_as_its_description_says() -> None:
    record = SEALING.seal([(77, KEY, "plain words")])[0]
    frame = AESGCM(KEY).decrypt(bytes(12), record[1:], b"assent/part/v1" + (77).to_bytes(8, "big"))
    assert record[0] == 1
    assert zstandard.get_frame_parameters(frame).dict_id == SEALING.dictionary == IDENTITY
    dictionary = zstandard.ZstdCompressionDict(shipped_dictionary())
    assert zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame) == b"plain words"


def test_a_record_names_the_dictionary_it_wants() -> None:
    samples = [random.Random(n).randbytes(40) * 5 for n in range(500)]
    other = Sealing(zstandard.train_dictionary(4_096, samples, dict_id=40_000).as_bytes())
    record = SEALING.seal([(1, KEY, "sealed with the one that ships " * 3)])[0]
    with pytest.raises(AssentError, match=f"the record of slot `1` wants dictionary `{IDENTITY}`"):
        other.open([(1, KEY, record)])


def test_the_dictionary_holds_nothing_but_made_up_talk() -> None:
    made_up = "\n".join(texts(SEED, TALKS)).encode()
    content = shipped_dictionary()[1_024:]  # before it: tables of how often what occurs, no text
    pieces = [content[at : at + 8] for at in range(0, len(content) - 8, 8)]
    found = sum(piece in made_up for piece in pieces)
    # a piece that lies across the seam of two samples is in neither
    assert found / len(pieces) > 0.9, version("zstandard")
