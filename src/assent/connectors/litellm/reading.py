"""A conversation out of the rows of a request log, where each request repeats all that was said before it.

Messages make a tree: each stands under the one before it, and its id is a digest of the whole way to it. So a message
that comes again in the next request is the same part, in every later reading too. A way that was not gone on with
is `abandoned`. A lone request that quotes another one of its session is the product's own (a title, tags): `sidechain`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from assent.connectors.formats.fields import instant, mapping, sequence, string
from assent.connectors.formats.messages import Reader
from assent.connectors.formats.port import Malformed, Record
from assent.domain.conversation import Conversation, Mark, Part, Surface, last_turn
from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place

FORMAT: Final = "litellm"
_READER: Final = Reader()
_ID: Final = slice(7, 23)
_UNREAD: Final = Place("LiteLLM_SpendLogs")


@dataclass(slots=True)
class _Node:
    """One message on its way: where it hangs, what it says, and when it was first seen."""

    id: str
    root: str
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Session:
    """The tree of one session. `ways` are the requests with their answers, oldest first."""

    nodes: dict[str, _Node] = field(default_factory=dict)
    ways: list[list[str]] = field(default_factory=list)
    system: dict[str, _Node] = field(default_factory=dict)

    def add(self, messages: Sequence[Mapping[str, Any]], answer: Mapping[str, Any] | None, row: Any) -> None:
        """Add one request. Raises `Invalid` if a message cannot be read; then nothing of it is added."""
        names: dict[str, str] = {}
        read = [_READER.message(dict(one), "", names) for one in messages]
        answered = _READER.message(dict(answer), "", names) if answer is not None else []
        way: list[str] = []
        for parts, at in [*((parts, row.started) for parts in read), (answered, row.ended)]:
            if not parts:
                continue
            if parts[0].speaker == "system":
                node = _node("system", "system", parts, at)
                self.system.setdefault(node.id, node)
                continue
            node = _node(way[-1] if way else "", way[0] if way else "", parts, at)
            self.nodes.setdefault(node.id, node)
            way.append(node.id)
        if way:
            self.ways.append(way)

    def parts(self) -> tuple[Part, ...]:
        """Give all parts, system context first, then as they were first seen."""
        latest = {way[0]: set(way) for way in self.ways}
        tasks = self._tasks(latest)
        found = [part for node in self.system.values() for part in node.parts]
        for node in self.nodes.values():
            marks: set[Mark] = set()
            if node.id not in latest[node.root]:
                marks.add("abandoned")
            if node.root in tasks:
                marks.add("sidechain")
            found += [replace(part, marks=part.marks | marks) for part in node.parts]
        return tuple(found)

    def _tasks(self, latest: Mapping[str, set[str]]) -> set[str]:
        """Find lone requests that hold, word for word, what the person said in another thread of the session."""
        texts = {root: [self._text(node) for node in way if self._asks(node)] for root, way in latest.items()}
        return {
            root
            for root, way in latest.items()
            if len(way) <= 2
            and len(texts[root]) == 1
            and any(
                said and said in texts[root][0] and said != texts[root][0]
                for other, others in texts.items()
                if other != root
                for said in others
            )
        }

    def _asks(self, node: str) -> bool:
        return self.nodes[node].parts[0].origin == "person"

    def _text(self, node: str) -> str:
        return "\n".join(part.text for part in self.nodes[node].parts)


def conversation_of(name: str, rows: Sequence[Any], surface: Surface) -> Iterator[Record]:
    """Make one conversation of its rows (`started`, `ended`, `person`, `messages`, `response`, `request`).

    A row that cannot be read is `Malformed`, and so is a session in which several persons speak: nobody's.
    """
    persons = {row.person for row in rows if row.person}
    if len(persons) > 1:
        yield Malformed(_UNREAD, "several persons speak in one session", len(rows))
        return
    session, records = _Session(), 0
    for row in rows:
        timed = _Times(instant(row.started), instant(row.ended))
        try:
            session.add(_asked(mapping(row.request), row.messages), _answered(mapping(row.response)), timed)
        except Invalid as problem:
            yield Malformed(_UNREAD, problem.message)
        else:
            records += 1
    parts = session.parts()
    if not parts:
        return
    yield Conversation(
        id=f"{FORMAT}:{name}",
        source=FORMAT,
        parts=parts,
        subject=next(iter(persons), None),
        surface=surface,
        created_at=min((part.created_at for part in parts if part.created_at), default=None),
        last_turn_at=last_turn(parts),
        records=records,
    )


@dataclass(frozen=True, slots=True)
class _Times:
    started: datetime | None
    ended: datetime | None


def _node(parent: str, root: str, parts: Sequence[Part], at: datetime | None) -> _Node:
    said = [[part.data, part.name, part.text] for part in parts if "reasoning" not in part.marks]
    name = digest([parent, parts[0].speaker, said])[_ID]
    own = tuple(
        # a tool's result comes back in the person's name where an API has no other
        replace(part, speaker="tool", origin="tool")
        if part.origin == "person" and "tool-payload" in part.marks
        else part
        for part in parts
    )
    own = tuple(replace(part, id=f"{name}/{number}", turn=name, created_at=at) for number, part in enumerate(own))
    return _Node(name, root or name, own)


# -- what the APIs call a message -------------------------------------------------------------


def _asked(body: Mapping[str, Any], column: object) -> list[Mapping[str, Any]]:
    """Give the messages of a request: of chat completions, Anthropic's messages, responses, or a plain prompt."""
    system = string(body.get("instructions")) or body.get("system")
    first = [{"role": "system", "content": system}] if system else []
    messages = body.get("messages") or (column if isinstance(column, list) else None)
    if messages is not None:
        if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
            raise Invalid("the messages of a request are not a list of objects")
        return [*first, *messages]
    said = body.get("input", body.get("prompt"))
    if isinstance(said, str):
        return [*first, {"role": "user", "content": said}]
    return [*first, *(one for item in sequence(said) if (one := _item(mapping(item))))]


def _answered(response: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the message of an answer; None where there is none."""
    choice = mapping(next(iter(sequence(response.get("choices"))), None))
    if choice:
        message = mapping(choice.get("message")) or {"content": choice.get("text")}
        return {**message, "role": "assistant"} if message.get("content") or message.get("tool_calls") else None
    if response.get("role") == "assistant" and response.get("content"):
        return response
    items = [one for item in sequence(response.get("output")) if (one := _item(mapping(item)))]
    calls = [call for one in items for call in sequence(one.get("tool_calls"))]
    blocks = [block for one in items for block in sequence(one.get("content"))]
    return {"role": "assistant", "content": blocks or None, "tool_calls": calls} if blocks or calls else None


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read one item of a response's input or output as a message; an empty one says nothing here."""
    kind = string(item.get("type"))
    if kind == "function_call":
        call = {"id": item.get("call_id"), "function": {"name": item.get("name"), "arguments": item.get("arguments")}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")}
    if kind in ("", "message") and item.get("role"):
        return {"role": item["role"], "content": item.get("content")}
    return {}
