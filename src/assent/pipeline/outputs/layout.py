"""Names of the files of a cut (spec/manifest.md, the folder)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CARD: Final = "README.md"
CROISSANT: Final = "croissant.json"
LINEAGE: Final = "lineage.ndjson"
EXCLUDED: Final = "excluded.parquet"
PARTS: Final = "parts"
"""The form in which rows are kept whole; every other one is made from it."""

FORMS: Final = {
    "messages": "jsonl",
    "parts": "parquet",
    "sharegpt": "jsonl",
    "preferences": "jsonl",
    "ratings": "jsonl",
}
"""What rows can be written as, and the ending of such a file. The first is what `datasets` loads by default."""

_NAME: Final = re.compile(r"data/([a-z]+)-([a-z]+)-(\d{5,})\.(jsonl|parquet)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of rows. `sha256` is 64 hexadecimal digits, `bytes` its size."""

    name: str
    form: str
    split: str
    sha256: str
    bytes: int
    rows: int


def shard_name(form: str, split: str, number: int) -> str:
    """Name a shard: `data/messages-train-00000.jsonl`. Numbers start at 0 and sort as text up to 99,999."""
    return f"data/{form}-{split}-{number:05}.{FORMS[form]}"


def pattern(form: str, split: str) -> str:
    """Name all shards of a form and a split at once, for readers that take patterns."""
    return f"data/{form}-{split}-*.{FORMS[form]}"


def shards(manifest: Mapping[str, Any]) -> list[Shard]:
    """Find the shards among the files of a manifest, in order of form, split and number."""
    splits = {split: place for place, split in enumerate(manifest["splits"])}
    found = []
    for file in manifest["files"]:
        name = _NAME.fullmatch(file["name"])
        if name is not None and FORMS.get(name[1]) == name[4]:
            shard = Shard(file["name"], name[1], name[2], file["sha256"], file["bytes"], file["rows"])
            # a split that the manifest does not list comes last: whether it may be there is for the check to say
            place = list(FORMS).index(name[1]), splits.get(name[2], len(splits)), int(name[3])
            found.append((place, shard))
    return [shard for _, shard in sorted(found, key=lambda pair: pair[0])]


def forms(manifest: Mapping[str, Any]) -> dict[str, dict[str, list[Shard]]]:
    """Group the shards of a manifest: form, then split, each in the order of `shards`."""
    found: dict[str, dict[str, list[Shard]]] = {}
    for shard in shards(manifest):
        found.setdefault(shard.form, {}).setdefault(shard.split, []).append(shard)
    return found
