"""What proves an erasure: leaves of tombstones, their tree, the chain of erasures and the record of one.

Normative text: spec/erasure.md. Everything here is a function of its arguments.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

import orjson

from assent.domain.digests import canonical
from assent.domain.errors import Invalid
from assent.domain.instants import format_instant, parse_instant
from assent.ledger.encoding import HASH_BYTES
from assent.ledger.merkle import inclusion_proof, leaf_hash, node_hash, root

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VERSION: Final = "assent/erasure/v1"
"""The value of `v` in every record; another meaning of any field gets another version."""

SALT_BYTES: Final = 32
FIRST: Final = bytes(HASH_BYTES)
"""What stands as `previous` in the first erasure of a chain."""

_LEAF: Final = "assent/tombstone/v1"
_CHAIN: Final = b"assent/erasure/chain/v1\n"
_COPY_KEYS: Final = ("store", "state", "at", "note")
_FEW: Final = 128


# -- leaves ------------------------------------------------------------------------------


def ground_of(rule: str, policy: str) -> str:
    """Return the end of a leaf's record: by which rule of which policy. Many leaves share it."""
    return f"{encode_basestring(rule)},{encode_basestring(policy)}]"


def leaf_record(conversation: str, part: str, erase_by: int, ground: str) -> bytes:
    """Write what a leaf says of a tombstone; `erase_by` in microseconds since 1970 (spec/erasure.md, section 2)."""
    return f'["{_LEAF}",{encode_basestring(conversation)},{encode_basestring(part)},{erase_by},{ground}'.encode()


def leaf_salt(salt: bytes, number: int) -> bytes:
    """Return the salt of one leaf: giving it away says nothing about the salts of the others."""
    return _salts(salt, number + 1)[-SALT_BYTES:]


def leaf_entry(salt: bytes, record: bytes) -> bytes:
    """Return the entry of the tree: the leaf's own salt, then its record."""
    return salt + record


def _salts(salt: bytes, leaves: int) -> bytes:
    if len(salt) != SALT_BYTES:
        raise Invalid(f"a salt of {len(salt)} bytes hides nothing", f"draw {SALT_BYTES} random bytes")
    return hashlib.shake_256(salt).digest(SALT_BYTES * leaves)


class Tree:
    """The Merkle tree (RFC 6962 section 2.1) over the leaves of one erasure, held whole."""

    def __init__(self, salt: bytes, records: Sequence[bytes]) -> None:
        """Build it over records in the order of their leaves."""
        salts = _salts(salt, len(records))
        own = (salts[at : at + SALT_BYTES] for at in range(0, len(salts), SALT_BYTES))
        level = [leaf_hash(leaf_entry(one, record)) for one, record in zip(own, records, strict=True)]
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
            self._levels.append(level)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The hash that stands for all leaves."""
        return root(self.size, self._read)

    def proof(self, number: int) -> list[bytes]:
        """Name the hashes that lead from a leaf to the root."""
        return inclusion_proof(number, self.size, self._read)

    def _read(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


# -- slots -------------------------------------------------------------------------------


def pack(slots: Iterable[int]) -> bytes:
    """Write slot numbers as runs: the gap since the last run and the run's length, each as unsigned LEB128."""
    packed, behind, start, stop = bytearray(), 0, -1, -1
    for slot in sorted(set(slots)):
        if slot == stop:
            stop += 1
            continue
        if start >= 0:
            _put(packed, start - behind, stop - start)
            behind = stop
        start, stop = slot, slot + 1
    if start >= 0:
        _put(packed, start - behind, stop - start)
    return bytes(packed)


def unpack(packed: bytes) -> list[int]:
    """Read slot numbers, ascending. Raises `Invalid` for bytes that `pack` does not write."""
    numbers, number, shift = [], 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < _FEW:
            numbers.append(number)
            number = shift = 0
    slots: list[int] = []
    behind = 0
    for gap, length in zip(numbers[::2], numbers[1::2], strict=False):
        slots += range(behind + gap, behind + gap + length)
        behind += gap + length
    if shift or len(numbers) % 2 or pack(slots) != packed:
        raise Invalid("the slots of an erasure cannot be read", "restore the store from a backup, then replay")
    return slots


