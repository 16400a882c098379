"""The file that proves an erasure, made by hand: what it shows, how it is spelled, and where it stops to hold."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from assent.domain.errors import Invalid, Refused
from assent.domain.instants import to_micros
from assent.ledger import erasure_proof
from assent.ledger.checkpoint import Checkpoint
from assent.ledger.erasure import FIRST, Copy, ErasureRecord, Link, Tree, chain_of, ground_of, leaf_record, leaf_salt
from assent.ledger.erasure_proof import ErasureProof, Stone, read_erasure_proof, verify_erasure
from assent.ledger.leaf import commitment
from assent.ledger.merkle import leaf_hash
from assent.ledger.note import new_signer, sign_note
from assent.ledger.proof import Proof
from assent.ledger.verify import NO_KEY

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = "sha256:" + "0" * 64
SALT, LEAF_SALT = bytes(range(32)), bytes(range(32, 64))
SIGNER = new_signer("log.example/erasures", bytes(32))
KEYS = [SIGNER.verifier]
PATH = sha256(b"the leaf beside").digest()


def stones(policy: str = POLICY, count: int = 3) -> tuple[Stone, ...]:
    """Make the tombstones of an erasure with their ways to its root."""
    rows = [(number, f"chat:{number}", "m1", AT, "thirty days", policy) for number in range(count)]
    records = [leaf_record(row[1], row[2], to_micros(row[3]), ground_of(row[4], row[5])) for row in rows]
    tree = Tree(SALT, records)
    return tuple(Stone(*row, leaf_salt(SALT, row[0]), tuple(tree.proof(row[0]))) for row in rows)


def record(policy: str = POLICY) -> ErasureRecord:
    ground = ground_of("thirty days", policy)
    tree = Tree(SALT, [leaf_record(f"chat:{number}", "m1", to_micros(AT), ground) for number in range(3)])
    link = Link(7, "swept", AT, 3, tree.root, sha256(b"slots").digest(), FIRST)
    copies = (
        Copy("cuts", "removed", AT),
        Copy("database", "pending maintenance", AT),
        Copy("index", "not reachable", AT),
    )
    return ErasureRecord(link, chain_of(link), (POLICY,), AT, copies)


def in_the_ledger(made: ErasureRecord, *, index: int = 1) -> str:
    """Prove the record as the second of the two leaves of a log, under a signed checkpoint."""
    tree = Checkpoint(SIGNER.name, 2, sha256(b"\1" + PATH + leaf_hash(commitment(LEAF_SALT, made.encode()))).digest())
    return Proof(index, (PATH,), sign_note(tree.text, [SIGNER])).text


def proof(made: ErasureRecord | None = None, shown: tuple[Stone, ...] | None = None) -> ErasureProof:
    made = made or record()
    return ErasureProof(made, LEAF_SALT, in_the_ledger(made), stones() if shown is None else shown)


def changed(**values: object) -> bytes:
    """Write the file with some of its values changed, in the one spelling that is read."""
    return canonical(json.loads(proof().encode()) | values)


def canonical(table: object) -> bytes:
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def stone_with(**values: object) -> bytes:
    tombstones = json.loads(proof().encode())["tombstones"]
    return changed(tombstones=[tombstones[0], tombstones[1] | values, tombstones[2]])


def test_a_proof_says_what_holds_and_what_lingers() -> None:
    found = verify_erasure(proof().encode(), KEYS)
    assert found.proof == proof()
    assert (found.log, found.leaf, found.size) == ("log.example/erasures", 1, 2)
    assert found.proven == (
        "the record follows from erasure `7`'s place in the chain of erasures",
        "3 of 3 tombstones are leaves of the erasure's tree",
        "the record is leaf 1 of the log `log.example/erasures` at size 2",
        "the log `log.example/erasures` signed that state",
    )
    assert found.lingering == ("database: pending maintenance", "index: not reachable")
    assert found.missing == ()


def test_without_a_key_all_but_the_signature_is_checked() -> None:
    found = verify_erasure(proof().encode(), [])
    assert (found.log, found.leaf, found.size) == ("log.example/erasures", 1, 2)
    assert found.proven == verify_erasure(proof().encode(), KEYS).proven[:-1]
    assert found.missing == (NO_KEY,)
    for wrong in (replace(proof(), salt=SALT), replace(proof(), proof=in_the_ledger(record(), index=0))):
        with pytest.raises(Refused, match="of the log is not this record") as refused:
            verify_erasure(wrong.encode(), [])
        assert refused.value.fix == "check that record, salt and proof belong"


def test_a_proof_of_some_tombstones_says_of_how_many() -> None:
    found = verify_erasure(proof(shown=stones()[1:2]).encode(), KEYS)
    assert found.proven[1] == "1 of 3 tombstones are leaves of the erasure's tree"
    assert verify_erasure(proof(shown=()).encode(), KEYS).proven[1].startswith("0 of 3 tombstones")


def test_the_log_is_the_one_that_is_asked_for_or_that_of_the_first_key() -> None:
    other = new_signer("other.example/log", bytes(32)).verifier
    assert verify_erasure(proof().encode(), [other, *KEYS], "log.example/erasures").log == "log.example/erasures"
    assert verify_erasure(proof().encode(), [*KEYS, other]).log == "log.example/erasures"
    with pytest.raises(Refused, match="another log than"):
        verify_erasure(proof().encode(), [other, *KEYS])
    with pytest.raises(Refused, match="another log than"):
        verify_erasure(proof().encode(), KEYS, "other.example/log")


def test_a_ledger_proof_that_is_none_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused, match="this is no proof: it does not start with") as refused:
        verify_erasure(replace(proof(), proof="nothing").encode(), KEYS)
    assert refused.value.fix == "give the file of one proof, whole"


def test_a_record_that_is_not_chained_to_what_it_says_is_refused() -> None:
    made = record()
    altered = replace(made, link=replace(made.link, parts=4))
    with pytest.raises(Refused, match="does not give the hash under which the erasure is chained") as refused:
        verify_erasure(proof(altered).encode(), KEYS)
    assert refused.value.fix == "ask for a new proof"


def test_a_tombstone_of_a_policy_that_the_record_does_not_name_is_refused() -> None:
    other = "sha256:" + "1" * 64
    with pytest.raises(Refused, match="tombstone `0` names a policy that the record does not") as refused:
        verify_erasure(proof(record(other), stones(other)).encode(), KEYS)
    assert refused.value.fix == "ask for a new proof"


@pytest.mark.parametrize(
    "change",
    [
        {"conversation": "chat:9"},
        {"part": "m2"},
        {"erase_by": "2026-03-02T12:00:00.000001Z"},
        {"rule": "sixty days"},
        {"number": 0},
        {"number": 3},
        {"salt": "00" * 32},
        {"path": []},
        {"path": ["00" * 32, "00" * 32]},
    ],
)
def test_a_tombstone_with_another_value_is_not_in_the_tree(change: dict[str, object]) -> None:
    number = change.get("number", 1)
    with pytest.raises(Refused, match=f"tombstone `{number}` is not in the tree of this erasure") as refused:
        verify_erasure(stone_with(**change), KEYS)
    assert refused.value.fix == "ask for a new proof"


def test_a_file_comes_back_as_it_was() -> None:
    assert read_erasure_proof(proof().encode()) == proof()
    assert read_erasure_proof(proof().encode() + b"\n") == proof()
    table = json.loads(proof().encode())
    assert sorted(table) == ["proof", "record", "salt", "tombstones", "v"]
    assert table["v"] == "assent/erasure-proof/v1"
    assert table["tombstones"][2] == {
        "number": 2,
        "conversation": "chat:2",
        "part": "m1",
        "erase_by": "2026-03-02T12:00:00Z",
        "rule": "thirty days",
        "policy": POLICY,
        "salt": leaf_salt(SALT, 2).hex(),
        "path": [value.hex() for value in stones()[2].path],
    }


SHORT = "AAAA"


@pytest.mark.parametrize(
    "data",
    [
        proof().encode() + b" ",
        proof().encode() + b"\n\n",
        b"\n" + proof().encode(),
        changed(v="assent/erasure-proof/v2"),
        changed(salt=SHORT),
        changed(salt=json.loads(proof().encode())["salt"] + "\n"),
        changed(more=1),
        changed(proof=None),
        changed(proof=7),
        changed(tombstones=None),
        changed(tombstones=[1]),
        stone_with(number="1"),
        stone_with(number=True),
        stone_with(number=1.5),
        stone_with(conversation=1),
        stone_with(part=None),
        stone_with(rule=1),
        stone_with(policy=1),
        stone_with(erase_by="2026-03-02T13:00:00+01:00"),
        stone_with(erase_by="yesterday"),
        stone_with(salt="00" * 31),
        stone_with(salt="FF" * 32),
        stone_with(path=["00" * 31]),
        stone_with(path=["00" * 32, "00" * 33]),
        stone_with(path=["x"]),
        b"[" * 100_000,
    ],
)
def test_a_file_of_another_spelling_is_no_proof(data: bytes) -> None:
    with pytest.raises(Invalid, match="the file is no proof of an erasure") as refused:
        read_erasure_proof(data)
    assert refused.value.fix == "give it as `assent prove` wrote it, `v` is `assent/erasure-proof/v1`"


def test_a_file_whose_record_is_none_says_so() -> None:
    with pytest.raises(Invalid, match="no record of an erasure"):
        read_erasure_proof(changed(record="{}"))


def test_a_file_may_be_as_long_as_any_proof_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    data = proof().encode()
    monkeypatch.setattr(erasure_proof, "MAX_BYTES", len(data))
    assert read_erasure_proof(data) == proof()
    with pytest.raises(Invalid, match=f"the file is longer than {len(data)} bytes") as refused:
        read_erasure_proof(data + b"\n")
    assert refused.value.fix == "give the proof of one erasure"
