"""Retire a cut: its files go, the ledger says so, and who was in it stays known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import AssentError, Refused
from assent.domain.instants import format_instant
from assent.ledger.leaf import commitment
from assent.pipeline.folder import settle
from assent.pipeline.write import MANIFEST_FILE
from assent.services.cut.record import LEAF
from assent.services.cut.series import remove_series
from assent.store.records import StagedReceipt

if TYPE_CHECKING:
    from datetime import datetime

    from assent.store.port import Cuts
    from assent.store.records import Cut


@dataclass(frozen=True, slots=True)
class Retired:
    """What became of a cut: whether its files were there, and whether the key of its series went with it."""

    cut: Cut
    files: int
    key_destroyed: bool


def retire(store: Cuts, cut: Cut, keys: Path, *, salt: bytes, now: datetime) -> Retired:
    """Take the files of a cut away, then record it. With the last cut of a name its key and workings go too.

    A second call completes what a first one left. Raises `Refused` if the folder is another
    one by now, `AssentError` if a file cannot be removed; then nothing is recorded.
    """
    folder = Path(cut.directory)
    if not folder.parent.is_dir():
        raise AssentError(
            f"the place where cut `{cut.name}` number `{cut.number}` was written is not there", "mount it, then retry"
        )
    files = _remove(cut, folder)
    others = [one for one in store.cuts_named(cut.name) if one.number != cut.number and one.retired_at is None]
    gone = remove_series(keys, cut.name) if not others else False
    said = {
        "v": LEAF,
        "act": "retired",
        "name": cut.name,
        "number": cut.number,
        "manifest": cut.manifest,
        "files": files,
        "key_destroyed": gone,
        "at": format_instant(now),
    }
    record = canonical(said)
    store.retire_cut(cut.name, cut.number, now, StagedReceipt(record.decode(), salt, commitment(salt, record)))
    return Retired(cut, files, gone)


def _remove(cut: Cut, folder: Path) -> int:
    manifest = folder / MANIFEST_FILE
    if not folder.exists():
        return 0
    if any(folder.iterdir()) and (not manifest.is_file() or digest_bytes(manifest.read_bytes()) != cut.manifest):
        fix = "look what lies there; only the folder of the cut itself is removed"
        raise Refused(f"the folder of cut `{cut.name}` number `{cut.number}` holds something else", fix)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    going = folder.with_name(f".{folder.name}.retired")
    # under another name first: a folder that is half there must not look like a cut
    folder.rename(going)
    settle(folder.parent)
    shutil.rmtree(going)
    settle(folder.parent)
    return files
