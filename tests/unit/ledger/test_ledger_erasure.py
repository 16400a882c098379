"""What proves an erasure: leaves that hide each other, a chain nobody can change, slots in few bytes."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256, shake_256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.errors import Invalid
from assent.ledger.erasure import (
    FIRST,
    Copy,
    ErasureRecord,
    Link,
    Tree,
    chain_of,
    first_broken,
    ground_of,
    leaf_entry,
    leaf_record,
    leaf_salt,
    pack,
    parse_erasure,
    unpack,
)
from assent.ledger.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion

SALT = bytes(range(32))
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
GROUND = ground_of("base", "sha256:" + "0" * 64)
VECTORS = Path(__file__).resolve().parents[3] / "spec" / "vectors" / "erasure.json"
LINK = Link(1, "swept", AT, 3, sha256(b"root").digest(), sha256(b"slots").digest(), FIRST)
RECORD = ErasureRecord(
    LINK,
    chain_of(LINK),
    ("sha256:" + "0" * 64,),
    AT,
    (Copy("cuts", "removed", AT), Copy("database", "pending maintenance", AT, "waits for VACUUM")),
)


def records(count: int) -> list[bytes]:
    return [leaf_record(f"chat:{n}", "m1", n, GROUND) for n in range(count)]


def test_a_leaf_is_one_line_of_json_that_anybody_can_read() -> None:
    record = leaf_record('chat:"é\n', "m\\1", 1_767_268_800_000_000, ground_of("thirty days", "sha256:abc"))
    assert json.loads(record) == [
        "assent/tombstone/v1",
        'chat:"é\n',
        "m\\1",
        1_767_268_800_000_000,
        "thirty days",
        "sha256:abc",
    ]
    assert b"\n" not in record


@given(st.text(), st.text(), st.integers(min_value=-(2**62), max_value=2**62), st.text(), st.text())
def test_two_tombstones_that_differ_have_two_records(c: str, p: str, end: int, rule: str, policy: str) -> None:
    try:
        record = leaf_record(c, p, end, ground_of(rule, policy))
    except UnicodeEncodeError:
        return  # a lone surrogate, which no store keeps
    assert json.loads(record)[1:] == [c, p, end, rule, policy]


def test_a_leaf_has_a_salt_of_its_own() -> None:
    salts = [leaf_salt(SALT, n) for n in range(100)]
    assert len(set(salts)) == 100
    assert {len(salt) for salt in salts} == {32}
    assert b"".join(salts) == shake_256(SALT).digest(3200)
    assert leaf_salt(SALT[::-1], 0) != salts[0]
    for short in (b"", SALT[1:], SALT + b"x"):
        with pytest.raises(Invalid, match="hides nothing"):
            Tree(short, records(1))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 64, 100])
def test_every_leaf_is_proven_and_no_other(size: int) -> None:
    tree = Tree(SALT, records(size))
    assert tree.size == size
    for n, record in enumerate(records(size)):
        entry = leaf_hash(leaf_entry(leaf_salt(SALT, n), record))
        assert verify_inclusion(n, size, entry, tree.proof(n), tree.root)
        other = leaf_hash(leaf_entry(leaf_salt(SALT, n), record + b" "))
        assert not verify_inclusion(n, size, other, tree.proof(n), tree.root)


def test_a_tree_without_leaves_has_the_empty_root() -> None:
    assert Tree(SALT, []).root == EMPTY_ROOT


@given(st.lists(st.integers(min_value=0, max_value=10**7), max_size=200))
def test_slots_come_back_sorted_and_once(slots: list[int]) -> None:
    assert unpack(pack(slots)) == sorted(set(slots))


def test_slots_that_follow_each_other_cost_next_to_nothing() -> None:
    assert len(pack(range(10**6, 10**6 + 20_000))) == 6
    assert len(pack(range(0, 60_000, 3))) == 40_000
    assert pack([]) == b""


@pytest.mark.parametrize(
    ("slots", "packed"),
    [
        ([0], "0001"),
        ([127], "7f01"),
        ([128], "800101"),
        ([255], "ff0101"),
        ([16_383], "ff7f01"),
        ([16_384], "80800101"),
        (range(128), "008001"),
        ([5, 6, 8], "05020101"),
        ([0, 129], "0001800101"),
    ],
)
def test_slots_are_packed_as_runs_of_leb128(slots: list[int], packed: str) -> None:
    assert pack(slots).hex() == packed
    assert unpack(bytes.fromhex(packed)) == list(slots)


@pytest.mark.parametrize("packed", ["80", "01", "0100", "010180", "00010001", "018100"])
def test_packed_slots_have_one_spelling(packed: str) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        unpack(bytes.fromhex(packed))


def test_a_chain_breaks_where_something_was_changed() -> None:
    links = [LINK]
    for n in range(2, 6):
        links.append(replace(LINK, id=n, previous=chain_of(links[-1])))
    chain = [(link, chain_of(link)) for link in links]
    assert first_broken(chain) is None
    assert first_broken([]) is None
    assert first_broken(chain[2:], chain[1][1]) is None
    assert first_broken(chain[1:]) == 2
    assert first_broken([*chain[:2], (replace(links[2], parts=4), chain[2][1]), *chain[3:]]) == 3
    assert first_broken([*chain[:2], chain[3], chain[4]]) == 4


def test_a_record_comes_back_as_it_was() -> None:
    assert parse_erasure(RECORD.encode()) == RECORD
    assert RECORD.holds()
    assert not replace(RECORD, link=replace(LINK, parts=4)).holds()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + b"\n",
        lambda text: text.replace(b'"v":"assent/erasure/v1"', b'"v":"assent/erasure/v2"'),
        lambda text: text.replace(b'"parts":3', b'"parts":"3"'),
        lambda text: text.replace(b'"parts":3', b'"parts": 3'),
        lambda text: text.replace(b'"id":1,', b""),
        lambda text: text.replace(b'"note":""', b'"note":"","more":1'),
        lambda text: text.replace(b'"root":"', b'"root":"00'),
        lambda text: text.replace(b'"root":"', b'"root":"00' + b"0" * 62, 1),
        lambda text: text.replace(b'"previous":"00', b'"previous":"', 1),
        lambda text: text.replace(b'"id":1', b'"id":true'),
        lambda text: text.replace(b'"id":1', b'"id":1.0'),
        lambda text: text.replace(b'"parts":3', b'"parts":null'),
        lambda text: text.replace(b'"kind":"swept"', b'"kind":1'),
        lambda text: text.replace(b'"note":""', b'"note":0'),
        lambda text: text.replace(b'"store":"cuts"', b'"store":null'),
        lambda text: text.replace(b'"state":"removed"', b'"state":true'),
        lambda text: text.replace(b'"policies":["', b'"policies":[1,"'),
        lambda text: text.replace(b'"keys_destroyed_at":"', b'"keys_destroyed_at":"x'),
        lambda text: text.replace(RECORD.chain.hex().encode(), RECORD.chain.hex().upper().encode()),
        lambda _: b"[]",
        lambda _: b"",
    ],
)
def test_a_record_has_one_spelling(change: object) -> None:
    assert change(RECORD.encode()) != RECORD.encode()
    with pytest.raises(Invalid, match="no record of an erasure") as refused:
        parse_erasure(change(RECORD.encode()))
    assert refused.value.fix == "give the record as it was written, `v` is `assent/erasure/v1`"


def vectors() -> dict[str, object]:
    """What another implementation can check itself against."""
    tree = Tree(SALT, records(5))
    return {
        "about": "spec/erasure.md; bytes are hexadecimal",
        "salt": SALT.hex(),
        "leaves": [
            {"record": record.decode(), "salt": leaf_salt(SALT, n).hex(), "proof": [h.hex() for h in tree.proof(n)]}
            for n, record in enumerate(records(5))
        ],
        "root": tree.root.hex(),
        "slots": [
            {"slots": slots, "packed": pack(slots).hex()}
            for slots in ([1], [1, 2, 3], [0, 2, 3, 300], [127, 128, 129, 70_000])
        ],
        "record": RECORD.encode().decode(),
    }


def test_the_vectors_are_current() -> None:
    text = json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("ASSENT_WRITE"):
        VECTORS.write_text(text, "utf-8")
    assert VECTORS.read_text("utf-8") == text, "run this test with ASSENT_WRITE=1 and look at the difference"
