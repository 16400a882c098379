"""Finding what belongs to a chat: everything that is its own, and nothing that something kept still uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Connection, String, inspect
from sqlalchemy.types import JSON

from assent.connectors.formats.fields import mapping, sequence, string
from assent.connectors.open_webui.database import all_rows, rows_of, tables
from assent.connectors.open_webui.traces import Traces

MemoryRule = Literal["keep", "of-chat", "made-meanwhile"]
"""Which memories of the owner go with a chat: none; those that a model wrote in it (they name the chat, or the answer
of the model's tool in the chat names them); of those that name no chat also any that was made while it went on."""

MEANWHILE_S: Final = 600
"""How long after its last message a chat is taken to go on: an answer, and what a model does after it, take a while."""

LEAST_SAID: Final = 8
"""Letters and digits that a sentence needs to be taken for a chat's: "yes." is said everywhere."""

UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_WRITES: Final = "add_memory"
"""The tool by which a model writes a memory that names no chat (0.12.4 marks it as written by hand)."""
_SPACES: Final = re.compile(r"[\W_]+")
_IDS: Final = re.compile(UUID)
_COLLECTION: Final = re.compile(r'"collection_name":\s*"(web-search-[^"\\]+|[0-9a-f]{63,64})"')
"""Made for a search or a page of the web; those of files and of knowledge have names of another form."""

_OWN_TABLES: Final = frozenset(("chat", "chat_message", "chat_file", "chatidtag", "file", "feedback", "shared_chat"))
_WITHOUT_FILES: Final = frozenset(
    ("alembic_version", "api_key", "auth", "automation_run", "config", "config_old", "document_chunk", "group_member")
)

_CHATS: Final = """
SELECT id, user_id, CAST(meta AS TEXT) AS meta, CAST(chat AS TEXT) AS chat, created_at FROM chat WHERE id IN :ids
"""
_CHILDREN: Final = """
SELECT id, CAST(meta AS TEXT) FROM chat
WHERE (user_id IN :ids OR user_id IS NULL) AND {contains}(CAST(meta AS TEXT), '"parent_chat_id"') > 0
"""
_MESSAGES: Final = """
SELECT chat_id, user_id, created_at, CAST(content AS TEXT), CAST(output AS TEXT), CAST(files AS TEXT),
       CAST(sources AS TEXT), CAST(embeds AS TEXT)
FROM chat_message WHERE chat_id IN :ids
"""
_FEEDBACK: Final = "SELECT id, user_id, CAST(meta AS TEXT) FROM feedback"
_SNAPSHOTS: Final = "SELECT id, CAST(snapshot AS TEXT) FROM feedback WHERE id IN :ids"
_FILES: Final = "SELECT id, user_id, path FROM file WHERE id IN :ids"
_MEMORIES: Final = "SELECT id, user_id, created_at, CAST(meta AS TEXT) FROM memory WHERE user_id IN :ids"
_META: Final = "SELECT id, user_id, CAST(meta AS TEXT) FROM chat WHERE user_id IN :ids"

_USING: Final = """
SELECT id, told FROM (SELECT id, CAST(chat AS TEXT) AS told FROM chat) AS one
WHERE {contains}(told, '"files":[{{') > 0 OR {contains}(told, '"files": [{{') > 0
   OR {contains}(told, '/files/') > 0 OR {contains}(told, '"collection_name"') > 0
"""
"""Chats that name any file or collection: the product writes JSON with or without spaces."""


@dataclass
class Found:
    """What a look at the rows of one chat found. `live`: its row is there. `texts` never leave the process."""

    chat: str
    owner: str = ""
    live: bool = False
    chats: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    collections: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    wrote: set[str] = field(default_factory=set)
    feedback: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)
    memories: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    since: int | None = None
    until: int | None = None

    @cached_property
    def said(self) -> str:
        """Give its words as letters and digits."""
        return "\n".join(letters(text) for text in self.texts)

    def to_traces(self) -> Traces:
        """Give the ids alone; collections have no ids yet."""
        return Traces(
            self.chat,
            self.owner or ("nobody" if self.live else ""),
            tuple(self.chats),
            tuple(self.feedback),
            tuple(self.shares),
            tuple(self.memories),
            tuple(self.files),
            tuple(self.objects),
            tuple(sorted(self.tags)),
            tuple((name, "") for name in sorted(self.collections)),
        )

    def went_on(self, at: int | None) -> bool:
        """Tell whether it went on at this second."""
        return at is not None and self.since is not None and self.since <= at <= (self.until or 0)

    def heard(self, at: Any) -> None:
        """Widen the time in which it went on."""
        if isinstance(at, int):
            self.since = at if self.since is None else min(self.since, at)
            self.until = max(self.until or 0, at + MEANWHILE_S)


