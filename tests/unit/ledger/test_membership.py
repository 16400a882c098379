"""The tree of members: who is in it can be shown, who is not can be shown, and nobody can be shown to be both."""

import hmac
import json
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import Invalid, Refused
from assent.ledger import membership
from assent.ledger.membership import (
    CutName,
    MemberProof,
    MemberTree,
    Place,
    check_manifest,
    name_of_conversation,
    name_of_person,
    names_of,
    person_key,
    prove_member,
    read_member,
    verify_member,
    verify_proof,
)

KEY = bytes(range(32))
CUT = CutName("spring", 3, "sha256:" + "a" * 64)
names = st.binary(min_size=32, max_size=32)


def tree_of(people: int = 5, each: int = 3) -> MemberTree:
    return MemberTree(names_of(KEY, [(f"chat-{p}-{n}", f"person-{p}") for p in range(people) for n in range(each)]))


def proof_of(conversation: str | None, subject: str, tree: MemberTree | None = None) -> MemberProof:
    return prove_member(tree or tree_of(), CUT, person_key(KEY, subject), conversation)


@given(st.sets(names, max_size=40), names)
def test_every_name_is_shown_to_be_in_the_tree_or_not(there: set[bytes], asked: bytes) -> None:
    tree = MemberTree(there)
    for name in (*there, asked):
        member, places = tree.around(name)
        assert member is (name in there)
        assert verify_member(name, tree.size, tree.root, places) is member


@given(st.sets(names, min_size=1, max_size=40), st.data())
def test_no_leaves_show_that_a_member_is_missing(there: set[bytes], data: st.DataObject) -> None:
    tree = MemberTree(there)
    name = data.draw(st.sampled_from(sorted(there)))
    every = [tree._place(at) for at in range(tree.size)]  # whatever a liar could point at
    shown = data.draw(st.lists(st.sampled_from(every), max_size=3))
    with suppress(Refused):
        assert verify_member(name, tree.size, tree.root, shown) is True


def test_the_tree_does_not_depend_on_the_order_of_the_members() -> None:
    members = [(f"chat-{n}", f"person-{n % 3}") for n in range(20)]
    forth, back = (MemberTree(names_of(KEY, order)) for order in (members, members[::-1]))
    assert forth.to_record() == back.to_record()
    assert forth.size == 20 + 3


def test_an_empty_cut_has_nobody() -> None:
    proof = proof_of(None, "person-1", MemberTree(()))
    assert (proof.member, proof.size, proof.places) == (False, 0, ())
    verify_proof(proof)


@pytest.mark.parametrize(
    ("conversation", "subject", "member"),
    [
        ("chat-1-2", "person-1", True),
        (None, "person-4", True),
        ("chat-1-9", "person-1", False),
        ("chat-2-0", "person-1", False),
        (None, "person-9", False),
    ],
)
def test_a_proof_survives_its_file(conversation: str | None, subject: str, member: bool) -> None:
    proof = read_member(proof_of(conversation, subject).encode())
    assert proof.member is member
    verify_proof(proof)


def test_who_lacks_the_key_can_name_nobody() -> None:
    others = name_of_conversation(person_key(KEY, "person-2"), "chat-1-2")
    own = name_of_conversation(person_key(KEY, "person-1"), "chat-1-2")
    elsewhere = name_of_conversation(person_key(bytes(32), "person-1"), "chat-1-2")
    assert len({own, others, elsewhere, name_of_person(person_key(KEY, "person-1"))}) == 4


def test_conversations_of_nobody_have_names_too() -> None:
    assert len(names_of(KEY, [("a", None), ("b", None)])) == 2
    assert names_of(KEY, [("a", None)]) == {name_of_conversation(person_key(KEY, ""), "a")}
    assert names_of(KEY, [("a", "person-1"), ("b", "person-1")]) == {
        name_of_person(person_key(KEY, "person-1")),
        name_of_conversation(person_key(KEY, "person-1"), "a"),
        name_of_conversation(person_key(KEY, "person-1"), "b"),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"member": False},
        {"conversation": "chat-1-1"},
        {"conversation": None},
        {"key": bytes(32)},
        {"root": bytes(32)},
        {"size": 4},
        {"places": ()},
    ],
)
def test_a_changed_proof_is_refused(change: dict) -> None:
    with pytest.raises(Refused):
        verify_proof(replace(proof_of("chat-1-2", "person-1"), **change))


def test_neighbours_that_leave_room_are_refused() -> None:
    tree = tree_of()
    proof = proof_of("chat-9-9", "person-9", tree)
    left, right = proof.places
    apart = tree._place(right.index + 1)  # what a liar would show instead
    for places in ((left,), (left, apart), (right, left), (left, right, apart)):
        with pytest.raises(Refused):
            verify_proof(replace(proof, places=places))


