"""What strangers verify: notes, checkpoints, proofs, tiles, receipts, records of erasures, proofs of membership."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import assent_verify
from assent.domain.digests import digest_bytes
from assent.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from assent.ledger.erasure import pack, parse_erasure, unpack
from assent.ledger.erasure_proof import ErasureProof, Stone, read_erasure_proof, verify_erasure
from assent.ledger.keys import follow_keys, parse_key_change
from assent.ledger.membership import (
    CutName,
    MemberTree,
    check_manifest,
    names_of,
    person_key,
    prove_member,
    read_member,
    verify_proof,
)
from assent.ledger.note import new_signer, open_note, parse_signer, parse_verifier, sign_note, split_note
from assent.ledger.proof import parse_proof
from assent.ledger.receipt import encode_receipt, read_receipt, write_receipt
from assent.ledger.record import parse_record
from assent.ledger.terms import parse_terms
from assent.ledger.tiles import bundle, parse_path, read_bundle
from assent.ledger.verify import verify_receipt
from tests.fuzz.target import DEEP, REPOSITORY, Target, quietly, text

VECTORS: dict[str, Any] = {
    name: json.loads((REPOSITORY / "spec" / "vectors" / f"{name}.json").read_text())
    for name in ("ledger", "receipt", "erasure")
}
SIGNED = VECTORS["ledger"]["signed"]
KEYS = [parse_verifier(key["vkey"]) for key in SIGNED["keys"].values()]
LOG = parse_signer(SIGNED["keys"]["log"]["private"])
SEED = hashlib.sha256(b"fuzz").digest()
SIGNER = new_signer("log.example/a", SEED)


def texts_in(value: Any) -> Iterator[str]:
    """Give every text of the vectors that is longer than a word."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, str) and len(value) > 20:
        yield value
    for one in inner:
        yield from texts_in(one)


def notes() -> Iterator[bytes]:
    return (said.encode() for said in texts_in(SIGNED) if "\n" in said)


def change_of_keys() -> list[bytes]:
    """Give the text of a change without its signature."""
    return [SIGNED["key_change"].partition("\n\n")[0].encode() + b"\n"]


def proofs() -> list[bytes]:
    return [SIGNED["proof"].encode(), SIGNED["proof_with_extra"].encode()]


def note(said: str) -> None:
    """Open a note, and one that is signed anew: then what it says is read, not only its signature."""
    own, lines = split_note(said)
    assert own.endswith("\n")
    assert 1 <= len(lines) <= 100
    opened = open_note(sign_note(own, [SIGNER]), [SIGNER.verifier])
    assert opened.text == own
    open_note(said, KEYS)


def checkpoint(said: str) -> None:
    found = parse_checkpoint(said)
    assert found.text == said
    assert open_checkpoint(sign_note(said, [SIGNER]), [SIGNER.verifier], "log.example/a") == found


def proof(said: str) -> None:
    found = parse_proof(said)
    assert parse_proof(found.text) == found


def key_change(said: str) -> None:
    assert parse_key_change(said).text == said
    follow_keys([sign_note(said, [LOG])], LOG.verifier)


def entries(data: bytes) -> None:
    assert bundle(read_bundle(data)) == data


def receipt(data: bytes) -> None:
    found = read_receipt(data)
    again = encode_receipt(write_receipt(found))
    assert read_receipt(again) == found
    verify_receipt(data, ())
    verify_receipt(data, [parse_verifier(VECTORS["receipt"]["key"])])


def receipts() -> list[bytes]:
    return [json.dumps(one).encode() for one in VECTORS["receipt"]["receipts"].values()]


def both_verifiers(said: str) -> None:
    """Two programs that share no code agree on what holds."""
    try:
        verify_receipt(said.encode(), ())
        ours = True
    except Exception:  # noqa: BLE001 - looked at by the target `receipt`
        ours = False
    try:
        assent_verify.verify(said, None)
        theirs = True
    except assent_verify.NotValid as no:
        theirs = no.status == 4  # not signed by anybody that was named
    except assent_verify.UNFIT:
        theirs = False
    assert ours == theirs


def membership(data: bytes) -> None:
    found = read_member(data)
    verify_proof(found)
    for manifest in (data, b"[]", b"[" * DEEP):
        named = replace(found, manifest=digest_bytes(manifest))
        quietly(lambda named=named, manifest=manifest: check_manifest(named, manifest))


def slots(data: bytes) -> None:
    """Read slots that do not follow each other by the million: so many are a length of few bytes, and rightly so."""
    if len(data) < 1_000 and data.isascii():
        assert pack(unpack(data)) == data


def erasure_proof(data: bytes) -> None:
    assert read_erasure_proof(data).encode() == data.rstrip(b"\n")
    quietly(lambda: verify_erasure(data, ()))


def of_erasure() -> list[bytes]:
    vectors = VECTORS["erasure"]
    stone = Stone(0, "chat:0", "m1", datetime(2026, 3, 1, tzinfo=UTC), "base", "sha256:0", bytes(32), (bytes(32),))
    record = parse_erasure(vectors["record"].encode())
    return [record.encode(), ErasureProof(record, bytes(32), SIGNED["proof"], (stone,)).encode()]


def members() -> list[bytes]:
    tree = MemberTree(names_of(SEED, [(f"chat-{number}", f"person-{number}") for number in range(5)]))
    cut = CutName("spring", 3, "sha256:" + "a" * 64)
    return [prove_member(tree, cut, person_key(SEED, f"person-{number}"), None).encode() for number in (1, 9)]


def paths(said: str) -> None:
    assert parse_path(said).path == said


TARGETS = [
    Target("note", text(note), notes),
    Target("checkpoint", text(checkpoint), [Checkpoint("log.example/a", 7, bytes(32), ("x",)).text.encode()]),
    Target("tlog-proof", text(proof), proofs),
    Target("key-change", text(key_change), change_of_keys),
    Target("public-key", text(parse_verifier), [key["vkey"].encode() for key in SIGNED["keys"].values()]),
    Target("private-key", text(parse_signer), [key["private"].encode() for key in SIGNED["keys"].values()]),
    Target("tile-path", text(paths), [one.encode() for one in VECTORS["ledger"]["tiles"]]),
    Target("bundle", entries, [bytes.fromhex(VECTORS["ledger"]["bundle"]["bundle"])]),
    Target("receipt", receipt, receipts),
    Target("receipt-by-both", text(both_verifiers), receipts),
    Target("choice-record", parse_record, [one.encode() for one in VECTORS["receipt"]["records"]]),
    Target("terms", parse_terms, [VECTORS["receipt"]["terms"].encode()]),
    Target("erasure-record", parse_erasure, lambda: of_erasure()[:1]),
    Target("erasure-proof", erasure_proof, lambda: of_erasure()[1:]),
    Target("erased-slots", slots, [bytes.fromhex(one["packed"]) for one in VECTORS["erasure"]["slots"]]),
    Target("membership", membership, members),
]
