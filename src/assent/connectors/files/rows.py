"""What a row says: which conversation it belongs to, whose it is, and what was said when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from assent.connectors.formats.fields import instant
from assent.connectors.formats.messages import Reader, conversation
from assent.domain.conversation import Conversation, Part, last_turn
from assent.domain.errors import Invalid

Row = Mapping[str, object]

NO_ID: Final = "the row has no id of a conversation"


class NoColumnError(Exception):
    """A table without the column that ids should be in."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a row says what. Each is a key, or keys with dots between; "" is said nowhere.

    With `rows` "conversation" a row holds a list of messages, with "turn" one message.
    """

    rows: Literal["conversation", "turn"]
    id: str
    owner: str
    plan: str
    created_at: str
    messages: str
    role: str
    content: str
    turn_at: str

    @classmethod
    def of(cls, settings: object) -> Shape:
        """Take the keys of the same names from the settings of a connector."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    @property
    def columns(self) -> Sequence[str]:
        """The keys at the top of a row that anything is read from."""
        said = [self.id, self.owner, self.plan, self.created_at]
        said += [self.messages] if self.rows == "conversation" else [self.role, self.content, self.turn_at]
        return [one for one in dict.fromkeys(said) if one]

    def id_of(self, row: Row) -> str:
        """Return a row's conversation, "" if it does not say."""
        return name_of(at(row, self.id))

    def owner_of(self, row: Row) -> str | None:
        return name_of(at(row, self.owner)) or None

    def plan_of(self, row: Row) -> str:
        return name_of(at(row, self.plan))

    def created_of(self, row: Row) -> datetime | None:
        return instant(at(row, self.created_at))

    def parts(self, row: Row) -> tuple[Part, ...]:
        """Read what was said in a row. Raises `Invalid` naming the message."""
        messages = at(row, self.messages) if self.rows == "conversation" else [row]
        time = self.created_of(row) if self.rows == "conversation" else None
        if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
            raise Invalid("the row holds no list of messages")
        said = [self._message(one) for one in messages]
        return tuple(Reader(time=time).parts(said))

    def conversation(self, prefix: str, name: str, rows: Sequence[Row]) -> Conversation:
        """Make a conversation of its rows. Raises `Invalid` where one cannot be read."""
        said = [self.parts(row) for row in rows]
        if self.rows == "conversation":  # each row is the whole conversation: the one that goes furthest
            best = max(range(len(rows)), key=lambda number: (_reaches(said[number]), len(said[number]), number))
            parts, rows = said[best], [rows[best]]
        else:
            parts = _in_order(said)
        times = (self.created_of(row) for row in rows)
        made = conversation(prefix, f"{prefix}:{name}", list(parts), created_at=min(filter(None, times), default=None))
        owner = next((found for row in reversed(rows) if (found := self.owner_of(row))), None)
        return replace(made, subject=owner, records=len(rows))

    def _message(self, message: object) -> object:
        if not isinstance(message, Mapping):
            return message
        said = {key: value for key, value in message.items() if value is not None}
        return {
            **said,
            "role": at(message, self.role),
            "content": at(message, self.content),
            "timestamp": at(message, self.turn_at),
        }


def at(value: object, path: str) -> object:
    """Follow a path of keys; None where it leads nowhere. A key that has dots itself is found first."""
    if not path or not isinstance(value, Mapping):
        return None
    if path in value:
        return value[path]
    first, _, rest = path.partition(".")
    return at(value.get(first), rest)


def name_of(value: object) -> str:
    """Write an id: text as it is, whole numbers and UUIDs as text; "" for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | UUID) and not isinstance(value, bool) else ""


def _reaches(parts: Sequence[Part]) -> float:
    turn = last_turn(tuple(parts))
    return float("-inf") if turn is None else turn.timestamp()


def _in_order(said: Iterable[Sequence[Part]]) -> tuple[Part, ...]:
    """Put turns in the order of their times, those without one where they stand, and number them."""
    turns = [parts for parts in said if parts]
    if all(parts[0].created_at for parts in turns):
        turns.sort(key=lambda parts: parts[0].created_at.timestamp() if parts[0].created_at else 0)
    return tuple(
        replace(part, turn=str(number), id=f"{number}{part.id.removeprefix(part.turn)}")
        for number, parts in enumerate(turns)
        for part in parts
    )
