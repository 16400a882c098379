"""spec/vectors/receipt.json is what this code makes of fixed keys and salts. `ASSENT_WRITE=1` writes it anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.receipt_samples import ORIGIN, RECORD, SIGNER, TERMS, Log, document, record_of, salt_of, sample

import assent_verify
from assent.ledger.record import parse_record
from assent.ledger.terms import parse_terms
from assent.ledger.verify import verify_receipt

VECTORS = Path(__file__).resolve().parents[3] / "spec" / "vectors" / "receipt.json"


def made() -> dict[str, object]:
    log = Log()
    return {
        "note": "nine leaves; the salt of leaf n is SHA-256(`salt n`), the key's seed SHA-256(`the example log's key`)",
        "origin": ORIGIN,
        "key": SIGNER.verifier.vkey,
        "records": [record_of(number).encode().decode() for number in range(log.size)],
        "salts": [salt_of(number).hex() for number in range(log.size)],
        "entries": [entry.hex() for entry in log.entries],
        "terms": TERMS.encode().decode(),
        "terms_digest": TERMS.digest,
        "checkpoint": log.checkpoint,
        # one for each status: renewed, refused, given, deferred, withdrawn
        "receipts": {str(number): document(number) for number in (0, 1, 5, 6, 7)},
    }


def test_the_published_vectors_are_what_this_code_makes() -> None:
    text = json.dumps(made(), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("ASSENT_WRITE"):
        VECTORS.parent.mkdir(exist_ok=True)
        VECTORS.write_text(text, encoding="utf-8")
    assert VECTORS.read_text("utf-8") == text


def test_both_verifiers_accept_the_published_receipts() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))
    assert len(vectors["receipts"]) == 5
    for name, receipt in vectors["receipts"].items():
        number = int(name)
        found = verify_receipt(json.dumps(receipt).encode(), [SIGNER.verifier])
        assert (found.receipt.record, found.receipt.proof.index, found.missing) == (record_of(number), number, ())
        assert assent_verify.verify(json.dumps(receipt), vectors["key"])


def test_the_published_texts_are_read_back() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))
    assert parse_record(vectors["records"][5].encode()) == RECORD
    assert parse_terms(vectors["terms"].encode()) == TERMS
    assert json.loads(sample()) == vectors["receipts"]["5"]
