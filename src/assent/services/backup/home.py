"""The folder that a backup comes back into: empty at first, marked until it is whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Refused
from assent.services.backup.papers import unpack
from assent.settings import FILE
from assent.vault.disk import make_folder, replace_whole

if TYPE_CHECKING:
    from pathlib import Path

    from assent.services.backup.opened import Opened

MARK: Final = "restoring"
"""File of a home that comes back: the name of its backup. A home without it is nobody's to restore into."""

_DATABASE: Final = re.compile(r"^database\s*=.*$", re.MULTILINE)


def begin(opened: Opened, home: Path, *, database: str | None) -> None:
    """Write settings, policies and keys of the backup into a home; `database` takes the place of the one it names.

    Raises `Refused` if the folder holds anything but an unfinished restore of the same backup.
    """
    mark = home / MARK
    if home.is_dir() and any(home.iterdir()) and not (mark.exists() and mark.read_text("utf-8") == opened.manifest.id):
        raise Refused(f"`{home.name}` is not empty, and no unfinished restore of this backup", "name a new folder")
    make_folder(home)
    replace_whole(mark, opened.manifest.id.encode())
    unpack(home, opened.papers())
    unpack(home, opened.home_keys())
    if database is not None:
        path = home / FILE
        line = f"database = {json.dumps(database)}"
        text, found = _DATABASE.subn(lambda _old: line, path.read_text("utf-8"), count=1)
        replace_whole(path, (text if found else f"{line}\n{text}").encode())


def end(home: Path) -> None:
    """Take the mark away."""
    (home / MARK).unlink(missing_ok=True)
