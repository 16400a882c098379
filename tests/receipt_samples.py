"""A small log with fixed keys and salts, and the receipts of its choices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from assent.ledger.checkpoint import Checkpoint
from assent.ledger.leaf import commitment
from assent.ledger.merkle import inclusion_proof, leaf_hash, root
from assent.ledger.note import Signer, Verifier, new_signer, sign_note
from assent.ledger.proof import Proof
from assent.ledger.receipt import Receipt, encode_receipt, write_receipt
from assent.ledger.record import ChoiceRecord
from assent.ledger.terms import Party, Terms
from assent.ledger.tiles import bundle, bundle_path, grow, new_tiles, tile_reader

ORIGIN = "log.example.com/choices"
SIGNER = new_signer(ORIGIN, hashlib.sha256(b"the example log's key").digest())
STRANGER = new_signer(ORIGIN, hashlib.sha256(b"another key under the same name").digest())

CONTROLLER = Party(
    name="Example Chat Ltd",
    identifier="https://chat.example.com",
    role="controller",
    contact="Data protection office",
    address="1 Example Street, Dublin, Ireland",
    url="https://chat.example.com",
    email="privacy@chat.example.com",
    phone="+353 1 000 0000",
)
PROCESSOR = Party(
    name="Example Hosting Ltd",
    identifier="https://hosting.example.net",
    role="processor",
    contact="Customer desk",
    address="2 Example Quay, Cork, Ireland",
)
TERMS = Terms(
    controllers=(CONTROLLER,),
    service="Example Chat",
    purpose="training",
    purpose_text="Training of the models behind Example Chat",
    processing=("collection", "storage", "pseudonymisation", "data preparation", "model training", "review by people"),
    data=("conversations", "coding sessions", "feedback"),
    storage_locations=("Ireland", "United States"),
    storage_duration="P5Y",
    deletion="Erased within 30 days after the end; 30 days after the last turn if you do not allow it",
    jurisdictions=("EU", "US-CA"),
    withdraw_at="https://chat.example.com/settings/privacy",
    withdraw_how="Open Settings, Privacy, and switch training off",
    rights=("access", "erasure", "withdraw consent", "complain to an authority"),
    policy_url="https://chat.example.com/policy",
    language="en",
    recipients=(PROCESSOR,),
)
RECORD = ChoiceRecord(
    id="7f0c2f1e-6c1d-4c5e-9b53-1d2f3a4b5c6d",
    subject="4b3cc1583c6d0617acde108c31b20bc7",
    purpose="training",
    act="allow",
    at=datetime(2026, 11, 22, 10, 15, 30, 250_000, tzinfo=UTC),
    notice="sha256:" + "1" * 64,
    surface="web",
    recorded_by="web",
    controller="https://chat.example.com",
    locale="en-IE",
    layout="rows",
    options=("decline", "allow"),
    policy="sha256:" + "2" * 64,
    client="desktop",
    prior="unasked",
    snapshot="sha256:" + "3" * 64,
    campaign="autumn-2026",
    terms=TERMS.digest,
)
ACTS = ("allow", "decline", "defer", "withdraw")


def salt_of(number: int) -> bytes:
    return hashlib.sha256(b"salt %d" % number).digest()


def record_of(number: int) -> ChoiceRecord:
    """Number 5 is RECORD itself; its neighbours are other people's choices."""
    if number == 5:
        return RECORD
    return replace(
        RECORD,
        id=f"choice-{number}",
        subject=hashlib.sha256(b"subject %d" % number).hexdigest()[:32],
        act=ACTS[number % 4],
        at=RECORD.at + timedelta(seconds=number),
        prior="declined" if number % 3 else "withdrawn",
    )


@dataclass(frozen=True)
class Log:
    """The first `size` choices in a tree, signed by `signer`; entry `forged`, if given, is another one."""

    size: int = 9
    signer: Signer = SIGNER
    forged: int | None = None

    @property
    def entries(self) -> list[bytes]:
        made = [commitment(salt_of(number), record_of(number).encode()) for number in range(self.size)]
        if self.forged is not None:
            made[self.forged] = bytes(32)
        return made

    @property
    def tiles(self) -> dict[tuple[int, int], bytes]:
        return grow(0, {}, [leaf_hash(entry) for entry in self.entries])

    @property
    def verifier(self) -> Verifier:
        return self.signer.verifier

    @property
    def checkpoint(self) -> str:
        tiles = self.tiles
        read = tile_reader(lambda level, number: tiles[level, number])
        return sign_note(Checkpoint(ORIGIN, self.size, root(self.size, read)).text, [self.signer])

    def receipt(self, number: int = 5, record: ChoiceRecord | None = None, terms: Terms = TERMS) -> Receipt:
        tiles = self.tiles
        read = tile_reader(lambda level, at: tiles[level, at])
        proof = Proof(number, tuple(inclusion_proof(number, self.size, read)), self.checkpoint)
        return Receipt(record or record_of(number), salt_of(number), terms, proof)

    def publish(self, folder: Path) -> Path:
        """Write the log as any web server would serve it."""
        tiles, entries = self.tiles, self.entries
        for tile in new_tiles(0, self.size):
            _write(folder / tile.path, tiles[tile.level, tile.number][: tile.width * 32])
            if tile.level == 0:
                first = tile.number * 256
                _write(folder / bundle_path(tile.number, tile.width), bundle(entries[first : first + tile.width]))
        _write(folder / "checkpoint", self.checkpoint.encode())
        return folder


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sample(number: int = 5, size: int = 9) -> bytes:
    """The file that a person keeps."""
    return encode_receipt(document(number, size))


def document(number: int = 5, size: int = 9) -> dict[str, Any]:
    return write_receipt(Log(size).receipt(number))