def _put(packed: bytearray, *numbers: int) -> None:
    for number in numbers:
        rest = number
        while rest >= _FEW:
            packed.append(rest & 0x7F | 0x80)
            rest >>= 7
        packed.append(rest)


# -- chain and record --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """What one erasure puts into the chain; the hashes are 32 bytes, `slots` the digest of the packed slots."""

    id: int
    kind: str
    at: datetime
    parts: int
    root: bytes
    slots: bytes
    previous: bytes


def chain_of(link: Link) -> bytes:
    """Hash an erasure together with the one before it (spec/erasure.md, section 3)."""
    return hashlib.sha256(_CHAIN + canonical(_named(link))).digest()


def first_broken(links: Sequence[tuple[Link, bytes]], previous: bytes = FIRST) -> int | None:
    """Return the number of the first erasure that does not follow from `previous` or is not what its hash says."""
    for link, chain in links:
        if link.previous != previous or chain_of(link) != chain:
            return link.id
        previous = chain
    return None


@dataclass(frozen=True, slots=True)
class Copy:
    """What one derived store answered: `removed`, `pending maintenance` or `not reachable`, and when."""

    store: str
    state: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """The record of a finished erasure, to which a leaf of the ledger commits (spec/erasure.md, section 4).

    `policies` are the digests that the tombstones carry, sorted; `keys_destroyed_at` is when
    the last key was gone.
    """

    link: Link
    chain: bytes
    policies: tuple[str, ...]
    keys_destroyed_at: datetime
    copies: tuple[Copy, ...]

    def encode(self) -> bytes:
        """Write the record as canonical JSON."""
        return canonical(
            {
                **_named(self.link),
                "v": VERSION,
                "chain": self.chain.hex(),
                "policies": list(self.policies),
                "keys_destroyed_at": format_instant(self.keys_destroyed_at),
                "copies": [
                    {"store": copy.store, "state": copy.state, "at": format_instant(copy.at), "note": copy.note}
                    for copy in self.copies
                ],
            }
        )

    def holds(self) -> bool:
        """Tell whether the record's chain hash is the hash of what it says."""
        return chain_of(self.link) == self.chain


def parse_erasure(data: bytes) -> ErasureRecord:
    """Read a record. Raises `Invalid` for anything but the one spelling that `encode` writes."""
    try:
        record = _record(orjson.loads(data))
        if record.encode() == data:
            return record
    except (ValueError, KeyError, TypeError, AttributeError, Invalid):
        pass
    raise Invalid("this is no record of an erasure", f"give the record as it was written, `v` is `{VERSION}`")


def _record(value: dict[str, Any]) -> ErasureRecord:
    hashes = {name: _hash(value[name]) for name in ("root", "slots", "previous", "chain")}
    texts = [value["kind"], *value["policies"], *(copy[name] for copy in value["copies"] for name in _COPY_KEYS)]
    numbers = [value["id"], value["parts"]]
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise Invalid("a value is of another type", "give the record as it was written")
    return ErasureRecord(
        Link(
            value["id"],
            value["kind"],
            parse_instant(value["at"]),
            value["parts"],
            hashes["root"],
            hashes["slots"],
            hashes["previous"],
        ),
        hashes["chain"],
        tuple(value["policies"]),
        parse_instant(value["keys_destroyed_at"]),
        tuple(Copy(c["store"], c["state"], parse_instant(c["at"]), c["note"]) for c in value["copies"]),
    )


def _hash(digits: str) -> bytes:
    found = bytes.fromhex(digits)
    if len(found) != HASH_BYTES:
        raise Invalid("a hash has another length", f"write {2 * HASH_BYTES} hexadecimal digits")
    return found


def _named(link: Link) -> dict[str, object]:
    return {
        "id": link.id,
        "kind": link.kind,
        "at": format_instant(link.at),
        "parts": link.parts,
        "root": link.root.hex(),
        "slots": link.slots.hex(),
        "previous": link.previous.hex(),
    }
