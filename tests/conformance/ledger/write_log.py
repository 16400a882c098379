"""Write a whole log as static files, as any web server would serve it, with the pure ledger alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assent.ledger.checkpoint import Checkpoint
from assent.ledger.merkle import leaf_hash, root
from assent.ledger.note import Signer, sign_note
from assent.ledger.tiles import WIDTH, Tile, bundle, bundle_path, grow, tile_reader


@dataclass(frozen=True)
class Log:
    """A written log: where it lies, what it holds and who signed it."""

    folder: Path
    entries: Sequence[bytes]
    signer: Signer

    @property
    def vkey(self) -> str:
        return self.signer.verifier.vkey


def write_log(folder: Path, entries: Sequence[bytes], *signers: Signer) -> Checkpoint:
    """Write checkpoint, tiles and bundles of a log that is named after its first signer."""
    grown = grow(0, {}, [leaf_hash(entry) for entry in entries])
    for (level, number), hashes in grown.items():
        _write(folder / Tile(level, number, len(hashes) // 32).path, hashes)
    for number, start in enumerate(range(0, len(entries), WIDTH)):
        held = entries[start : start + WIDTH]
        _write(folder / bundle_path(number, len(held)), bundle(held))
    size = len(entries)
    checkpoint = Checkpoint(signers[0].name, size, root(size, tile_reader(lambda level, n: grown[level, n])))
    _write(folder / "checkpoint", sign_note(checkpoint.text, signers).encode())
    return checkpoint


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
