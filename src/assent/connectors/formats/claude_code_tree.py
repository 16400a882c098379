"""Which lines of a Claude Code session lie on the path that the person ended up on.

A session file is a graph: every line names its parent, a rewind gives one parent a second
child. The active path ends at the newest leaf. Three things look like branches and are none:

- parallel tool calls: each result hangs on its own call, one of them continues the chain;
- compaction: the boundary line has no parent, its `logicalParentUuid` leads back;
- a parent that is not in the file (a damaged line, another file): the line before stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from assent.domain.instants import EARLIEST

Kind = Literal["prompt", "assistant", "result", "other"]

_SPOKEN: Final = frozenset({"prompt", "assistant", "result"})


@dataclass(slots=True)
class Node:
    """One line of the main chain; `first` and `end` cut its parts out of the session's list."""

    turn: str
    parent: str
    kind: Kind
    first: int
    end: int
    time: datetime | None = None
    message: str = ""
    calls: tuple[str, ...] = ()


def abandoned(nodes: dict[str, Node]) -> Iterator[Node]:
    """Yield the nodes off the active path, given all nodes of the main chain in file order."""
    if not any(node.parent in nodes for node in nodes.values()):
        return  # no chain is told: line order is the conversation
    parents = _parents(nodes)
    path = _path_to(_newest_leaf(nodes, parents), parents)
    messages = {nodes[turn].message for turn in path} - {""}
    calls: set[str] = set()
    active: set[str] = set()
    for turn, node in nodes.items():
        if turn in path or _belongs(node, parents[turn], active, messages, calls):
            active.add(turn)
            if node.kind == "assistant":
                calls.update(node.calls)
        else:
            yield node


def _belongs(node: Node, parent: str, active: set[str], messages: set[str], calls: set[str]) -> bool:
    """Tell whether a node beside the path is part of it all the same."""
    if node.kind == "assistant":
        return node.message in messages
    if node.kind == "result":
        return not calls.isdisjoint(node.calls)
    return node.kind == "other" and (parent in active or not parent)


def _parents(nodes: dict[str, Node]) -> dict[str, str]:
    """Give every node its parent, "" for a root.

    Only what the person typed can start over from nothing (a rewind to the first prompt);
    any other line without a parent continues the line before it.
    """
    parents: dict[str, str] = {}
    before = ""
    for turn, node in nodes.items():
        if node.parent in nodes and node.parent != turn:
            parents[turn] = node.parent
        elif node.parent or node.kind != "prompt":
            parents[turn] = before
        else:
            parents[turn] = ""
        before = turn
    return parents


def _newest_leaf(nodes: dict[str, Node], parents: dict[str, str]) -> str:
    """Find the newest spoken line, then go down to its newest end, for clocks that were set back."""
    newest, best = "", EARLIEST
    time = EARLIEST
    for turn, node in nodes.items():
        if node.kind in _SPOKEN:
            time = node.time or time
            if time >= best:
                newest, best = turn, time
    last_child = {parent: turn for turn, parent in parents.items() if nodes[turn].kind in _SPOKEN}
    seen = {newest}
    while newest and (child := last_child.get(newest)) and child not in seen:
        seen.add(child)
        newest = child
    return newest


def _path_to(leaf: str, parents: dict[str, str]) -> set[str]:
    path: set[str] = set()
    turn = leaf
    while turn and turn not in path:
        path.add(turn)
        turn = parents.get(turn, "")
    return path
