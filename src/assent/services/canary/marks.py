"""What a canary wrote, and how it is found again: by its name, by its marker, by sentences that nobody else writes.

A marker looks like a secret, which redaction takes out; a sentence looks like any other and stays.
Both are made from the seed of the canary, which is all that the store keeps of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from assent.services.reconcile.tracers import BEGIN, markers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assent.store.records import Tracer

PREFIX: Final = "canary:"
"""How the names of all canaries begin; the kind stands behind it."""

_SENTENCES: Final = 4
_WORDS: Final = (
    "patient quiet hasty clever gentle stubborn nervous cheerful sleepy curious honest clumsy brave lazy shy tidy",
    "badger heron otter beetle walrus magpie lizard donkey falcon hare lobster pigeon weasel turtle ferret crow",
    "copper velvet wooden crooked striped dusty hollow painted broken narrow heavy rusty folded woollen silver muddy",
    "ladder teapot violin lantern basket compass blanket hammer mirror suitcase kettle bucket ribbon saddle oar drum",
    "lighthouse orchard railway bakery harbour chapel quarry stable library windmill meadow tunnel market dam cave inn",
)
_CHOICES: Final = tuple(words.split() for words in _WORDS)
_VERBS: Final = ("borrowed", "returned", "painted", "measured")
_PLACES: Final = ("behind", "beside", "for", "inside")

PATTERN: Final = (
    rf"{PREFIX}[a-z]+:[0-9a-f]{{32}}|{BEGIN}[0-9a-f]{{64}}"
    rf"|[a-z]+\s+[a-z]+\s+(?:{'|'.join(_VERBS)})\s+a\s+[a-z]+\s+[a-z]+\s+(?:{'|'.join(_PLACES)})\s+the\s+[a-z]+"
)
"""What all canaries' names, markers and sentences look like (RE2, in any case)."""

_FOUND: Final = re.compile(PATTERN, re.IGNORECASE)


def kind_of(canary: Tracer) -> str:
    """Return why nothing of this canary may be used."""
    return canary.conversation.split(":")[1]


def sentences_of(canary: Tracer) -> list[str]:
    """Make the sentences of a canary; each is one of 1,048,576, all of which nobody else has a reason to write."""
    drawn = b"".join(hmac.digest(canary.seed, b"sentence %d" % number, hashlib.sha256) for number in range(_SENTENCES))
    found = []
    for number in range(_SENTENCES):
        a, b, c, d, e = (words[drawn[32 * number + at] % len(words)] for at, words in enumerate(_CHOICES))
        found.append(f"{a} {b} {_VERBS[number]} a {c} {d} {_PLACES[number]} the {e}")
    return found


def text_of(canary: Tracer) -> str:
    """Write what the made-up person said."""
    told = ". ".join(f"The {sentence}" for sentence in sentences_of(canary))
    return f"Nobody said this, and no training set may hold it. {told}. It ends with {markers_of(canary)[0].decode()}"


def owners(canaries: Iterable[Tracer]) -> Mapping[str, str]:
    """Map everything by which a canary is found to its name."""
    found: dict[str, str] = {}
    for canary in canaries:
        marks = [canary.conversation, *(marker.decode() for marker in markers_of(canary)), *sentences_of(canary)]
        found.update(dict.fromkeys(marks, canary.conversation))
    return found


def found_in(text: str, known: Mapping[str, str]) -> set[tuple[str, bool]]:
    """Return the canaries that a text is about, each with whether it only names them."""
    hits = (" ".join(hit.lower().split()) for hit in _FOUND.findall(text))
    return {(known[hit], hit.startswith(PREFIX)) for hit in hits if hit in known}
