"""C2SP signed-note: text with signature lines, and the keys that make and check them.

text, ends in newline
(empty line)
— <key name> base64(key id || signature)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from assent.domain.errors import Invalid
from assent.ledger.cosignature import TIME_BYTES, ed25519_message, ml_dsa_44_message
from assent.ledger.encoding import MAX_SIZE, read_base64, write_base64

# Signature types of C2SP signed-note and tlog-cosignature that assent makes and checks.
ED25519: Final = 0x01
COSIGNATURE_ED25519: Final = 0x04
COSIGNATURE_ML_DSA_44: Final = 0x06

MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100  # as many as Go's note package reads; the standard asks for at least 16
SEED_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_READ_KEYS: Final = 16
_PUBLIC_KEY_BYTES: Final = {ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_ML_DSA_44: 1312}
_DASH: Final = "— "
_FORBIDDEN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # control characters, lone surrogates


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name, for one signature type; name and key id together identify it."""

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse a name or key that no note can carry."""
        _check_name(self.name)
        if len(self.public_key) != _PUBLIC_KEY_BYTES.get(self.algorithm):
            raise Invalid(
                f"the key of `{self.name}` is of no type this version knows",
                "use an Ed25519 key (type 1 or 4) or an ML-DSA-44 key (type 6)",
            )

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed_key).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The text form that other tools read: name, key id in hex, base64 of type and key."""
        return f"{self.name}+{self.key_id.hex()}+{write_base64(self._typed_key)}"

    @property
    def timestamped(self) -> bool:
        """Whether its signatures are cosignatures, which carry the instant of signing."""
        return self.algorithm in {COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44}

    @property
    def _typed_key(self) -> bytes:
        return bytes([self.algorithm]) + self.public_key

    def check(self, text: str, signature: bytes) -> int:
        """Verify a signature of the text; give its POSIX timestamp, 0 where the type has none.

        Raises `Invalid` where the signature does not hold.
        """
        at, signature = _split_time(signature) if self.timestamped else (0, signature)
        if at > MAX_SIZE or not self._holds(_message(self.name, self.algorithm, text, at), signature):
            raise Invalid(f"the signature of `{self.name}` does not hold", "trust nothing in this note")
        return at

    def _holds(self, message: bytes, signature: bytes) -> bool:
        try:
            if self.algorithm == COSIGNATURE_ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(self.public_key).verify(signature, message)
            else:
                _ed25519(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key under a name: the 32-byte seed from which Ed25519 or ML-DSA-44 keys are made."""

    name: str
    algorithm: int
    seed: bytes

    def __post_init__(self) -> None:
        """Refuse a name, type or seed that makes no key."""
        _check_name(self.name)
        if self.algorithm not in _PUBLIC_KEY_BYTES or len(self.seed) != SEED_BYTES:
            raise Invalid(
                f"the key of `{self.name}` is not a seed of {SEED_BYTES} bytes of a known type", "make it new"
            )

    def __repr__(self) -> str:
        """Show the name and type only: a seed in a log or traceback would have to be replaced."""
        return f"Signer({self.name!r}, type {self.algorithm})"

    @property
    def verifier(self) -> Verifier:
        """The public half, to be handed out."""
        return _verifier_of(self)

    def encode(self) -> str:
        """Write the private key in the text form of Go's note package."""
        typed = bytes([self.algorithm]) + self.seed
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{write_base64(typed)}"

    def sign(self, text: str, *, at: int = 0) -> str:
        """Make one signature line for the text; a cosignature says `at` (POSIX seconds) when it was made."""
        if not 0 <= at <= MAX_SIZE:
            raise Invalid(f"`{at}` is no time of a cosignature", "give POSIX seconds")
        verifier = self.verifier
        signature = _private_of(self).sign(_message(self.name, self.algorithm, text, at))
        time = at.to_bytes(TIME_BYTES, "big") if verifier.timestamped else b""
        return f"{_DASH}{self.name} {write_base64(verifier.key_id + time + signature)}\n"


# A key is read once and not for every signature: that takes longer than to sign.
@lru_cache(maxsize=_READ_KEYS)
def _ed25519(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


@lru_cache(maxsize=_READ_KEYS)
def _private_of(signer: Signer) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if signer.algorithm == COSIGNATURE_ML_DSA_44:
        return MLDSA44PrivateKey.from_seed_bytes(signer.seed)
    return Ed25519PrivateKey.from_private_bytes(signer.seed)


@lru_cache(maxsize=_READ_KEYS)
def _verifier_of(signer: Signer) -> Verifier:
    return Verifier(signer.name, signer.algorithm, _private_of(signer).public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: whose, and for a cosignature when (POSIX seconds, else 0)."""

    verifier: Verifier
    at: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The text of a note that at least one known key signed, and every known signature on it."""

    text: str
    signatures: tuple[Signed, ...]

    @property
    def verified(self) -> tuple[str, ...]:
        """The names whose signatures hold, each once."""
        return tuple(dict.fromkeys(signed.verifier.name for signed in self.signatures))


def parse_verifier(vkey: str) -> Verifier:
    """Read a public key in its text form, or raise `Invalid`."""
    name, key_id, key = _split_key(vkey, "the public key")
    verifier = Verifier(name, key[0], key[1:])
    if verifier.key_id.hex() != key_id:
        raise Invalid(f"the key id of `{name}` does not belong to its key", "copy the key again, unchanged")
    return verifier


def new_signer(name: str, seed: bytes, algorithm: int = ED25519) -> Signer:
    """Make a signer from 32 random bytes."""
    return Signer(name, algorithm, seed)


def parse_signer(text: str) -> Signer:
    """Read a private key in the text form of Go's note package, or raise `Invalid` without showing it."""
    prefix = "PRIVATE+KEY+"
    if not text.startswith(prefix):
        raise Invalid("this is no private key of a ledger", f"it starts with `{prefix}`")
    name, key_id, key = _split_key(text.removeprefix(prefix), "the private key")
    signer = Signer(name, key[0], key[1:])
    if signer.verifier.key_id.hex() != key_id:
        raise Invalid(f"the key id of `{name}` does not belong to its key", "copy the key again, unchanged")
    return signer


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """Write a note: the text and one signature line a signer."""
    _check_text(text)
    if not text.endswith("\n"):
        raise Invalid("the text of a note does not end in a newline", "add one")
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def open_note(note: str, verifiers: Sequence[Verifier]) -> Opened:
    """Check a note against known keys and give its text.

    Lines of unknown keys are ignored, as the standard says. Raises `Invalid` where the note is
    malformed, where any signature of a known key does not hold, or where no known key signed.
    """
    known = _by_identity(verifiers)
    text, lines = split_note(note)
    signatures: list[Signed] = []
    for line in lines:
        name, blob = _split_line(line)
        verifier = known.get((name, blob[:_KEY_ID_BYTES]))
        if verifier is not None:
            signatures.append(Signed(verifier, verifier.check(text, blob[_KEY_ID_BYTES:])))
    if not signatures:
        raise Invalid("no known key signed this note", "check that you hold the right public key")
    return Opened(text, tuple(signatures))


def split_note(note: str) -> tuple[str, list[str]]:
    """Take a note apart into its text and its signature lines, believing neither, or raise `Invalid`."""
    _check_text(note)
    text, blank, block = note.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise Invalid("the note has no signature lines after an empty line", "copy the note again, whole")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Invalid(f"the note has more than {MAX_SIGNATURES} signatures", "leave out those you do not need")
    return text + "\n", lines


def unsigned_text(note: str) -> str:
    """Give the text of a note whose signature lines have their form, believing none of them, or raise `Invalid`."""
    text, lines = split_note(note)
    for line in lines:
        _split_line(line)
    return text


def _split_line(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise Invalid("a signature line is not an em dash, a name and a signature", "copy the note again, unchanged")
    _check_name(name)
    blob = read_base64(encoded, "signature")
    if len(blob) <= _KEY_ID_BYTES:
        raise Invalid("a signature is too short", "copy the note again, whole")
    return name, blob


def _split_key(text: str, what: str) -> tuple[str, str, bytes]:
    """Take `name+key id+base64` apart; base64 itself may contain a plus."""
    name, _, rest = text.partition("+")
    key_id, plus, encoded = rest.partition("+")
    if not plus:
        raise Invalid(f"{what} is not a name, a key id and a key joined by `+`", "copy it again, whole")
    return name, key_id, read_base64(encoded, "key")


def _by_identity(verifiers: Sequence[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise Invalid(f"two different keys of `{verifier.name}` have one key id", "remove the one you do not trust")
    return known


def _message(name: str, algorithm: int, text: str, at: int) -> bytes:
    if algorithm == ED25519:
        return text.encode()
    if algorithm == COSIGNATURE_ED25519:
        return ed25519_message(text, at)
    return ml_dsa_44_message(name, text, at)


def _split_time(signature: bytes) -> tuple[int, bytes]:
    return int.from_bytes(signature[:TIME_BYTES], "big"), signature[TIME_BYTES:]


def _check_text(text: str) -> None:
    if len(text) > MAX_NOTE_BYTES or len(text.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise Invalid(f"the note is longer than {MAX_NOTE_BYTES} bytes", "leave out signatures you do not need")
    if _FORBIDDEN.search(text):
        raise Invalid("the note holds control characters or is not UTF-8", "copy the note again, unchanged")


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise Invalid("a key's name is empty or holds a space or a plus", "name it like `example.com/log`")
