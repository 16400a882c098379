"""The ledger over HTTP: what the paths of C2SP tlog-tiles answer, and to whom."""

from dataclasses import replace

import pytest
from tests.unit.interfaces.api.server import START, Api
from tests.unit.services.ledger_world import choices

from assent.interfaces.api.app import create_app
from assent.ledger.checkpoint import open_checkpoint
from assent.ledger.leaf import commitment
from assent.ledger.merkle import leaf_hash, root
from assent.ledger.note import new_signer
from assent.ledger.proof import check_proof, parse_proof
from assent.ledger.tiles import read_bundle, tile_reader
from assent.services.ledger.append import append

WITNESS = new_signer("witness.example/w", b"w" * 32, 4)


@pytest.fixture
def filled(api: Api) -> Api:
    append(api.world.store, api.world.log, choices(0, 300), now=START)
    return api


def test_the_log_is_for_everybody_and_makes_its_own_root(filled: Api) -> None:
    answer = filled.call("GET", "/ledger/checkpoint", role=None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    log = filled.world.log
    checkpoint = open_checkpoint(answer.text, [log.signers[0].verifier], log.origin)
    assert checkpoint.size == 300
    tiles = {}
    for path in ("0/000", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44"):
        answer = filled.call("GET", f"/ledger/tile/{path}", role=None)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
        assert "immutable" in answer.headers["cache-control"]
        tiles[path.partition(".")[0]] = answer.content
    assert root(300, tile_reader(lambda level, number: tiles[f"{level}/{number:03d}"])) == checkpoint.root
    entries = read_bundle(tiles["entries/000"]) + read_bundle(tiles["entries/001"])
    assert b"".join(map(leaf_hash, entries)) == tiles["0/000"] + tiles["0/001"]
    assert filled.call("GET", "/ledger/keys/000", role=None).text == filled.world.store.key_changes()[0]


def test_an_older_partial_tile_is_served_as_it_was(filled: Api) -> None:
    whole = filled.call("GET", "/ledger/tile/0/000", role=None).content
    assert filled.call("GET", "/ledger/tile/0/000.p/7", role=None).content == whole[: 7 * 32]
    entries = filled.call("GET", "/ledger/tile/entries/000.p/7", role=None).content
    assert len(read_bundle(entries)) == 7


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/001.p/45", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1",
     "tile/entries/001", "tile/entries/001.p/45", "tile/63/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/0",
     "tile/64/000", "tile/0/x000/000", "tile/entries/" + "x999/" * 9 + "999", "tile/x", "tile/%2e%2e/checkpoint",
     "tile/", "keys/001", "keys/999", "nothing"],
)  # fmt: skip
def test_what_the_log_does_not_have_is_not_found(filled: Api, path: str) -> None:
    answer = filled.call("GET", f"/ledger/{path}", role=None)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_leaves_that_wait_for_their_checkpoint_are_not_served(filled: Api) -> None:
    from assent.store.records import Staged

    (one,) = choices(300, 1)
    filled.world.store.stage([Staged(one, b"s" * 32, b"c" * 32)])
    assert filled.call("GET", "/ledger/tile/entries/001.p/45", role=None).status_code == 404
    waiting = filled.call("GET", "/ledger/proofs/c300")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "1")


def test_a_proof_needs_a_token_and_holds(filled: Api) -> None:
    assert filled.call("GET", "/ledger/proofs/c7", role=None).status_code == 401
    told = filled.call("GET", "/ledger/proofs/c7").json()
    entry = commitment(bytes.fromhex(told["salt"]), told["record"].encode())
    log = filled.world.log
    proof = parse_proof(told["proof"])
    assert check_proof(proof, entry, [log.signers[0].verifier], log.origin).size == 300
    assert (told["choice"], told["number"], proof.index) == ("c7", 7, 7)
    assert filled.call("GET", "/ledger/proofs/nothing").status_code == 404
    filled.world.store.erase_salts(["c7"])
    refused = filled.call("GET", "/ledger/proofs/c7")
    assert (refused.status_code, "meaningless" in refused.json()["detail"]) == (409, True)


def test_a_witness_hands_in_what_it_signed(filled: Api) -> None:
    log = replace(filled.world.log, witnesses=(WITNESS.verifier,))
    api = replace(filled, app=create_app(replace(filled.world, log=log)))
    note = api.call("GET", "/ledger/checkpoint", role=None).text
    line = WITNESS.sign(note.partition("\n\n")[0] + "\n", at=1_700_000_000)
    told = api.post("/ledger/cosignatures", {"note": line}, role=None)
    assert (told.status_code, told.json()) == (200, {"size": 300, "witnesses": ["witness.example/w"]})
    assert api.call("GET", "/ledger/checkpoint", role=None).text == note + line
    assert api.call("GET", "/ledger/proofs/c0").json()["proof"].endswith(line)
    forged = new_signer("witness.example/w", b"x" * 32, 4).sign(note.partition("\n\n")[0] + "\n", at=1)
    for body, status in (
        ({"note": note + forged}, 422),
        ({"note": line[:-6] + "AAA=\n"}, 422),
        ({"note": line, "size": 299}, 422),
        ({"note": line, "size": 301}, 409),
        ({"note": line, "size": -1}, 422),
        ({"note": ""}, 422),
        ({"note": line, "more": 1}, 422),
        ({"note": "x" * 2_000_000}, 413),
    ):
        assert api.post("/ledger/cosignatures", body, role=None).status_code == status, body
    assert len(filled.world.store.cosignatures(300)) == 1


def test_a_log_without_witnesses_takes_none(filled: Api) -> None:
    assert filled.post("/ledger/cosignatures", {"note": "— w AAAA\n"}, role=None).status_code == 409