def gather(connection: Connection, ids: Sequence[str], rule: MemoryRule) -> dict[str, Found]:
    """Find what belongs to these chats; changes nothing. One whose row has gone is found by what it left."""
    there = tables(connection)
    found = {name: Found(name, chats=[name]) for name in ids}
    of = {name: found[name] for name in found}
    _chats(connection, of)
    for row in rows_of(connection, _MESSAGES, list(of)):
        one = of[row[0]]
        one.owner = one.owner or row[1] or ""
        one.heard(row[2])
        _note(one, [text for text in row[3:] if text])
        one.texts += _said(row[3])
        one.wrote |= _written(row[4])
    _joined(connection, of, there)
    _feedback(connection, of)
    if rule != "keep" and "memory" in there:
        _memories(connection, found, rule)
    _own_files(connection, found)
    _own_tags(connection, found)
    return found


def _chats(connection: Connection, of: dict[str, Found]) -> None:
    """Read the rows, then those of the chats that each started, of the same owner."""
    children: dict[str, list[str]] | None = None
    waiting = list(of)
    while waiting:
        for name, owner, meta, chat, created_at in rows_of(connection, _CHATS, waiting):
            one = of[name]
            one.live |= name == one.chat
            one.owner = one.owner or owner or ""
            one.heard(created_at)
            one.tags |= _tags(meta)
            _note(one, [chat or ""])
            one.texts += _texts(_json(chat))
            one.wrote |= _written(chat)
        if children is None:
            children = _children(connection, {one.owner for one in of.values() if one.live})
        new = {child: of[parent] for parent in waiting for child in children.get(parent, ()) if child not in of}
        for child, one in new.items():
            one.chats.append(child)
        of.update(new)
        waiting = list(new)


def _children(connection: Connection, owners: Collection[str]) -> dict[str, list[str]]:
    """Find by parent the chats that chats of these people started: nobody starts one for somebody else."""
    found: dict[str, list[str]] = {}
    for name, meta in rows_of(connection, _said_as(connection, _CHILDREN), sorted(owners)):
        fields = _json(meta)
        if fields.get("internal") is True:
            found.setdefault(string(fields.get("parent_chat_id")), []).append(name)
    return found


def _joined(connection: Connection, of: Mapping[str, Found], there: Collection[str]) -> None:
    ids = list(of)
    if "chat_file" in there:
        for name, owner, file in rows_of(
            connection, "SELECT chat_id, user_id, file_id FROM chat_file WHERE chat_id IN :ids", ids
        ):
            of[name].named.add(file)
            of[name].owner = of[name].owner or owner
    if "shared_chat" in there:
        for share, name, owner in rows_of(
            connection, "SELECT id, chat_id, user_id FROM shared_chat WHERE chat_id IN :ids", ids
        ):
            of[name].shares.append(share)
            of[name].owner = of[name].owner or owner


def _feedback(connection: Connection, of: Mapping[str, Found]) -> None:
    """Find ratings by the chat that they are of; each holds a whole copy of it."""
    rated: dict[str, Found] = {}
    for name, owner, meta in all_rows(connection, _FEEDBACK):
        one = of.get(string(_json(meta).get("chat_id")))
        if one is not None and (not one.owner or owner == one.owner):
            one.feedback.append(name)
            one.owner = one.owner or owner or ""
            rated[name] = one
    for name, snapshot in rows_of(connection, _SNAPSHOTS, list(rated)):
        _note(rated[name], [snapshot or ""])
        if not rated[name].live:
            chat = mapping(_json(snapshot).get("chat"))
            rated[name].texts += [*_texts(chat), *_texts(mapping(chat.get("chat")))]


def _memories(connection: Connection, found: Mapping[str, Found], rule: MemoryRule) -> None:
    owners: dict[str, list[Found]] = {}
    by_chat = {name: one for one in found.values() for name in one.chats}
    for one in found.values():
        if one.owner:
            owners.setdefault(one.owner, []).append(one)
    for name, owner, made_at, meta in rows_of(connection, _MEMORIES, list(owners)):
        fields = _json(meta)
        of_chat = string(fields.get("chat_id"))
        source = by_chat.get(of_chat)
        if source is not None and source.owner == owner:
            source.memories.append(name)
        elif not of_chat:
            for one in owners[owner]:
                if name in one.wrote or (rule == "made-meanwhile" and one.went_on(made_at)):
                    one.memories.append(name)


def _own_files(connection: Connection, found: Mapping[str, Found]) -> None:
    """Keep the files of the owner that nothing else names; a file of somebody else is never the chat's own."""
    naming: dict[str, list[Found]] = {}
    for one in found.values():
        for name in one.named:
            naming.setdefault(name, []).append(one)
    rows = {row[0]: row for row in rows_of(connection, _FILES, list(naming))}
    wanted = {name for name, row in rows.items() if any(row[1] == one.owner for one in naming[name])}
    searched = {name for one in found.values() for name in one.collections}
    files, collections = used(connection, wanted, searched, {name for one in found.values() for name in one.chats})
    for name in sorted(wanted - files):
        _, owner, path = rows[name]
        for one in naming[name]:
            if one.owner == owner:
                one.files.append(name)
                one.collections.add(f"file-{name}")
                if path and "://" in path:
                    one.objects.append(name)
    for one in found.values():
        one.collections -= collections


