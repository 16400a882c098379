"""The vectors for other implementations are what this one computes, and stock Go accepts the signed ones."""

from __future__ import annotations

import json

import pytest
from tests.conformance.ledger.stock_go import StockGo
from tests.conformance.ledger.write_vectors import ENTRIES, ORIGIN, SIZE, VECTORS, encoded

from assent.domain.errors import Invalid
from assent.ledger.checkpoint import open_checkpoint
from assent.ledger.keys import follow_keys
from assent.ledger.note import open_note, parse_verifier
from assent.ledger.proof import check_proof, parse_proof

WRITTEN = json.loads(VECTORS.read_text("utf-8"))
SIGNED = WRITTEN["signed"]
KEYS = {name: parse_verifier(key["vkey"]) for name, key in SIGNED["keys"].items()}


def test_the_vectors_are_current() -> None:
    assert VECTORS.read_text("utf-8") == encoded(), "run `python -m tests.conformance.ledger.write_vectors` and look"


def test_the_signed_texts_hold() -> None:
    log, successor = KEYS["log"], KEYS["successor"]

    assert open_checkpoint(SIGNED["checkpoint"], [log], ORIGIN).size == SIZE
    assert open_checkpoint(SIGNED["cosigned_checkpoint"], list(KEYS.values()), ORIGIN, quorum=1).size == SIZE
    assert check_proof(parse_proof(SIGNED["proof"]), ENTRIES[257], [log], ORIGIN).size == SIZE
    assert check_proof(parse_proof(SIGNED["proof_with_extra"]), ENTRIES[0], [log], ORIGIN).size == SIZE
    assert follow_keys([SIGNED["key_change"]], log) == [successor]


def test_stock_go_accepts_the_signed_texts(go: StockGo) -> None:
    log, successor = KEYS["log"].vkey, KEYS["successor"].vkey
    text = open_note(SIGNED["checkpoint"], [KEYS["log"]]).text

    assert go("open", log, text=SIGNED["checkpoint"]).stdout == text
    assert go("open", log, successor, text=SIGNED["checkpoint_of_both_keys"]).stdout == text
    assert go("open", log, text=SIGNED["cosigned_checkpoint"]).stdout == text
    assert go("open", log, text=SIGNED["key_change"]).stdout.startswith("assent/keys/v1\n")
    cosigned = go("cosigned", KEYS["witness_ed25519"].vkey, text=SIGNED["cosigned_checkpoint"])
    assert cosigned.stdout == f"{SIGNED['cosigned_at']}\n"


CHECKS = {
    "checkpoint": lambda text: open_checkpoint(text, list(KEYS.values()), ORIGIN),
    "proof": lambda text: check_proof(parse_proof(text), ENTRIES[257], [KEYS["log"]], ORIGIN),
    "vkey": parse_verifier,
}


@pytest.mark.parametrize("case", WRITTEN["refused"], ids=lambda case: f"{case['kind']}: {case['because']}")
def test_what_is_to_be_refused_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        CHECKS[case["kind"]](case["text"])
