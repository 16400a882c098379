"""Open a copy of a log: a folder with a checkpoint and tiles, as a web server would serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.domain.errors import Incomplete, Invalid
from assent.ledger.checkpoint import parse_checkpoint
from assent.ledger.note import split_note
from assent.ledger.tiles import WIDTH, Tile, tile_reader
from assent.ledger.verify import LogCopy

if TYPE_CHECKING:
    from pathlib import Path


def open_copy(folder: Path) -> LogCopy:
    """Open the copy in `folder` without believing it.

    Raises `Invalid` if its checkpoint is not text. Reading from it raises `Incomplete` where a
    tile is missing: a copy may have been fetched in part.
    """
    try:
        note = (folder / "checkpoint").read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid("the checkpoint of the log's copy is not UTF-8 text", "fetch the log again") from None

    def load(level: int, number: int) -> bytes:
        size = parse_checkpoint(split_note(note)[0]).size
        width = min(WIDTH, (size >> 8 * level) - number * WIDTH)
        # a server may drop a partial tile once the full one is there
        for tile in (Tile(level, number, width), Tile(level, number, WIDTH)):
            path = folder / tile.path
            if path.is_file():
                return path.read_bytes()
        raise Incomplete(f"the log's copy lacks `{Tile(level, number, width).path}`", "fetch the log again, whole")

    return LogCopy(note, tile_reader(load))
