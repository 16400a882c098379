"""What is known of one agent: where its sessions lie, and every trace that one leaves elsewhere."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Literal

import orjson

from assent.connectors.formats.fields import string
from assent.connectors.formats.port import Importer, Record, Source
from assent.connectors.tree import FileAt, Tree
from assent.domain.conversation import Conversation

How = Literal["file", "lines", "entries", "rows"]
"""How a trace is erased: the file goes, or lines, entries of an array or rows of a database leave it."""

HEAD_BYTES: Final = 1 << 20
"""How much of a file is read to learn which session it belongs to."""

_BY_PROJECT: Final = ("projects", "tmp")
_PARTS: Final = re.compile(r"[.\-_]")


@dataclass(frozen=True, slots=True)
class Session:
    """A session on disk: its own files, the transcript first. Not `whole`: the transcript is gone, the rest is left."""

    id: str
    files: tuple[FileAt, ...]
    whole: bool = True

    @property
    def changed_ns(self) -> int:
        return max(file.changed_ns for file in self.files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace of a session. `kind` and `place` are for people; `path` is where it lies in the home."""

    id: str
    kind: str
    place: str
    path: str
    how: How = "file"


@dataclass(frozen=True, slots=True)
class Dates:
    """What a list says of a session: when it began, the person's own last turn, and which folder it worked in."""

    created_at: datetime | None
    last_turn_at: datetime | None
    project: str


class Agent(ABC):
    """One coding agent. Nothing here changes a file."""

    __slots__ = ()

    importer: ClassVar[Importer]
    """The importer of its format, by which sessions are read."""

    reach: ClassVar[str]
    """What it erases and what it does not reach, in a sentence for people."""

    keep_levels: ClassVar[int]
    """How many levels of folders stay when they are empty."""

    @property
    def format(self) -> str:
        return self.importer.name

    @abstractmethod
    def sessions(self, home: Tree) -> Iterator[Session]:
        """Find every session; an archived or resumed copy belongs to the session of its id."""

    def dates(self, home: Tree, session: Session) -> Dates | None:
        """Read when the person last spoke; None if nothing in the file can be read."""
        found = None
        for record in self.read(home, session):  # to its end, which closes the file
            if isinstance(record, Conversation):
                found = Dates(record.created_at, record.last_turn_at, record.project)
        return found

    def read(self, home: Tree, session: Session) -> Iterator[Record]:
        """Read a session as the importer of its format does, under the id of the session."""
        for record in self.importer.read(Source(home.root / session.files[0].path)):
            if isinstance(record, Conversation):
                yield replace(record, id=f"{self.format}:{session.id}")
            else:
                yield record

    @abstractmethod
    def traces(self, home: Tree, wanted: Mapping[str, Session | None], kept: Mapping[str, Session]) -> Iterator[Trace]:
        """Find the traces of sessions (None: the transcript is gone already) that belong to no kept one."""

    def lines_of(self, home: Tree, path: str, wanted: Mapping[str, Session | None]) -> Callable[[bytes], str]:
        """Give a function that names the wanted session of a line of a shared file; "" if it is none of them."""
        raise NotImplementedError  # where sessions share no lines, nobody asks

    @abstractmethod
    def is_of(self, path: str, value: object) -> str:
        """Name the session that an entry of a shared file belongs to; "" if that is not said."""

    @abstractmethod
    def is_shared(self, path: str) -> bool:
        """Tell whether sessions share a file that names the session of each line or entry, or that a rule keeps."""

    def key_of(self, path: str) -> str:  # noqa: ARG002 - most have no such file
        """Name the key under which a JSON file holds its array; "" if the file is the array."""
        return ""


def id_in(name: str, known: Collection[str]) -> str:
    """Find the session that the name of a file or folder says: it is the id, begins or ends with it.

    The longest of the known ids wins, so that `a` does not reach what belongs to `a-b`.
    """
    if name in known:
        return name
    cuts = [found.start() for found in _PARTS.finditer(name)]
    if not cuts:
        return ""
    begins = next((name[:at] for at in reversed(cuts) if name[:at] in known), "")
    stem = name.rpartition(".")[0]
    ends = (next((text[at + 1 :] for at in cuts if text[at + 1 :] in known), "") for text in (name, stem))
    return max(begins, *ends, key=len)


def first_line(home: Tree, file: FileAt) -> dict[str, object]:
    """Read the object on the first line of a file; empty if there is none."""
    try:
        with home.opened(file.path) as opened, open(opened, "rb", closefd=False) as stream:
            value = orjson.loads(stream.readline(HEAD_BYTES))
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def top_id(value: object, *keys: str) -> str:
    """Read a session's id from the first of these keys that an object has."""
    if not isinstance(value, dict):
        return ""
    return next((found for key in keys if (found := string(value.get(key)))), "")


def shown(path: str) -> str:
    """Write a path for people: no line breaks or control signs, and no project folder, whose name may name a person."""
    top, *below = path.split("/")
    path = "/".join((top, "*", *below[1:])) if top in _BY_PROJECT and len(below) > 1 else path
    return path if path.isprintable() else path.encode("unicode_escape", "backslashreplace").decode("ascii")
