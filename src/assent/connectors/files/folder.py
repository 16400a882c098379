"""A folder with data files: walked and changed without ever leaving it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from assent.connectors.files.storage import Entry, Rewrite, UnchangeableError, kind_of, matcher
from assent.connectors.port import Copy
from assent.connectors.replacing import BESIDE, replace_file
from assent.connectors.tree import FileAt, Tree, held_open

_LINK: Final = "a link is neither followed nor removed: look at what it leads to"
_FOLDER: Final = "a folder that cannot be looked into: check its permissions"
_LINKED: Final = "has a second name (a hard link), under which its bytes would stay: remove one of them"
_UNREAD: Final = "cannot be read: check its permissions"


class Folder:
    """A folder on this machine."""

    def __init__(self, root: Path, pattern: str) -> None:
        self._home = Tree(root)
        self._pattern = matcher(pattern)

    def entries(self) -> Iterator[Entry]:
        self._home.check()
        for file in self._home.files():
            if kind := kind_of(file.path, self._pattern):
                problem = "" if os.access(self._home.root / file.path, os.R_OK) else _UNREAD
                yield Entry(file.path, kind, file.size, file.changed_ns, _tag(file), problem=problem)
        for path in sorted(self._home.links):
            if kind_of(path, self._pattern) == "rows" and not self._within(path):
                yield Entry(path, "rows", 0, 0, "", problem=_LINK)
        for path in sorted(self._home.unreadable):
            yield Entry(path, "rows", 0, 0, "", problem=_FOLDER)

    @contextmanager
    def opened(self, entry: Entry) -> Iterator[IO[bytes]]:
        with self._home.opened(entry.path) as file, os.fdopen(os.dup(file), "rb", 1 << 20) as stream:
            yield stream

    def rewrite(self, entry: Entry, copy: Rewrite, *, grows: bool) -> int:
        file = self._home.look(entry.path)
        if file is None:
            return 0
        if file.links > 1:
            raise UnchangeableError(_LINKED)
        return replace_file(self._home, entry.path, copy, grows=grows)

    def remove(self, entry: Entry) -> None:  # noqa: ARG002 - the port's
        raise UnchangeableError("a folder keeps no versions")

    def locked(self, entry: Entry) -> str:
        file = self._home.look(entry.path)
        return _LINKED if file is not None and file.links > 1 else ""

    def in_use(self, entries: Sequence[Entry]) -> set[str]:
        files = {path: file for path in {one.path for one in entries} if (file := self._home.look(path))}
        held = held_open({(file.device, file.inode) for file in files.values()})
        return {path for path, file in files.items() if (file.device, file.inode) in held}

    def clear(self) -> None:
        self._home.check()
        for file in self._home.files():
            if file.name.startswith(BESIDE) and kind_of(file.name.removeprefix(BESIDE), self._pattern):
                self._home.unlink(file)

    def elsewhere(self) -> Sequence[Copy]:
        return ()

    def _within(self, path: str) -> bool:
        """Tell whether a link leads to a file that is looked at anyway."""
        try:
            target = (self._home.root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return True  # it leads nowhere
        return target.is_relative_to(self._home.root.resolve())


def _tag(file: FileAt) -> str:
    return f"{file.device}-{file.inode}-{file.size}-{file.changed_ns}"
