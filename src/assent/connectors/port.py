"""The port of every connector: a system that holds conversations which others may have to leave.

A connector lists conversations, reads them, finds every copy of one, erases, and looks again. What a
system answers to an order is never proof: the state of a copy is what a later look at the system's own
data finds. So `erase` orders, and `verify` says what became of it; an answer of the system such as
"200 OK" changes no state.

Each method may be called again after a failure, at any time and from another process: nothing is
counted twice, and what is gone is reported as removed. `OSError` and `AssentError` say that the
system could not be reached at all; a single copy that could not is a `Copy` of that state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from assent.connectors.formats.port import Record
from assent.domain.copies import CopyState, worst
from assent.domain.errors import Place


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation as its system lists it.

    `id` is the system's own. `owner` is the person's id there, None where nobody owns it.
    `last_turn_at` is the newest turn *of the person*, never a row's update time; None where no time is
    known. `plan` is what the system says of the owner's plan (a group, a team), as it says it. `project`
    is the repository or folder that it belongs to, if any.
    """

    id: str
    owner: str | None = None
    created_at: datetime | None = None
    last_turn_at: datetime | None = None
    plan: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An entry that cannot be read. `problem` names the fault and never quotes content."""

    place: Place
    problem: str


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a conversation, or of a piece of it.

    `kind` says what it is in the words of the system (`message rows`, `vector collection`); `place`
    where it lies, without content and without a person's id; `note` what remains to be done.
    """

    kind: str
    place: str
    state: CopyState = "present"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a conversation at `at`. `cursor` is where to go on watching behind it."""

    id: str
    kind: Literal["created", "turn", "changed", "deleted"]
    at: datetime
    cursor: str


@dataclass(frozen=True, slots=True)
class ProjectScope:
    """What the owner of a project wants less of than each person chose. It can only narrow."""

    project: str
    training: Literal["deny"] | None
    retention_days: int | None


def state_of(copies: Iterable[Copy]) -> CopyState:
    """Return what the copies of one conversation come to: removed only if each of them is."""
    return worst(copy.state for copy in copies)


@runtime_checkable
class Narrowing(Protocol):
    """A product whose projects can say that they want less."""

    def scopes(self) -> Iterator[ProjectScope | Unlisted]:
        """Read what each project says; one that cannot be read is `Unlisted`."""
        ...


class Product(Protocol):
    """A system that holds conversations. `ids` are its own ids of conversations, at most some thousand a call."""

    name: str
    """The name it is connected under."""

    format: str
    """The format of its conversations (`assent import`): conversation `X` is `<format>:X` in a home."""

    reach: str
    """What it erases and what it does not reach, in a sentence for people."""

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        """List conversations, each once; with `since` at least those with a turn at or after it."""
        ...

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        """Read conversations; one that is not there is left out, one that cannot be read is `Malformed`."""
        ...

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Find every copy of each conversation; changes nothing. No copy: it is nowhere."""
        ...

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        """Erase every copy of each conversation that belongs to no kept one, then look, and say what was found.

        With `maintenance` also what needs the system stopped; raises `Refused` if it still runs.
        """
        ...

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        """Look for what `copies` found before the last `erase`, in the system's data itself, and say what is left.

        A conversation that was never erased here is looked for as `copies` does.
        """
        ...

    def watch(self, cursor: str = "") -> Iterator[Change]:
        """Say what happened behind a cursor (none: from the beginning), oldest first, and end."""
        ...