@pytest.mark.parametrize("beside", [-1, 1])
def test_a_name_beside_its_neighbour_is_not_shown_to_be_missing(beside: int) -> None:
    """A liar shows the very place of the name, and one next to it, and says that it is not there."""
    tree = tree_of()
    proof = proof_of("chat-1-2", "person-1", tree)
    [own] = proof.places
    shown = sorted((own, tree._place(own.index + beside)), key=lambda place: place.index)
    with pytest.raises(Refused, match="leaves room for the name"):
        verify_proof(replace(proof, member=False, places=tuple(shown)))


def test_the_ends_of_the_tree_show_what_lies_beyond_them_and_nothing_else() -> None:
    tree = MemberTree([bytes([number]) * 32 for number in (2, 4, 6)])
    first, middle, last = (tree._place(at) for at in range(3))

    def missing(number: int, *places: Place) -> bool:
        try:
            return verify_member(bytes([number]) * 32, tree.size, tree.root, places) is False
        except Refused:
            return False

    assert missing(1, first)
    assert missing(7, last)
    assert missing(3, first, middle)
    assert missing(5, middle, last)
    for number, places in ((3, [first]), (5, [last]), (3, [middle]), (1, [last]), (7, [first]), (5, [first, middle]),
                           (1, [first, middle]), (7, [middle, last]), (3, [first, last]), (3, []),
                           (3, [first, middle, last])):  # fmt: skip
        assert not missing(number, *places), (number, places)


def test_a_tree_of_one_shows_both_of_its_sides() -> None:
    tree = MemberTree([bytes([4]) * 32])
    for number in (3, 5):
        member, places = tree.around(bytes([number]) * 32)
        assert (member, len(places)) == (False, 1)
        assert verify_member(bytes([number]) * 32, 1, tree.root, places) is False


@pytest.mark.parametrize(
    ("refused", "message", "fix"),
    [
        ({"places": (Place(0, bytes(32), ()),)}, "a name is not where the proof says",
         "it does not belong to this tree: ask for a new proof"),
        ({"places": ()}, "the proof leaves room for the name",
         "the two neighbours, or the end of the tree, must be shown"),
        ({"member": False}, "the proof shows the opposite of what it says", "it was changed: ask for a new one"),
    ],
)  # fmt: skip
def test_a_proof_that_does_not_hold_is_refused_with_its_reason(refused: dict, message: str, fix: str) -> None:
    with pytest.raises(Refused) as problem:
        verify_proof(replace(proof_of("chat-1-2", "person-1"), **refused))
    assert (problem.value.message, problem.value.fix) == (message, fix)


def test_a_place_with_another_path_is_refused() -> None:
    proof = proof_of("chat-1-2", "person-1")
    place = proof.places[0]
    with pytest.raises(Refused):
        verify_proof(replace(proof, places=(Place(place.index, place.name, (bytes(32), *place.path[1:])),)))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"assent_membership":1}', b"\xff", b"[" * 100_000, b"x" * 70_000]
)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="no proof of membership"):
        read_member(data)


def test_a_proof_has_one_spelling() -> None:
    data = proof_of("chat-1-2", "person-1").encode()
    with pytest.raises(Invalid):
        read_member(data + b"\n")
    with pytest.raises(Invalid):
        read_member(data.replace(b'"size":20', b'"size":20.0'))


def test_a_proof_is_written_in_the_words_of_the_page() -> None:
    tree = tree_of()
    said = json.loads(proof_of("chat-1-2", "person-1", tree).encode())
    [place] = said.pop("places")
    assert said == {
        "assent_membership": 1,
        "cut": {"name": "spring", "number": 3, "manifest": "sha256:" + "a" * 64},
        "root": b64encode(tree.root).decode(),
        "size": 20,
        "key": b64encode(person_key(KEY, "person-1")).decode(),
        "conversation": "chat-1-2",
        "member": True,
    }
    assert sorted(place) == ["index", "name", "path"]
    assert b64decode(place["name"]) == name_of_conversation(person_key(KEY, "person-1"), "chat-1-2")


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (["assent_membership"], 2),
        (["assent_membership"], True),
        (["cut", "name"], 1),
        (["cut", "number"], True),
        (["cut", "number"], -1),
        (["cut", "number"], "3"),
        (["cut", "manifest"], 1),
        (["cut", "more"], 1),
        (["size"], True),
        (["size"], -1),
        (["size"], "20"),
        (["member"], 1),
        (["member"], "yes"),
        (["conversation"], 1),
        (["conversation"], 0),
        (["conversation"], False),
        (["conversation"], []),
        (["conversation"], {}),
        (["conversation"], ["chat-1-2"]),
        (["key"], "AAAA"),
        (["root"], "AAAA"),
        (["places"], None),
        (["places", 0, "index"], False),
        (["places", 0, "index"], -1),
        (["places", 0, "index"], "0"),
        (["places", 0, "name"], "AAAA"),
        (["places", 0, "path", 0], "AAAA"),
        (["places", 0, "more"], 1),
        (["more"], 1),
    ],
)
def test_a_value_of_another_kind_is_no_proof(way: list, value: object) -> None:
    said = json.loads(proof_of("chat-1-2", "person-1").encode())
    place = said
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    with pytest.raises(Invalid, match="the file is no proof of membership") as refused:
        read_member(canonical(said))
    assert refused.value.fix == "take it as `assent where --proof` wrote it, unchanged"


