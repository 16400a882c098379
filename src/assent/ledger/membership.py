"""Who is in a cut and who is not, provable to one person at a time (spec/membership.md).

The members of a cut stand in a Merkle tree (RFC 6962 section 2.1), sorted by names that only the
holder of a person's key can make. Being in it is shown by the way to the root, not being in it
by the two neighbours between which the name would stand. Everything here is a function of its
arguments.
"""

from __future__ import annotations

import hmac
import json
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import Invalid, Refused
from assent.ledger.encoding import HASH_BYTES, read_hash, write_base64
from assent.ledger.merkle import inclusion_proof, leaf_hash, node_hash, root, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT: Final = 1
"""Version of the form of a proof."""

MAX_BYTES: Final = 64 * 1024
"""A proof is some 5 kB; what is longer is none."""

_PERSON: Final = b"assent/membership/person/v1\n"
_SUBJECT: Final = b"assent/membership/subject/v1"
_CONVERSATION: Final = b"assent/membership/conversation/v1\n"


# -- names ------------------------------------------------------------------------------


def person_key(cut_key: bytes, subject: str) -> bytes:
    """Make the key of one person in one cut. It opens nothing of anybody else, and nothing in another cut."""
    return hmac.digest(cut_key, _PERSON + subject.encode(), "sha256")


def name_of_person(key: bytes) -> bytes:
    """Name a person in the tree, by their key."""
    return hmac.digest(key, _SUBJECT, "sha256")


def name_of_conversation(key: bytes, conversation: str) -> bytes:
    """Name a conversation in the tree, by its person's key."""
    return hmac.digest(key, _CONVERSATION + conversation.encode(), "sha256")


def names_of(cut_key: bytes, members: Iterable[tuple[str, str | None]]) -> set[bytes]:
    """Name everybody in a cut. `members` are (conversation, subject); nobody's have the subject of no letters."""
    found: set[bytes] = set()
    keys: dict[str, bytes] = {}
    for conversation, subject in members:
        whose = subject or ""
        if whose not in keys:
            keys[whose] = person_key(cut_key, whose)
            if subject:
                found.add(name_of_person(keys[whose]))
        found.add(name_of_conversation(keys[whose], conversation))
    return found


# -- the tree ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """One leaf of the tree: its index, the name that stands there, and the way from it to the root."""

    index: int
    name: bytes
    path: tuple[bytes, ...]


