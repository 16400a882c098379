"""What a talk is made of, before any product's format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from assent.domain.conversation import Surface
from assent.services.demo.people import App

BlockKind = Literal["text", "reasoning", "call", "file"]
Thumb = Literal["", "up", "down"]

Kind = Literal[
    "coding",
    "analysis",
    "reasoning",
    "everyday",
    "session",
    "several languages",
    "tool call",
    "file read",
    "test run",
    "web fetch",
    "connector",
    "secret",
    "private",
    "abandoned edit",
    "thumb",
    "subagent",
    "attachment",
    "resumed",
    "sounds risky",
    "flagged",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What makes a talk worth showing; the demo has each of them at least once."""

CONNECTOR: Final = "mcp__"
"""Tools of connectors are named `mcp__<server>__<tool>`, as coding agents do."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a turn. A `call` holds the tool's `name`, its `arguments` and, in `text`, its result."""

    kind: BlockKind
    text: str
    name: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `parent` is the turn before it, "" for the first; `aside` is said by or to a subagent."""

    id: str
    parent: str
    at: datetime
    by: Literal["person", "model"]
    blocks: tuple[Block, ...]
    thumb: Thumb = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation. `id` is unique in its app; `folder` is where a coding session ran."""

    id: str
    app: App
    subject: str
    title: str
    turns: tuple[Turn, ...]
    kinds: frozenset[Kind]
    private: bool = False
    folder: str = ""
    instructions: str = ""

    @property
    def conversation(self) -> str:
        """Name the conversation as an import does: `<format>:<source id>`."""
        return f"{self.app}:{self.id}"

    @property
    def surface(self) -> Surface:
        return "coding" if self.app == "claude-code" else "chat"

    @property
    def main(self) -> tuple[Turn, ...]:
        """The turns of the person and the model, without subagents."""
        return tuple(turn for turn in self.turns if not turn.aside)

    @property
    def abandoned(self) -> frozenset[str]:
        """The ids of turns that an edit left behind: those from which the last turn cannot be reached."""
        parents = {turn.id: turn.parent for turn in self.main}
        path: set[str] = set()
        at = self.main[-1].id
        while at:
            path.add(at)
            at = parents[at]
        return frozenset(parents) - path


def text(words: str) -> Block:
    """Write plain text."""
    return Block("text", words)


def thought(words: str) -> Block:
    """Write the model's thinking."""
    return Block("reasoning", words)


def call(tool: str, result: str, **arguments: str) -> Block:
    """Write a tool call with its result."""
    return Block("call", result, tool, tuple(arguments.items()))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the person said and what the model answered; `aside` is what a subagent did meanwhile."""

    asked: tuple[Block, ...]
    answered: tuple[Block, ...]
    kinds: frozenset[Kind] = frozenset()
    aside: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A talk before it has a person, an app, times and ids."""

    title: str
    exchanges: tuple[Exchange, ...]
    kinds: frozenset[Kind]
    folder: str = ""