def used(
    connection: Connection, files: Collection[str], collections: Collection[str], going: Collection[str]
) -> tuple[set[str], set[str]]:
    """Return which of these files and collections anything names that stays: a chat, or a row of any other table."""
    of_files = {row[0] for row in rows_of(connection, _FILES, sorted(files))}
    of_collections = set(collections)
    if not of_files and not of_collections:
        return set(), set()
    kept_files: set[str] = set()
    kept_collections: set[str] = set()
    for name, chat in all_rows(connection, _said_as(connection, _USING)):
        if name not in going:
            kept_files |= of_files.intersection(_IDS.findall(chat))
            kept_collections |= of_collections.intersection(_COLLECTION.findall(chat))
    joined = "SELECT file_id, chat_id FROM chat_file WHERE file_id IN :ids AND chat_id IN (SELECT id FROM chat)"
    kept_files |= {file for file, chat in rows_of(connection, joined, list(files)) if chat not in going}
    for text in _other_texts(connection):
        kept_files |= of_files.intersection(_IDS.findall(text))
        kept_collections |= of_collections.intersection(_COLLECTION.findall(text))
    return kept_files, kept_collections


def _other_texts(connection: Connection) -> Iterator[str]:
    """Give what every other table says, row by row: knowledge, channels, notes, folders, models, and what comes yet."""
    seen = inspect(connection)
    for table in seen.get_table_names():
        if table in _OWN_TABLES or table in _WITHOUT_FILES or table.endswith("_history"):
            continue
        names = [one["name"] for one in seen.get_columns(table) if isinstance(one["type"], String | JSON)]
        if names:
            columns = ", ".join(f'CAST("{name}" AS TEXT)' for name in names)
            for row in all_rows(connection, f'SELECT {columns} FROM "{table}"'):  # noqa: S608 - names of its own schema
                yield "\n".join(value for value in row if value)


def _own_tags(connection: Connection, found: Mapping[str, Found]) -> None:
    """Leave the tags that no other chat of the owner has."""
    going = {name for one in found.values() for name in one.chats}
    kept = used_tags(connection, {one.owner for one in found.values() if one.tags}, going)
    for one in found.values():
        one.tags -= kept.get(one.owner, set())


def used_tags(connection: Connection, owners: Collection[str], going: Collection[str]) -> dict[str, set[str]]:
    """Return by owner the tags of chats that stay."""
    kept: dict[str, set[str]] = {}
    for name, owner, meta in rows_of(connection, _META, sorted(owners)):
        if name not in going:
            kept.setdefault(owner, set()).update(_tags(meta))
    return kept


# -- reading ------------------------------------------------------------------------------------


def _note(one: Found, texts: Iterable[str]) -> None:
    for text in texts:
        one.named.update(_IDS.findall(text))
        one.collections.update(_COLLECTION.findall(text))


def _tags(meta: str | None) -> set[str]:
    return {tag for tag in sequence(_json(meta).get("tags")) if isinstance(tag, str)}


def _texts(fields: dict[str, object]) -> list[str]:
    """Give what was said in a chat, of its tree and its flat list."""
    tree = mapping(mapping(fields.get("history")).get("messages"))
    said = [mapping(one).get("content") for one in (*tree.values(), *sequence(fields.get("messages")))]
    return list(dict.fromkeys(text for text in said if isinstance(text, str) and text))


def _written(text: str | None) -> set[str]:
    """Give the memories that a model wrote: the answers of its tool name them, not the memories that it only read."""
    if not text or _WRITES not in text:
        return set()
    found: set[str] = set()
    for blocks in _outputs(_loaded(text)):
        calls = {string(one.get("call_id")) for one in blocks if one.get("name") == _WRITES}
        for one in blocks:
            if one.get("type") == "function_call_output" and string(one.get("call_id")) in calls:
                found.update(_IDS.findall(orjson.dumps(one).decode()))
    return found


def _outputs(value: object) -> Iterator[list[dict[str, object]]]:
    """Give the blocks of each answer, of a chat or of a message's own column."""
    if isinstance(value, list):
        yield [mapping(one) for one in value]
    for one in mapping(mapping(mapping(value).get("history")).get("messages")).values():
        yield [mapping(block) for block in sequence(mapping(one).get("output"))]


def letters(text: str) -> str:
    """Leave letters and digits: marks and breaks differ between what is said, read aloud and written down."""
    return _SPACES.sub("", text).casefold()


def _said(content: str | None) -> list[str]:
    value = _loaded(content)
    return [value] if isinstance(value, str) and value else []


def _said_as(connection: Connection, statement: str) -> str:
    """Fill in how the database calls looking for a text in a text; `LIKE` would be several times slower."""
    return statement.format(contains="instr" if connection.dialect.name == "sqlite" else "strpos")


def _json(text: str | None) -> dict[str, object]:
    return mapping(_loaded(text))


def _loaded(text: str | None) -> object:
    """Read JSON; what is no JSON says nothing."""
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None


def with_collections(found: Mapping[str, Found], ids: Mapping[str, str]) -> dict[str, Traces]:
    """Give the traces, with the ids by which the vector store knows their collections."""
    return {
        name: replace(traces, collections=tuple((one, ids[one]) for one, _ in traces.collections if one in ids))
        for name, traces in ((name, one.to_traces()) for name, one in found.items())
    }
