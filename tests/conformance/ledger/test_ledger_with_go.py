"""Go's own checksum-database code accepts what assent publishes, and refuses it once anything is changed."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance.ledger.stock_go import SOURCES, StockGo, go_root
from tests.conformance.ledger.write_log import Log, write_log

from assent.domain.errors import Invalid
from assent.ledger.checkpoint import Checkpoint, open_checkpoint
from assent.ledger.merkle import consistency_proof, inclusion_proof, leaf_hash, root
from assent.ledger.note import (
    COSIGNATURE_ED25519,
    COSIGNATURE_ML_DSA_44,
    new_signer,
    open_note,
    parse_signer,
    parse_verifier,
    sign_note,
)
from assent.ledger.tiles import bundle, grow, read_bundle, tile_reader

LEAVES = 70_000
SEEDS = range(3)
FULL, EDGE = "004", "273"  # the numbers of a full tile and of the last, partial one
EDGE_WIDTH = LEAVES % 256


def test_stock_code_verifies_the_signature_every_leaf_and_every_prefix_of_70_000_entries(
    go: StockGo, big_log: Log
) -> None:
    checked = go("verify", big_log.folder, big_log.vkey)

    assert checked.stdout == f"ok: {big_log.signer.name}, {LEAVES} leaves, {LEAVES} prefixes\n", checked.stderr


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_stock_code_verifies_a_log_of_any_size(go: StockGo, big_log: Log, tmp_path: Path, size: int) -> None:
    write_log(tmp_path, big_log.entries[:size], big_log.signer)

    checked = go("verify", tmp_path, big_log.vkey)

    assert checked.stdout == f"ok: {big_log.signer.name}, {size} leaves, {size} prefixes\n", checked.stderr


def test_stock_code_verifies_entries_of_every_length_a_bundle_holds(go: StockGo, tmp_path: Path) -> None:
    signer = new_signer("log.example/lengths", bytes(32))
    write_log(tmp_path, [b"", b"a", bytes(65_535), b"b" * 256], signer)

    assert go("verify", tmp_path, signer.verifier.vkey).returncode == 0


def _flip_a_bit(chance: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _truncate(chance: random.Random, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def _swap_two_entries(chance: random.Random, path: Path) -> None:
    entries = read_bundle(path.read_bytes())
    one, other = chance.sample(range(len(entries)), 2)
    entries[one], entries[other] = entries[other], entries[one]
    path.write_bytes(bundle(entries))


def _swap_two_hashes(chance: random.Random, path: Path) -> None:
    data = path.read_bytes()
    hashes = [data[at : at + 32] for at in range(0, len(data), 32)]
    one, other = chance.sample(range(len(hashes)), 2)
    hashes[one], hashes[other] = hashes[other], hashes[one]
    path.write_bytes(b"".join(hashes))


CHANGES = [
    ("flip", _flip_a_bit, f"tile/0/{FULL}"),
    ("flip", _flip_a_bit, f"tile/0/{EDGE}.p/{EDGE_WIDTH}"),
    ("flip", _flip_a_bit, "tile/1/000"),
    ("flip", _flip_a_bit, "tile/1/001.p/17"),
    ("flip", _flip_a_bit, "tile/2/000.p/1"),
    ("flip", _flip_a_bit, f"tile/entries/{FULL}"),
    ("flip", _flip_a_bit, f"tile/entries/{EDGE}.p/{EDGE_WIDTH}"),
    ("truncate", _truncate, f"tile/0/{FULL}"),
    ("truncate", _truncate, f"tile/entries/{FULL}"),
    ("truncate", _truncate, f"tile/entries/{EDGE}.p/{EDGE_WIDTH}"),
    ("truncate", _truncate, "checkpoint"),
    ("reorder", _swap_two_entries, f"tile/entries/{FULL}"),
    ("reorder", _swap_two_hashes, f"tile/0/{FULL}"),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "change", "path"), CHANGES, ids=[f"{name} {path}" for name, _, path in CHANGES])
def test_stock_code_refuses_a_changed_file(
    go: StockGo, big_log: Log, name: str, change: Callable[[random.Random, Path], None], path: str, seed: int
) -> None:
    file = big_log.folder / path
    sound = file.read_bytes()
    try:
        change(random.Random(seed), file)
        assert file.read_bytes() != sound
        checked = go("verify", big_log.folder, big_log.vkey)
    finally:
        file.write_bytes(sound)

    assert (checked.returncode, checked.stdout) == (1, "")
    assert checked.stderr


@pytest.mark.parametrize("seed", SEEDS)
def test_stock_code_refuses_two_entries_that_changed_places_together_with_their_hashes(
    go: StockGo, big_log: Log, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    one, other = chance.sample(range(LEAVES), 2)
    entries = list(big_log.entries)
    entries[one], entries[other] = entries[other], entries[one]
    write_log(tmp_path, entries, big_log.signer)
    shutil.copy(big_log.folder / "checkpoint", tmp_path / "checkpoint")

    assert "inconsistent tile" in go("verify", tmp_path, big_log.vkey).stderr


@pytest.mark.parametrize("seed", SEEDS)
def test_stock_code_refuses_another_history_under_the_same_key(
    go: StockGo, big_log: Log, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    seen = chance.randrange(1, LEAVES + 1)
    write_log(tmp_path / "seen", big_log.entries[:seen], big_log.signer)
    forked = list(big_log.entries)
    forked[chance.randrange(seen)] = chance.randbytes(32)
    write_log(tmp_path / "forked", forked, big_log.signer)
    older = tmp_path / "seen" / "checkpoint"

    assert go("verify", "-older", older, big_log.folder, big_log.vkey).returncode == 0
    assert go("verify", tmp_path / "forked", big_log.vkey).returncode == 0, "alone, a fork cannot be told"
    refused = go("verify", "-older", older, tmp_path / "forked", big_log.vkey)
    assert refused.returncode == 1
    assert refused.stderr.startswith("fork: ")


@pytest.mark.parametrize("seed", SEEDS)
def test_stock_code_refuses_a_checkpoint_older_than_one_seen_before(
    go: StockGo, big_log: Log, tmp_path: Path, seed: int
) -> None:
    stale = random.Random(seed).randrange(LEAVES)
    write_log(tmp_path, big_log.entries[:stale], big_log.signer)

    refused = go("verify", "-older", big_log.folder / "checkpoint", tmp_path, big_log.vkey)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"stale: the checkpoint is of size {stale}")


def test_stock_code_refuses_a_checkpoint_of_another_key(go: StockGo, big_log: Log) -> None:
    other = new_signer(big_log.signer.name, bytes(32)).verifier

    assert "no verifiable signatures" in go("verify", big_log.folder, other.vkey).stderr


def test_stock_code_follows_the_log_across_a_change_of_keys(go: StockGo, big_log: Log, tmp_path: Path) -> None:
    successor = new_signer(big_log.signer.name, bytes(32))
    older = tmp_path / "older"
    write_log(older, big_log.entries[:900], big_log.signer)
    newer = tmp_path / "newer"
    write_log(newer, big_log.entries[:1000], successor)
    keys = (big_log.vkey, successor.verifier.vkey)

    assert go("verify", "-older", older / "checkpoint", newer, *keys).returncode == 0
    assert go("verify", "-older", older / "checkpoint", newer, keys[1]).returncode == 1


def test_stock_code_refuses_a_checkpoint_that_the_key_of_another_log_signed(go: StockGo, tmp_path: Path) -> None:
    log, other = new_signer("log.example/a", bytes(32)), new_signer("log.example/b", bytes(32))
    checkpoint = write_log(tmp_path, [b"entry"], log)
    (tmp_path / "checkpoint").write_text(sign_note(checkpoint.text, [other]), "utf-8")

    assert "signed a checkpoint of" in go("verify", tmp_path, other.verifier.vkey).stderr


def test_our_sources_in_go_are_formatted() -> None:
    gofmt = go_root() / "bin" / "gofmt"
    listed = subprocess.run([gofmt, "-l", SOURCES], check=True, capture_output=True, text=True)

    assert listed.stdout == ""


def test_stock_code_checks_every_proof_of_every_small_tree_and_many_of_the_large_one(go: StockGo, big_log: Log) -> None:
    chance = random.Random(5)
    pairs = [(index, size) for size in range(1, 41) for index in range(size)]
    pairs += [(index, LEAVES) for index in chance.sample(range(LEAVES), 300)]
    lines = _proof_lines(big_log, pairs)

    checked = go("proofs", text="\n".join(lines))

    assert checked.stdout == f"ok: {2 * len(pairs)} proofs\n", checked.stderr


@pytest.mark.parametrize("seed", range(20))
def test_stock_code_refuses_a_proof_with_one_changed_hash(go: StockGo, big_log: Log, seed: int) -> None:
    chance = random.Random(seed)
    kind, first, second, *hashes = chance.choice(_proof_lines(big_log, [(chance.randrange(900), 1000)])).split()
    place = chance.randrange(len(hashes))
    hashes[place] = chance.randbytes(32).hex()

    assert go("proofs", text=" ".join((kind, first, second, *hashes))).returncode == 1


def _proof_lines(log: Log, pairs: list[tuple[int, int]]) -> list[str]:
    leaves = [leaf_hash(entry) for entry in log.entries]
    grown = grow(0, {}, leaves)
    read = tile_reader(lambda level, number: grown[level, number])
    lines = []
    for index, size in pairs:
        inclusion = [leaves[index], root(size, read), *inclusion_proof(index, size, read)]
        consistency = [root(index + 1, read), root(size, read), *consistency_proof(index + 1, size, read)]
        lines.append(f"inclusion {index} {size} {' '.join(value.hex() for value in inclusion)}")
        lines.append(f"consistency {index + 1} {size} {' '.join(value.hex() for value in consistency)}")
    return lines


def test_a_note_and_keys_made_here_are_read_there(go: StockGo, tmp_path: Path) -> None:
    signers = [new_signer(name, bytes([number]) * 32) for number, name in enumerate(("log.example/a", "ein.Käse/ß"))]
    text = "first line\n\nè subito sera\n"
    vkeys = [signer.verifier.vkey for signer in signers]

    assert go("open", *vkeys, text=sign_note(text, signers)).stdout == text
    assert go("open", *vkeys, text=sign_note(text, signers[:1])).returncode == 1

    (tmp_path / "key").write_text(signers[0].encode())
    assert go("sign", tmp_path / "key", text=text).stdout == sign_note(text, signers[:1])


def test_a_note_and_keys_made_there_are_read_here(go: StockGo, tmp_path: Path) -> None:
    text = "log.example/go\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    for _ in range(5):
        secret, vkey = go("keygen", "log.example/go").stdout.splitlines()
        verifier = parse_verifier(vkey)
        assert parse_signer(secret).verifier == verifier
        assert (verifier.vkey, parse_signer(secret).encode()) == (vkey, secret)

        (tmp_path / "key").write_text(secret)
        signed = go("sign", tmp_path / "key", text=text).stdout

        assert open_note(signed, [verifier]).text == text
        assert open_checkpoint(signed, [verifier], "log.example/go").size == 0
        with pytest.raises(Invalid):
            open_note(signed.replace("go\n0\n", "go\n1\n"), [verifier])


@pytest.mark.parametrize("algorithm", [COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44])
def test_cosignatures_hold_under_the_standard_library_of_go(go: StockGo, algorithm: int) -> None:
    log = new_signer("log.example/a", bytes(32))
    witness = new_signer("witness.example/w1", b"\1" * 32, algorithm)
    checkpoint = Checkpoint("log.example/a", 20_852_163, leaf_hash(b"a"))
    note = sign_note(checkpoint.text, [log]) + witness.sign(checkpoint.text, at=1_679_315_147)
    other = sign_note(Checkpoint("log.example/a", 20_852_164, leaf_hash(b"a")).text, [log])
    moved = other + note.splitlines(keepends=True)[-1]

    assert go("open", log.verifier.vkey, text=note).stdout == checkpoint.text
    assert go("cosigned", witness.verifier.vkey, text=note).stdout == "1679315147\n"
    assert go("cosigned", witness.verifier.vkey, text=moved).returncode == 1


def test_the_worked_example_of_70_000_entries_has_the_tiles_that_the_standard_lists(big_log: Log) -> None:
    tiles = {
        path.relative_to(big_log.folder).as_posix()
        for path in (big_log.folder / "tile").rglob("*")
        if path.is_file() and "entries" not in path.parts
    }
    numbers = [f"tile/0/{number:03d}" for number in range(273)]

    assert tiles == {*numbers, "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert all((big_log.folder / path).stat().st_size == 8192 for path in numbers)
