"""Looking again, in bytes: no file of nobody's may still say the id or the words of an erased session."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from assent.connectors.coding_agents import fragments
from assent.connectors.coding_agents.agent import Agent, Session, id_in, shown
from assent.connectors.port import Copy

if TYPE_CHECKING:
    from assent.connectors.tree import Tree

LEAST_ID: Final = 8
"""Ids shorter than this are looked for by their traces only: as mere bytes they stand everywhere."""

_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_SQLITE: Final = b"SQLite format 3\0"

_SAYS_ID: Final = "a file that says its id"
_REPEATS: Final = "a file that repeats its words"
_BY_HAND: Final = "look at it, and remove by hand what should go"
_FREE_PAGES: Final = "bytes of rows that are gone: end the agent and use --maintenance"


def strays(
    home: Tree,
    agent: Agent,
    sessions: Mapping[str, Session],
    wanted: Mapping[str, Session | None],
    searched: Mapping[str, frozenset[str]],
    key: bytes,
) -> dict[str, list[Copy]]:
    """Search the files that are no session's own and that no other session's name is on.

    Only sessions in `searched`, which were erased, are looked for: of the others every trace is known by name.
    """
    found: dict[str, list[Copy]] = {}
    if not searched:
        return found
    own = {file.path for session in sessions.values() for file in session.files}
    owners: dict[str, list[str]] = {}
    for name, pieces in searched.items():
        for piece in pieces:
            owners.setdefault(piece, []).append(name)
    known = sessions.keys() | wanted.keys()
    words = _words(searched)
    above, by_folder = "", set[str]()
    for path in home.paths():
        if path in own or agent.is_shared(path):
            continue
        folder, _, name = path.rpartition("/")
        if folder != above:
            above, by_folder = folder, {id_in(part, known) for part in folder.split("/")}
        owning = {*by_folder, id_in(name, known)} - {""}
        if owning and not owning & wanted.keys():  # its name says sessions that are all kept
            continue
        content = home.content(path)
        named = _ids(content, searched, words)
        for name in named:
            found.setdefault(name, []).append(_names(path, content))
        if content.startswith(_SQLITE):
            continue
        repeating = _repeating(content, owners, key) - named
        if repeating and not _mentioned(home, sessions, path):
            for name in repeating:
                found.setdefault(name, []).append(Copy(_REPEATS, shown(path), "present", _BY_HAND))
    return found


def _names(path: str, content: bytes) -> Copy:
    if content.startswith(_SQLITE):
        return Copy("free pages", shown(path), "pending maintenance", _FREE_PAGES)
    return Copy(_SAYS_ID, shown(path), "present", _BY_HAND)


def _repeating(content: bytes, owners: Mapping[str, list[str]], key: bytes) -> set[str]:
    counts = Counter(name for piece in fragments.repeated(content, owners, key) for name in owners[piece])
    return {name for name, count in counts.items() if count >= fragments.ENOUGH}


def _words(searched: Collection[str]) -> dict[str, re.Pattern[bytes]]:
    """Make what finds the ids that are no UUID, as whole words."""
    coded = {name: name.encode("utf-8", "surrogateescape") for name in searched if len(name) >= LEAST_ID}
    return {
        name: re.compile(rb"(?<![\w-])" + re.escape(code) + rb"(?![\w-])")
        for name, code in coded.items()
        if not _UUID.fullmatch(code)
    }


def _ids(content: bytes, searched: Mapping[str, object], words: Mapping[str, re.Pattern[bytes]]) -> set[str]:
    said = {found.decode() for found in _UUID.findall(content)} & searched.keys()
    return said | {name for name, word in words.items() if word.search(content)}


def _mentioned(home: Tree, sessions: Mapping[str, Session], path: str) -> bool:
    """Tell whether a kept session names the file: then it is that session's, too."""
    name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    return any(name in home.content(one.path) for session in sessions.values() for one in session.files)
