"""Bias probes: harmless texts in a dialect, or about a group of people, each beside a twin that is in no such words.

The files beside this module (`probes/*.toml`) hold them. Nothing is ever learned from them, so what a detector says of
the two halves of a probe differs by the dialect or the word for the group alone.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT: Final = "dialect"
IDENTITY: Final = "identity"


class Probe(NamedTuple):
    """Two harmless texts: `text` is in a dialect or names a group of people, `twin` says the same and does not.

    `kind` is `DIALECT` or `IDENTITY`, `group` which dialect, or which kind of groups.
    """

    kind: str
    group: str
    text: str
    twin: str


def probes() -> Iterator[Probe]:
    """Give every probe, in the order of the files."""
    for group, block in _table("dialects").items():
        for line in block.splitlines():
            twin, _, text = line.partition(" | ")
            yield Probe(DIALECT, group, text, twin)
    identity = _table("identity")
    sentences, nobody = identity["sentences"].splitlines(), identity["nobody"].splitlines()
    for group, block in identity["groups"].items():
        for number, who in enumerate(block.splitlines()):
            for place, sentence in enumerate(sentences):
                other = nobody[(number + place) % len(nobody)]
                yield Probe(IDENTITY, group, sentence.replace("{who}", who), sentence.replace("{who}", other))


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("probes", f"{name}.toml").read_text("utf-8"))
