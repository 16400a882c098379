"""Write spec/vectors/ledger.json: `python -m tests.conformance.ledger.write_vectors`, then look at the difference."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assent.ledger.checkpoint import Checkpoint
from assent.ledger.cosignature import ed25519_message, ml_dsa_44_message
from assent.ledger.keys import KeyChange
from assent.ledger.leaf import commitment
from assent.ledger.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof, leaf_hash, root
from assent.ledger.note import COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44, Signer, new_signer, sign_note
from assent.ledger.proof import Proof
from assent.ledger.tiles import HEIGHT, Tile, bundle, grow, new_tiles, tile_reader

VECTORS = Path(__file__).resolve().parents[3] / "spec" / "vectors" / "ledger.json"
ORIGIN = "log.example/choices"
LEAVES = 70_000
SIZE = 300  # of the log that the signed texts are about
SIZES = [1, 2, 3, 4, 5, 7, 8, 100, 255, 256, 257, SIZE, 65_535, 65_536, 65_537, LEAVES]
INCLUSIONS = [(0, 1), (0, 2), (1, 3), (2, 3), (6, 7), (99, 100), (255, 257), (256, 257), (0, LEAVES), (69_999, LEAVES)]
CONSISTENCIES = [(1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (100, 257), (256, 257), (65_536, LEAVES), (65_537, LEAVES)]
AT = 1_679_315_147

ENTRIES = [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(LEAVES)]
GROWN = grow(0, {}, [leaf_hash(entry) for entry in ENTRIES])
READ = tile_reader(lambda level, number: GROWN[level, number])


def vectors() -> dict[str, Any]:
    """Compute every vector; nothing in them depends on chance or time."""
    return {
        "about": "spec/ledger.md; bytes are hexadecimal; entry i of the tree is SHA-256 of i as 8 bytes, big-endian",
        "leaves": [_leaf(salt, record) for salt, record in ((bytes(32), b""), (bytes(range(32)), b'{"v":1}'))],
        "empty_root": EMPTY_ROOT.hex(),
        "roots": {str(size): root(size, READ).hex() for size in SIZES},
        "inclusion": [
            {"index": index, "size": size, "hashes": [value.hex() for value in inclusion_proof(index, size, READ)]}
            for index, size in INCLUSIONS
        ],
        "consistency": [
            {"old": old, "new": new, "hashes": [value.hex() for value in consistency_proof(old, new, READ)]}
            for old, new in CONSISTENCIES
        ],
        "tiles": {tile.path: hashlib.sha256(_tile(tile)).hexdigest() for tile in new_tiles(69_888, LEAVES)},
        "bundle": {"entries": ["", "61", "6263"], "bundle": bundle([b"", b"a", b"bc"]).hex()},
        "signed": _signed(),
        "refused": _refused(),
    }


def _leaf(salt: bytes, record: bytes) -> dict[str, str]:
    entry = commitment(salt, record)
    return {"salt": salt.hex(), "record": record.hex(), "entry": entry.hex(), "leaf_hash": leaf_hash(entry).hex()}


def _tile(tile: Tile) -> bytes:
    return b"".join(READ(HEIGHT * tile.level, 256 * tile.number + place) for place in range(tile.width))


def _key(signer: Signer) -> dict[str, str]:
    return {"seed": signer.seed.hex(), "private": signer.encode(), "vkey": signer.verifier.vkey}


def _signed() -> dict[str, Any]:
    log, successor = new_signer(ORIGIN, b"\x01" * 32), new_signer(ORIGIN, b"\x02" * 32)
    witness = new_signer("witness.example/w1", b"\x03" * 32, COSIGNATURE_ED25519)
    pq_witness = new_signer("witness.example/w2", b"\x04" * 32, COSIGNATURE_ML_DSA_44)
    checkpoint = Checkpoint(ORIGIN, SIZE, root(SIZE, READ))
    note = sign_note(checkpoint.text, [log])
    change = KeyChange(ORIGIN, SIZE, (successor.verifier,))
    return {
        "keys": {
            "log": _key(log),
            "successor": _key(successor),
            "witness_ed25519": _key(witness),
            "witness_ml_dsa_44": _key(pq_witness),
        },
        "checkpoint": note,
        "checkpoint_of_both_keys": sign_note(checkpoint.text, [log, successor]),
        "cosigned_checkpoint": note + witness.sign(checkpoint.text, at=AT),
        "cosigned_at": AT,
        "cosigned_message_ed25519": ed25519_message(checkpoint.text, AT).hex(),
        # an ML-DSA-44 signature may differ each time it is made: what it signs is fixed
        "cosigned_message_ml_dsa_44": ml_dsa_44_message(pq_witness.name, checkpoint.text, AT).hex(),
        "proof": Proof(257, tuple(inclusion_proof(257, SIZE, READ)), note).text,
        "proof_with_extra": Proof(0, tuple(inclusion_proof(0, SIZE, READ)), note, b"carried along").text,
        "key_change": sign_note(change.text, [log]),
    }


def _refused() -> list[dict[str, str]]:
    log = new_signer(ORIGIN, b"\x01" * 32)
    text = Checkpoint(ORIGIN, SIZE, root(SIZE, READ)).text
    note = sign_note(text, [log])
    proof = Proof(257, tuple(inclusion_proof(257, SIZE, READ)), note).text
    witness = new_signer("witness.example/w1", b"\x03" * 32, COSIGNATURE_ED25519)
    cases = [
        ("checkpoint", "the signature is of another text", note.replace("\n300\n", "\n301\n")),
        ("checkpoint", "a size with a leading zero", sign_note(text.replace("300", "0300"), [log])),
        ("checkpoint", "another log", sign_note(text.replace("choices", "other"), [log])),
        ("checkpoint", "cosigned, but not signed by the log", f"{text}\n{witness.sign(text, at=AT)}"),
        ("checkpoint", "no newline at the end", note[:-1]),
        ("checkpoint", "a carriage return", note.replace("\n", "\r\n")),
        ("checkpoint", "base64 with other bits behind the padding", note.replace("=\n\n", "=\n\n— a AAAAAAB=\n")),
        ("proof", "another version", proof.replace("@v1", "@v2")),
        ("proof", "another index", proof.replace("index 257", "index 256")),
        ("proof", "an index with a leading zero", proof.replace("index 257", "index 0257")),
        ("proof", "a hash left out", "\n".join(proof.split("\n")[:2] + proof.split("\n")[3:])),
        ("vkey", "another name under the same key id", log.verifier.vkey.replace("choices", "other")),
    ]
    return [{"kind": kind, "because": because, "text": changed} for kind, because, changed in cases]


def encoded() -> str:
    """Give the file's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(encoded(), "utf-8")
