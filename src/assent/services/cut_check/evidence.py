"""Evidence: what is known about the rows of a cut, in a file that needs no store to be read (spec/evidence.md).

One JSON object a line. The first says of which cut it is, and since when it stands; then comes
each act before the first conversation that names it, and the conversations in the order of the
cut. So a reader follows both and remembers little, whatever their size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from assent.domain.errors import AssentError, Invalid, Place
from assent.domain.facts import ChoiceAct, Facts, choice_order, facts_from_record, facts_to_record
from assent.domain.instants import format_instant, parse_instant
from assent.ledger.encoding import read_base64, read_hash, write_base64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

T = TypeVar("T")

FORMAT: Final = 1
"""Version of the form of evidence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """That something is in the ledger: its leaf, the record and salt that it commits to, and the way to the root."""

    leaf: int
    record: bytes
    salt: bytes
    path: tuple[bytes, ...]

    def to_record(self) -> dict[str, object]:
        """Write the JSON object of an entry."""
        path = [write_base64(step) for step in self.path]
        return {"leaf": self.leaf, "record": self.record.decode(), "salt": write_base64(self.salt), "path": path}


@dataclass(frozen=True, slots=True)
class Header:
    """Of which cut it is (`manifest` is its digest), `at` which instant it was read, and the ledger's checkpoint then.

    Without a `checkpoint` there was no ledger, and no receipt can be checked. `entry` shows that the ledger holds what
    was said of the cut when it was made; None where it does not, or not yet under this checkpoint.
    """

    name: str
    number: int
    manifest: str
    at: datetime
    checkpoint: str | None
    entry: Entry | None = None

    def to_record(self) -> dict[str, object]:
        """Write the first line."""
        cut = {"name": self.name, "number": self.number, "manifest": self.manifest}
        ledger = None if self.entry is None else self.entry.to_record()
        said = {"assent_evidence": FORMAT, "cut": cut, "at": format_instant(self.at)}
        return said | {"checkpoint": self.checkpoint, "ledger": ledger}


@dataclass(frozen=True, slots=True)
class KnownAct:
    """One act by its id. `entry` is None where the ledger does not prove it."""

    id: str
    act: ChoiceAct
    entry: Entry | None

    def to_record(self) -> dict[str, object]:
        """Write the line of an act."""
        said = {"id": self.id, "purpose": self.act.purpose, "act": self.act.act, "at": format_instant(self.act.at)}
        return {"act": said, "ledger": None if self.entry is None else self.entry.to_record()}


@dataclass(frozen=True, slots=True)
class KnownFlag:
    """One flag of a conversation."""

    id: str
    at: datetime
    reversed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownPart:
    """What is known of one part: its facts without the person, and its marks."""

    facts: Facts
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class KnownConversation:
    """What is known of one conversation. `acts` are those that count for it, by id; `gone` are erased parts."""

    id: str
    acts: tuple[str, ...] = ()
    flags: tuple[KnownFlag, ...] = ()
    parts: tuple[KnownPart, ...] = ()
    gone: frozenset[str] = frozenset()

    def to_record(self) -> dict[str, object]:
        """Write the line of a conversation. What all its parts share stands once, under `facts`."""
        told = [_own(part.facts) for part in self.parts]
        shared = {key: value for key, value in (told[0] if told else {}).items() if _all_say(told, key, value)}
        parts = [
            {
                "facts": {key: value for key, value in one.items() if key not in shared},
                "marks": sorted(part.marks),
            }
            for one, part in zip(told, self.parts, strict=True)
        ]
        flags = [
            {
                "id": one.id,
                "at": format_instant(one.at),
                "reversed_at": one.reversed_at and format_instant(one.reversed_at),
            }
            for one in self.flags
        ]
        said = {"conversation": self.id, "acts": list(self.acts), "flags": flags, "facts": shared}
        return {**said, "parts": parts, "gone": sorted(self.gone)}


def _own(facts: Facts) -> dict[str, object]:
    return {key: value for key, value in facts_to_record(facts).items() if key != "subject"}


def _all_say(told: Sequence[Mapping[str, object]], key: str, value: object) -> bool:
    return key != "part" and all(one.get(key) == value for one in told)


