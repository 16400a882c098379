"""Listing conversations, and reading them as the importer of LibreChat's exports reads documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from assent.connectors.formats.fields import instant
from assent.connectors.formats.librechat import read_chat
from assent.connectors.formats.port import Malformed, Record
from assent.connectors.librechat.mongo import Base, Document, batches
from assent.connectors.librechat.rows import CONVERSATIONS, MESSAGES
from assent.connectors.port import Listed, Unlisted
from assent.domain.errors import Place

_AT_ONCE: Final = 500
_SHARED: Final = "several people have a conversation of this id"
_WANTED: Final = {
    "conversationId": 1,
    "user": 1,
    "createdAt": 1,
    "chatProjectId": 1,
    "subagentThread": 1,
    "tenantId": 1,
}


def listed(base: Base, since: datetime | None) -> Iterator[Listed | Unlisted]:
    """List conversations with their person's own last turn, then messages that no conversation is left of.

    Subagent threads are no conversations: they hang on the one that started them.
    """
    rows = base[CONVERSATIONS].find({}, _WANTED).sort("conversationId", 1)
    waiting: list[Document] = []
    for row in rows:
        if not (isinstance(row.get("conversationId"), str) and row["conversationId"]):
            yield Unlisted(Place(CONVERSATIONS), "a conversation has no id")
            continue
        # rows of one id stand together and stay in one batch
        if len(waiting) >= _AT_ONCE and row["conversationId"] != waiting[-1]["conversationId"]:
            yield from _listed(base, waiting, since)
            waiting = []
        waiting.append(row)
    yield from _listed(base, waiting, since)
    yield from _orphans(base, since)


def _listed(base: Base, rows: Sequence[Document], since: datetime | None) -> Iterator[Listed | Unlisted]:
    own = [row for row in rows if not row.get("subagentThread")]
    by_id: dict[str, list[Document]] = {}
    for row in own:
        by_id.setdefault(row["conversationId"], []).append(row)
    turns = last_turns(base, list(by_id))
    for name, same in by_id.items():
        if len({(row.get("user"), row.get("tenantId")) for row in same}) > 1:
            yield Unlisted(Place(CONVERSATIONS), _SHARED)
            continue
        turn = turns.get(name)
        if since is None or turn is None or turn >= since:
            row = same[0]
            project = str(row.get("chatProjectId") or "")
            owner = str(row["user"]) if row.get("user") else None
            yield Listed(name, owner, instant(row.get("createdAt")), turn, project=project)


def _orphans(base: Base, since: datetime | None) -> Iterator[Listed]:
    stages: list[dict[str, Any]] = [{"$group": {"_id": "$conversationId", "owner": {"$first": "$user"}}}]
    waiting: dict[str, Any] = {}
    for row in base[MESSAGES].aggregate(stages, allowDiskUse=True):
        if isinstance(row["_id"], str) and row["_id"]:
            waiting[row["_id"]] = row.get("owner")
        if len(waiting) >= _AT_ONCE:
            yield from _without(base, waiting, since)
            waiting = {}
    yield from _without(base, waiting, since)


def _without(base: Base, owners: Mapping[str, Any], since: datetime | None) -> Iterator[Listed]:
    there = set()
    for some in batches(owners):
        rows = base[CONVERSATIONS].find({"conversationId": {"$in": some}}, {"conversationId": 1})
        there |= {row["conversationId"] for row in rows}
    left = [name for name in owners if name not in there]
    turns = last_turns(base, left)
    for name in left:
        turn = turns.get(name)
        if since is None or turn is None or turn >= since:
            yield Listed(name, str(owners[name]) if owners[name] else None, last_turn_at=turn)


def last_turns(base: Base, ids: Sequence[str]) -> dict[str, datetime]:
    """Return the newest turn of the person in each conversation that has one."""
    found = {}
    for some in batches(ids):
        stages: list[dict[str, Any]] = [
            {"$match": {"conversationId": {"$in": some}, "isCreatedByUser": True}},
            {"$group": {"_id": "$conversationId", "at": {"$max": "$createdAt"}}},
        ]
        for row in base[MESSAGES].aggregate(stages):
            if (at := instant(row["at"])) is not None:
                found[row["_id"]] = at
    return found


def read(base: Base, ids: Sequence[str]) -> Iterator[Record]:
    """Read conversations as records of the importer, with their messages in the order of writing."""
    for some in batches(ids):
        found: dict[str, list[Document]] = {name: [] for name in some}
        messages: dict[str, list[Document]] = {name: [] for name in some}
        for row in base[CONVERSATIONS].find({"conversationId": {"$in": some}}):
            found[row["conversationId"]].append(row)
        for row in base[MESSAGES].find({"conversationId": {"$in": some}}).sort("createdAt", 1):
            messages[row["conversationId"]].append(row)
        for name in some:
            rows = [*found[name], *messages[name]]
            if len({str(row.get("user") or "") for row in rows}) > 1 or len(found[name]) > 1:
                yield Malformed(Place(CONVERSATIONS), _SHARED, len(rows))
            elif rows:
                document = {"conversationId": name, **dict(*found[name]), "messages": messages[name]}
                yield from read_chat(_plain(document), Place(CONVERSATIONS), set())


def _plain(value: object) -> object:
    """Write what MongoDB stores as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return {"$date": value.isoformat().replace("+00:00", "Z")}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
