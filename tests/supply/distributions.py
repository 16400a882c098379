"""What `assent` runs on, read from the lock and from what is installed: versions, hashes, licences, who needs whom."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "dev.txt"
BESIDE_THE_LOCK = {"torch"}
"""Which of its builds is right depends on the machine (docs/adr/0003-dependencies.md)."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\\n]+))?(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_MACHINE_CODE = re.compile(r"\.(?:so|pyd|dll|dylib)(?:\.|$)|driver/node$")

LICENCES = {
    "MIT": "MIT", "MIT License": "MIT", "BSD License": "BSD-3-Clause", "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0", "Apache 2.0 License": "Apache-2.0",
    "ISC License (ISCL)": "ISC", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense", "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "Python Software Foundation License": "PSF-2.0",
}  # fmt: skip
"""The words of classifiers and of free text, as SPDX identifiers."""


@dataclass(frozen=True)
class Pinned:
    """One line of a lock: the version, and the SHA-256 of every file that may be installed for it."""

    name: str
    version: str
    hashes: tuple[str, ...]


@cache
def locked(path: Path = LOCK) -> dict[str, Pinned]:
    """Read what a lock installs on this machine, by normalised name."""
    return {
        canonicalize_name(name): Pinned(canonicalize_name(name), version, tuple(_HASH.findall(rest)))
        for name, version, marker, rest in _PINNED.findall(path.read_text("utf-8"))
        if not marker or Marker(marker).evaluate()
    }


def asked_for() -> dict[str, list[Requirement]]:
    """Return what the package asks for: under "" always, under the name of an extra with that extra."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(one) for one in said] for extra, said in lists.items()}


def needs(requirement: Requirement) -> Iterator[Requirement]:
    """Yield what a distribution asks for on this machine, with the extras that are asked of it."""
    for said in metadata.distribution(requirement.name).requires or ():
        one = Requirement(said)
        extras = requirement.extras or {""}
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield one


def all_of(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """Follow requirements to the end: every distribution by name, each with what it needs itself."""
    graph: dict[str, set[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(requirements)
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if (name, frozenset(one.extras)) in seen or name in BESIDE_THE_LOCK:
            continue
        seen.add((name, frozenset(one.extras)))
        inner = list(needs(one))
        graph.setdefault(name, set()).update({canonicalize_name(each.name) for each in inner} - BESIDE_THE_LOCK)
        waiting += inner
    return graph


def licence_of(name: str) -> str:
    """Return the licence that a distribution states, as an SPDX expression; several classifiers are a choice."""
    told = metadata.metadata(name)
    if said := told.get("License-Expression"):
        return str(said)
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License ::")
    ]
    words = classifiers or [(told.get("License") or "").strip().splitlines()[0] if told.get("License") else ""]
    return " OR ".join(LICENCES.get(one, one) for one in words)


def has_machine_code(name: str) -> bool:
    """Tell whether a distribution brings compiled code."""
    return any(_MACHINE_CODE.search(str(path)) for path in metadata.files(name) or ())