class Evidence:
    """Reads evidence beside a cut: conversation by conversation, in whatever order they are asked for."""

    def __init__(self, lines: Iterable[str | bytes], file: str = "evidence") -> None:
        """Read the first line. Raises `Invalid` for anything else than evidence."""
        self._file = file
        self._line = 0
        self._rest = iter(lines)
        self.acts: dict[str, KnownAct] = {}
        """Every act that was read so far, by id."""
        self._waiting: dict[str, KnownConversation] = {}
        self.header = self._read(self._next() or {}, _header)

    def conversation(self, conversation: str) -> KnownConversation | None:
        """Return what is known of a conversation, once; None if the evidence does not have it."""
        if conversation in self._waiting:
            return self._waiting.pop(conversation)
        for found in self._conversations():
            if found.id == conversation:
                return found
            self._waiting[found.id] = found
        return None

    def strangers(self) -> int:
        """Count the conversations that nobody asked for: they are in the evidence and not in the cut."""
        return len(self._waiting) + sum(1 for _ in self._conversations())

    def _conversations(self) -> Iterator[KnownConversation]:
        while (record := self._next()) is not None:
            if "act" in record:
                act = self._read(record, _act)
                self.acts[act.id] = act
            else:
                yield self._read(record, _conversation)

    def _next(self) -> dict[str, Any] | None:
        line = next(self._rest, None)
        if line is None:
            return None
        self._line += 1
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse("is not JSON")
        if not isinstance(record, dict):
            self._refuse("is not a JSON object")
        return record

    def _read(self, record: dict[str, Any], reader: Callable[[dict[str, Any]], T]) -> T:
        try:
            return reader(record)
        except AssentError as problem:
            self._refuse(f"is not evidence: {problem.message}")
        except (KeyError, TypeError, ValueError, AttributeError):
            self._refuse("is not evidence")

    def _refuse(self, what: str) -> NoReturn:
        fix = "export it again with `assent cut evidence`"
        raise Invalid(f"line `{self._line}` {what}", fix, Place(self._file, max(self._line, 1)))


def _header(record: dict[str, Any]) -> Header:
    if record["assent_evidence"] != FORMAT:
        raise Invalid(f"the form is not `{FORMAT}`")
    cut, checkpoint = record["cut"], record["checkpoint"]
    return Header(
        _text(cut["name"]),
        _number(cut["number"]),
        _text(cut["manifest"]),
        parse_instant(record["at"]),
        None if checkpoint is None else _text(checkpoint),
        _entry(record["ledger"]),
    )


def _act(record: dict[str, Any]) -> KnownAct:
    said = record["act"]
    # read as facts are, so that an act has the same form wherever it stands
    facts = facts_from_record({"part": "-", "choices": [{key: said[key] for key in ("purpose", "act", "at")}]})
    return KnownAct(_text(said["id"]), facts.choices[0], _entry(record["ledger"]))


def _entry(said: dict[str, Any] | None) -> Entry | None:
    if said is None:
        return None
    path = tuple(read_hash(step, "path") for step in said["path"])
    return Entry(_number(said["leaf"]), _text(said["record"]).encode(), read_base64(said["salt"], "salt"), path)


def _conversation(record: dict[str, Any]) -> KnownConversation:
    shared = record["facts"]
    parts = tuple(
        KnownPart(facts_from_record({**shared, **one["facts"]}), frozenset(map(_text, one["marks"])))
        for one in record["parts"]
    )
    flags = tuple(
        KnownFlag(_text(one["id"]), parse_instant(one["at"]), one["reversed_at"] and parse_instant(one["reversed_at"]))
        for one in record["flags"]
    )
    acts, gone = tuple(map(_text, record["acts"])), frozenset(map(_text, record["gone"]))
    return KnownConversation(_text(record["conversation"]), acts, flags, parts, gone)


def in_order(acts: Iterable[KnownAct]) -> tuple[ChoiceAct, ...]:
    """Return acts as facts hold them: by time, of two at one instant the refusing one last."""
    return tuple(sorted((one.act for one in acts), key=choice_order))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a number")
    return value
