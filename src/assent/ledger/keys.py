"""Rotation of the log's keys as data: each change is a note that the outgoing key signed.

assent/keys/v1
<origin>
<tree size from which the new keys sign>
<public key>            one line each
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from assent.domain.errors import Invalid
from assent.ledger.encoding import MAX_SIZE, read_decimal
from assent.ledger.note import ED25519, Verifier, open_note, parse_verifier

MAX_KEYS: Final = 16
_HEADER: Final = "assent/keys/v1"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """From tree size `size` on, the log `origin` signs with these keys.

    At exactly `size` the outgoing keys still sign too: the last checkpoint of the old key and the
    first of the new one state the same tree. One key at least is of type 1 (Ed25519): the other
    types can sign checkpoints only, so they could never hand over.
    """

    origin: str
    size: int
    verifiers: tuple[Verifier, ...]

    def __post_init__(self) -> None:
        """Refuse a list that is empty, too long, repeats a key or names keys of anybody else."""
        if not 1 <= len(set(self.verifiers)) == len(self.verifiers) <= MAX_KEYS or not 0 <= self.size <= MAX_SIZE:
            raise Invalid(f"a change of keys does not name 1 to {MAX_KEYS} different keys", "name each new key once")
        if any(verifier.name != self.origin for verifier in self.verifiers):
            raise Invalid(f"a key is not named `{self.origin}` like the log", "name the log's keys after its origin")
        if not _that_hand_over(self.verifiers):
            raise Invalid("a change of keys names no Ed25519 key", "keep one of type 1 beside the others")

    @property
    def text(self) -> str:
        """The text that an outgoing key signs."""
        lines = (_HEADER, self.origin, str(self.size), *(verifier.vkey for verifier in self.verifiers))
        return "".join(f"{line}\n" for line in lines)


def parse_key_change(text: str) -> KeyChange:
    """Read the text of a change of keys (without signatures), or raise `Invalid`."""
    header, *lines = text.split("\n")
    if header != _HEADER or len(lines) < 4 or lines.pop():
        raise Invalid(f"this is no change of keys: it does not start with `{_HEADER}`", "give the note, whole")
    origin, size, *vkeys = lines
    return KeyChange(origin, read_decimal(size, "tree size"), tuple(map(parse_verifier, vkeys)))


def follow_keys(notes: Iterable[str], trusted: Verifier, *, size: int | None = None) -> list[Verifier]:
    """Follow changes of keys, oldest first, from a key that is trusted to the keys in force.

    With `size`, gives the keys that may sign a checkpoint of that tree size; without, the newest.
    Every change must be signed by an Ed25519 key that the one before it put in force, and none may
    start at a smaller tree. Raises `Invalid` otherwise.
    """
    current, latest = [trusted], -1
    in_force = list(current)
    for note in notes:
        change = parse_key_change(open_note(note, _that_hand_over(current)).text)
        if change.origin != trusted.name:
            raise Invalid(f"a change of keys is not about the log `{trusted.name}`", "give the changes of that log")
        if change.size < latest:
            raise Invalid("a change of keys starts before the one it follows", "give the changes oldest first")
        current, latest = list(change.verifiers), change.size
        if size is None or change.size < size:
            in_force = current
        elif change.size == size:
            in_force += [verifier for verifier in current if verifier not in in_force]
    return in_force


def _that_hand_over(verifiers: Sequence[Verifier]) -> list[Verifier]:
    return [verifier for verifier in verifiers if verifier.algorithm == ED25519]
