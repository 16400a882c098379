"""What a run may read: the files of its cut in one split, each with the digest that it must have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from assent.domain.errors import Invalid
from assent.learn.runs.data import CutFiles, DataFile
from assent.pipeline.erased import read_erased
from assent.pipeline.write import MANIFEST_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def cut_files(folder: Path, split: str = "train") -> CutFiles:
    """Name the files of one split, the shards of messages and of parts, as they should be by now.

    Rows that were erased since have left the files; then what the cut says about itself since counts
    (spec/manifest.md, erased rows). Raises `Invalid` for a cut without messages.
    """
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    files = {str(file["name"]): file for file in manifest["files"]}
    if (left := read_erased(folder)) is not None:
        files |= {str(file["name"]): file for file in left[2]}
    parts, messages = (_of(folder, files, f"data/{form}-{split}-") for form in ("parts", "messages"))
    if parts and not messages:
        fix = "cut with a recipe whose `formats` name `messages`"
        raise Invalid(f"cut `{manifest['name']}` holds no conversations as messages", fix)
    return CutFiles(split, messages, parts)


def _of(folder: Path, files: Mapping[str, Mapping[str, Any]], begin: str) -> tuple[DataFile, ...]:
    found = sorted(name for name in files if name.startswith(begin))
    return tuple(DataFile(folder / name, files[name]["sha256"], files[name]["rows"]) for name in found)
