"""What several cuts say together about what a model was trained on.

Two cuts of one store share rows, and manifests do not say which. So a total is a range: at
least the largest cut, at most the sum. Where one number is asked for, both ends must give it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import digest, digest_bytes
from assent.domain.errors import Invalid, NotFound
from assent.pipeline.outputs.card import steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FORM: Final = 2
"""The form of manifests that are read (spec/manifest.md)."""

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is known within limits, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.low:,}" if self.low == self.high else f"between {self.low:,} and {self.high:,}"


@dataclass(frozen=True, slots=True)
class Training:
    """Cuts added up. `first` and `last` are instants (ISO 8601), None where no source says when; shares are counts."""

    cuts: tuple[tuple[str, int, str], ...]
    parts: Range
    conversations: Range
    people: Range
    tokens: Range
    first: str | None
    last: str | None
    purposes: tuple[str, ...]
    surfaces: tuple[str, ...]
    modalities: tuple[str, ...]
    languages: Counter[str]
    skills: Counter[str]
    blocks: tuple[str, ...]
    left_out: int
    found: Counter[str]


def read_manifests(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Read the manifests of cuts. Raises `NotFound` or `Invalid`; a cut that is named twice counts once."""
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        path = folder / _MANIFEST
        if not path.is_file():
            raise NotFound(f"there is no `{_MANIFEST}` in `{folder.name}`", "give the folder of a cut")
        content = path.read_bytes()
        found[digest_bytes(content)] = _manifest(content, folder.name)
    return list(found.values())


def _manifest(content: bytes, name: str) -> dict[str, Any]:
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise Invalid(f"`{_MANIFEST}` in `{name}` is not the manifest of a cut", "write the cut again")
    if table.get("assent_cut") != FORM:
        raise Invalid(f"`{name}` is a cut of another form than `{FORM}`", "write the cut again with this assent")
    return table


def training(lineage: Sequence[Mapping[str, Any]]) -> Training:
    """Add up what cuts say. Raises `Invalid` for a manifest that lacks a number."""
    try:
        return _summed(lineage)
    except (KeyError, TypeError) as lacking:
        raise Invalid(f"a manifest of the lineage lacks `{lacking}`", "write the cut again") from None


def _summed(lineage: Sequence[Mapping[str, Any]]) -> Training:
    counts = [manifest["counts"] for manifest in lineage]
    tokens = [_tokens(found) for found in counts]
    frames = [manifest["timeframe"] for manifest in lineage]
    done = [did for found in counts for did in found["by_block"].values()]
    return Training(
        cuts=tuple((manifest["name"], manifest["number"], digest(manifest)) for manifest in lineage),
        parts=_range(found["written"] for found in counts),
        conversations=_range(found["conversations"] for found in counts),
        people=_range(found["people"] for found in counts),
        tokens=Range(max((one.low for one in tokens), default=0), sum(one.high for one in tokens)),
        first=min((frame["first"] for frame in frames if frame["first"]), default=None),
        last=max((frame["last"] for frame in frames if frame["last"]), default=None),
        purposes=_union(manifest["purpose"] for manifest in lineage),
        surfaces=_union(name for manifest in lineage for name in manifest["surfaces"]),
        modalities=_union(name for manifest in lineage for name in manifest["modalities"]),
        languages=_added(found["by_language"] for found in counts),
        skills=_added(found["by_skill"] for found in counts),
        blocks=tuple(dict.fromkeys(name for manifest in lineage for name in steps(manifest))),
        left_out=sum(number for did in done for number in did["dropped"].values()),
        found=_added(did["counts"] for name, did in _blocks(counts) if name == "redact"),
    )


def _tokens(counts: Mapping[str, Any]) -> Range:
    """Count tokens: exactly where a block did, else between none and the bytes, for every token has one at least."""
    counted = [did["counts"]["tokens"] for did in counts["by_block"].values() if "tokens" in did["counts"]]
    return Range(counted[0], counted[0]) if counted else Range(0, counts["bytes"])


def _blocks(counts: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [pair for found in counts for pair in found["by_block"].items()]


def _range(numbers: Iterable[int]) -> Range:
    found = list(numbers)
    return Range(max(found, default=0), sum(found))


def _union(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _added(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for found in counts:
        total.update(found)
    return total