class MemberTree:
    """The sorted tree over the names of a cut, held whole: 64 bytes a name."""

    def __init__(self, names: Iterable[bytes]) -> None:
        """Build it. Names that come twice stand once. Raises `Invalid` for a name that is no hash."""
        self._names = sorted(set(names))
        if any(len(name) != HASH_BYTES for name in self._names):
            raise Invalid("a name of a member is not a hash", "make it with `names_of`")
        level = [leaf_hash(name) for name in self._names]
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    @property
    def size(self) -> int:
        """How many names there are."""
        return len(self._names)

    @property
    def root(self) -> bytes:
        """The hash that stands for all names."""
        return root(self.size, self._read)

    def to_record(self) -> dict[str, object]:
        """Write what the manifest says of it."""
        return {"root": write_base64(self.root), "size": self.size}

    def around(self, name: bytes) -> tuple[bool, tuple[Place, ...]]:
        """Tell whether a name is in the tree, and show it: by its own place, or by its neighbours."""
        at = bisect_left(self._names, name)
        if at < self.size and self._names[at] == name:
            return True, (self._place(at),)
        return False, tuple(self._place(near) for near in (at - 1, at) if 0 <= near < self.size)

    def _place(self, at: int) -> Place:
        return Place(at, self._names[at], tuple(inclusion_proof(at, self.size, self._read)))

    def _read(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


def verify_member(name: bytes, size: int, top: bytes, places: Iterable[Place]) -> bool:
    """Tell whether a name is in the tree of this size and root. Raises `Refused` for places that do not show it."""
    shown = tuple(places)
    for place in shown:
        if not verify_inclusion(place.index, size, leaf_hash(place.name), place.path, top):
            raise Refused("a name is not where the proof says", "it does not belong to this tree: ask for a new proof")
    if len(shown) == 1 and shown[0].name == name:
        return True
    if not _enclose(name, size, shown):
        raise Refused("the proof leaves room for the name", "the two neighbours, or the end of the tree, must be shown")
    return False


def _enclose(name: bytes, size: int, shown: tuple[Place, ...]) -> bool:
    """Tell whether there is no leaf left at which the name could stand."""
    if size == 0:
        return not shown
    first, last = (shown[0], shown[-1]) if shown else (None, None)
    if first is None or last is None:
        return False
    if len(shown) == 1:
        return (first.index == 0 and name < first.name) or (first.index == size - 1 and first.name < name)
    return len(shown) == 2 and last.index == first.index + 1 and first.name < name < last.name


# -- the file ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberProof:
    """That a person or one of their conversations is in a cut, or is not. It is for that person: it holds their key.

    `manifest` is the digest of the cut's manifest, which names `root` and `size`. Without a `conversation` it is about
    the person.
    """

    cut: str
    number: int
    manifest: str
    root: bytes
    size: int
    key: bytes
    conversation: str | None
    member: bool
    places: tuple[Place, ...]

    def encode(self) -> bytes:
        """Write the file: canonical JSON."""
        return canonical(
            {
                "assent_membership": FORMAT,
                "cut": {"name": self.cut, "number": self.number, "manifest": self.manifest},
                "root": write_base64(self.root),
                "size": self.size,
                "key": write_base64(self.key),
                "conversation": self.conversation,
                "member": self.member,
                "places": [
                    {
                        "index": place.index,
                        "name": write_base64(place.name),
                        "path": [write_base64(step) for step in place.path],
                    }
                    for place in self.places
                ],
            }
        )


@dataclass(frozen=True, slots=True)
class CutName:
    """A cut: its name, its number, and the digest of its manifest."""

    name: str
    number: int
    manifest: str


def prove_member(tree: MemberTree, cut: CutName, key: bytes, conversation: str | None) -> MemberProof:
    """Prove that a conversation, or the person of this key, is in a cut or is not."""
    name = name_of_person(key) if conversation is None else name_of_conversation(key, conversation)
    member, places = tree.around(name)
    said = (cut.name, cut.number, cut.manifest, tree.root, tree.size)
    return MemberProof(*said, key, conversation, member, places)


def read_member(data: bytes) -> MemberProof:
    """Read a proof. Raises `Invalid` for bytes that `encode` does not write."""
    try:
        proof = _read(json.loads(data)) if len(data) <= MAX_BYTES else None
        if proof is not None and _sound(proof) and proof.encode() == data:
            return proof
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Invalid):
        pass
    raise Invalid("the file is no proof of membership", "take it as `assent where --proof` wrote it, unchanged")


def _read(said: dict[str, Any]) -> MemberProof:
    if said["assent_membership"] != FORMAT:
        raise Invalid("another form")
    return MemberProof(
        cut=said["cut"]["name"],
        number=said["cut"]["number"],
        manifest=said["cut"]["manifest"],
        root=read_hash(said["root"], "root"),
        size=said["size"],
        key=read_hash(said["key"], "key"),
        conversation=said["conversation"],
        member=said["member"],
        places=tuple(map(_place, said["places"])),
    )


def _sound(proof: MemberProof) -> bool:
    numbers = (proof.number, proof.size, *(place.index for place in proof.places))
    texts = (proof.cut, proof.manifest, "" if proof.conversation is None else proof.conversation)
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(type(text) is str for text in texts)
        and type(proof.member) is bool
    )


def _place(said: dict[str, Any]) -> Place:
    path = tuple(read_hash(step, "step") for step in said["path"])
    return Place(said["index"], read_hash(said["name"], "name"), path)


def verify_proof(proof: MemberProof) -> None:
    """Check that a proof shows what it says. Raises `Refused` with the reason."""
    key = proof.key
    name = name_of_person(key) if proof.conversation is None else name_of_conversation(key, proof.conversation)
    if verify_member(name, proof.size, proof.root, proof.places) is not proof.member:
        raise Refused("the proof shows the opposite of what it says", "it was changed: ask for a new one")


def check_manifest(proof: MemberProof, manifest: bytes) -> None:
    """Check that a manifest is the one that a proof is about, and names its tree. Raises `Refused` with the reason."""
    if digest_bytes(manifest) != proof.manifest:
        raise Refused("the manifest is not that of the proof", "compare with the manifest of the same cut and number")
    try:
        said = json.loads(manifest)["membership"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = None
    if said != {"root": write_base64(proof.root), "size": proof.size}:
        raise Refused("the manifest names another tree of members", "the proof was made for another cut")