def test_a_cut_and_a_leaf_may_have_the_number_nought() -> None:
    tree = MemberTree([name_of_person(person_key(KEY, "person-1"))])
    proof = prove_member(tree, CutName("spring", 0, "sha256:" + "a" * 64), person_key(KEY, "person-1"), None)
    assert read_member(proof.encode()) == proof
    assert (proof.number, proof.places[0].index, proof.conversation) == (0, 0, None)


def test_a_proof_may_be_as_long_as_any_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = proof_of("chat-1-2", "person-1")
    monkeypatch.setattr(membership, "MAX_BYTES", len(proof.encode()))
    assert read_member(proof.encode()) == proof
    monkeypatch.setattr(membership, "MAX_BYTES", len(proof.encode()) - 1)
    with pytest.raises(Invalid):
        read_member(proof.encode())


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b"\xff", b'{"membership":null}', b"[" * 100_000])
def test_a_manifest_without_a_tree_names_another(manifest: bytes) -> None:
    proof = replace(proof_of("chat-1-2", "person-1"), manifest=digest_bytes(manifest))
    with pytest.raises(Refused, match="names another tree of members") as refused:
        check_manifest(proof, manifest)
    assert refused.value.fix == "the proof was made for another cut"


def test_the_manifest_must_be_the_one_that_names_the_tree() -> None:
    manifest = canonical({"membership": tree_of().to_record()})
    proof = replace(proof_of("chat-1-2", "person-1"), manifest=digest_bytes(manifest))
    check_manifest(proof, manifest)
    with pytest.raises(Refused, match="not that of the proof") as refused:
        check_manifest(proof, manifest + b" ")
    assert refused.value.fix == "compare with the manifest of the same cut and number"
    with pytest.raises(Refused, match="another tree"):
        check_manifest(replace(proof, size=19), manifest)
    with pytest.raises(Refused, match="another tree"):
        check_manifest(replace(proof, root=bytes(32)), manifest)


def test_a_name_that_is_no_hash_is_refused() -> None:
    with pytest.raises(Invalid):
        MemberTree([b"short"])


# -- by somebody else, from the page alone ----------------------------------------------


def independent(data: bytes) -> bool | None:
    """Follow spec/membership.md, section 4, with hashes and nothing of ours; None for a proof that does not hold."""
    said = json.loads(data)
    root, key = b64decode(said["root"]), b64decode(said["key"])
    what = b"assent/membership/subject/v1"
    if said["conversation"] is not None:
        what = b"assent/membership/conversation/v1\n" + said["conversation"].encode()
    name, shown = hmac.new(key, what, "sha256").digest(), []
    for place in said["places"]:
        known, path = b64decode(place["name"]), [b64decode(step) for step in place["path"]]
        if climb(place["index"], said["size"], sha256(b"\0" + known).digest(), path) != root:
            return None
        shown.append((place["index"], known))
    ends = [(-1, b""), *shown, (said["size"], b"\xff" * 33)]
    if [known for _, known in shown] == [name]:
        found = True
    elif len(shown) <= 2 and any(
        left[0] + 1 == right[0] and left[1] < name < right[1] for left, right in pairwise(ends)
    ):
        found = False
    else:
        return None
    return found if found is said["member"] else None


def climb(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """Compute the root of `size` leaves from one of them and its path (RFC 6962 section 2.1.1)."""
    if size == 1 or not path:
        return leaf if size == 1 and not path else b""
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return sha256(b"\1" + climb(index, left, leaf, path[:-1]) + path[-1]).digest()
    return sha256(b"\1" + path[-1] + climb(index - left, size - left, leaf, path[:-1])).digest()


@pytest.mark.parametrize("people", [0, 1, 2, 3, 7, 20])
def test_a_verifier_written_from_the_page_agrees(people: int) -> None:
    tree = tree_of(people)
    for subject in (f"person-{n}" for n in range(-1, people + 2)):
        for conversation in (None, f"chat-{subject[7:]}-1", "chat-x"):
            proof = proof_of(conversation, subject, tree)
            assert independent(proof.encode()) is proof.member
            forged = replace(proof, member=not proof.member)
            assert independent(forged.encode()) is None
