"""The rows that hang on a conversation, and the counters that count it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from assent.connectors.librechat.mongo import Base, batches, counted

CONVERSATIONS: Final = "conversations"
MESSAGES: Final = "messages"
SHARED: Final = "sharedlinks"


class Hanging(NamedTuple):
    """Rows of one kind: their collection, and the field that names the conversation."""

    kind: str
    collection: str
    field: str


_HANGING: Final = (
    Hanging("tool results", "toolcalls", "conversationId"),
    Hanging("shared link", SHARED, "conversationId"),
    Hanging("waiting turns", "agentqueuedturns", "conversationId"),
    Hanging("trigger deliveries", "agenttriggerdeliveries", "envelope.target.conversationId"),
    Hanging("trigger deliveries", "agenttriggerdeliveries", "handling.conversationId"),
)
_ITSELF: Final = (
    Hanging("messages", MESSAGES, "conversationId"),
    # the row itself last: what was stopped before is found again by it
    Hanging("conversation", CONVERSATIONS, "conversationId"),
)

CONTENT: Final = ("files", "memoryentries", *dict.fromkeys(one.collection for one in (*_HANGING, *_ITSELF)))
"""Collections that hold what was said; saved states of agents come on top."""

_CHECKPOINTS: Final = "checkpoint"
"""LangGraph's saver stores states of agents by `thread_id`; how LibreChat names its collections is a setting there."""


@dataclass(slots=True)
class Family:
    """A conversation with the subagent threads below it. `owners`: people, and their organisations, of its rows."""

    id: str
    owners: set[tuple[str, str]] = field(default_factory=set)
    threads: set[str] = field(default_factory=set)

    @property
    def ids(self) -> set[str]:
        return {self.id, *self.threads}

    @property
    def owner(self) -> str | None:
        return next(iter(self.owners))[0] if len(self.owners) == 1 else None


def families(base: Base, ids: Collection[str], threads: Mapping[str, Iterable[str]]) -> dict[str, Family]:
    """Find whose these conversations are, and every thread below them; `threads` were known before."""
    found = {one: Family(one, set(), set(threads.get(one, ()))) for one in ids}
    wanted = {"conversationId": 1, "user": 1, "tenantId": 1}
    for some in batches(ids):
        for row in base[CONVERSATIONS].find({"conversationId": {"$in": some}}, wanted):
            found[row["conversationId"]].owners.add((str(row.get("user") or ""), str(row.get("tenantId") or "")))
        stages: list[dict[str, Any]] = [
            {"$match": {"conversationId": {"$in": some}}},
            {"$group": {"_id": {"id": "$conversationId", "user": "$user"}}},
        ]
        for row in base[MESSAGES].aggregate(stages):
            family, writer = found[row["_id"]["id"]], str(row["_id"].get("user") or "")
            if writer not in {owner for owner, _ in family.owners}:
                family.owners.add((writer, ""))
    for thread, roots in _above(base, found).items():
        for root in roots - {thread}:
            found[root].threads.add(thread)
    return found


def _above(base: Base, found: Mapping[str, Family]) -> dict[str, set[str]]:
    """Return every conversation and thread with the conversations that it hangs below, at any depth."""
    above = {one: {one} for one in found}
    for root, family in found.items():
        for thread in family.threads:
            above.setdefault(thread, set()).add(root)
    waiting = set(above)
    while waiting:
        below: set[str] = set()
        for some in batches(waiting):
            for row in base[CONVERSATIONS].find(_below(some), {"conversationId": 1, "subagentThread": 1}):
                thread, where = row["conversationId"], row["subagentThread"]
                named = (where.get("parentConversationId"), where.get("rootConversationId"))
                roots = {root for one in named for root in above.get(one, ())}
                if not roots <= above.get(thread, set()):
                    above.setdefault(thread, set()).update(roots)
                    below.add(thread)
        waiting = below
    return above


def hanging(base: Base) -> tuple[Hanging, ...]:
    """Return every kind of row that this database may have, in the order in which they are erased."""
    saved = sorted(name for name in base.list_collection_names() if _CHECKPOINTS in name)
    return (*_HANGING, *(Hanging("agent checkpoints", name, "thread_id") for name in saved), *_ITSELF)


def count(base: Base, ids: Collection[str]) -> dict[str, dict[Hanging, int]]:
    """Count the rows of each of these conversations, threads as conversations of their own."""
    found: dict[str, dict[Hanging, int]] = {one: {} for one in ids}
    for kind in hanging(base):
        for one, number in counted(base, kind.collection, kind.field, ids).items():
            found[one][kind] = number
    return found


def erase(base: Base, ids: Collection[str]) -> None:
    """Erase every row of these conversations. What counts them must be counted anew (`recount`)."""
    for some in batches(ids):
        links = [row["_id"] for row in base[SHARED].find({"conversationId": {"$in": some}}, {"_id": 1})]
        if links:
            base["aclentries"].delete_many({"resourceId": {"$in": links}})
        for kind in hanging(base):
            base[kind.collection].delete_many({kind.field: {"$in": some}})


@dataclass(frozen=True, slots=True)
class Counters:
    """The tags and projects that count conversations: owner and tag, owner and project."""

    tags: frozenset[tuple[str, str]]
    projects: frozenset[tuple[str, str]]


def counters(base: Base, ids: Collection[str]) -> Counters:
    """Find what counts these conversations, before they go."""
    tags, projects = set(), set()
    for some in batches(ids):
        wanted = {"user": 1, "tags": 1, "chatProjectId": 1}
        for row in base[CONVERSATIONS].find({"conversationId": {"$in": some}}, wanted):
            owner = str(row.get("user") or "")
            tags |= {(owner, tag) for tag in row.get("tags") or () if isinstance(tag, str)}
            if row.get("chatProjectId"):
                projects.add((owner, str(row["chatProjectId"])))
    return Counters(frozenset(tags), frozenset(projects))


def recount(base: Base, touched: Counters) -> None:
    """Count tags and projects anew: the same again gives the same."""
    for owner, tag in touched.tags:
        number = base[CONVERSATIONS].count_documents({"user": owner, "tags": tag})
        base["conversationtags"].update_many({"user": owner, "tag": tag}, {"$set": {"count": number}})
    for owner, project in touched.projects:
        mine = {"user": owner, "chatProjectId": project}
        newest = next(iter(base[CONVERSATIONS].find(mine).sort("updatedAt", -1).limit(1)), None)
        said: dict[str, Any] = {
            "conversationCount": base[CONVERSATIONS].count_documents(mine),
            "lastConversationId": newest and newest["conversationId"],
            "lastConversationAt": newest and newest.get("updatedAt"),
        }
        for row in _projects(base, owner):
            if str(row["_id"]) == project:
                base["chatprojects"].update_one({"_id": row["_id"]}, {"$set": said})


def _projects(base: Base, owner: str) -> Iterator[dict[str, Any]]:
    yield from base["chatprojects"].find({"user": owner}, {"_id": 1})


def _below(ids: list[str]) -> dict[str, Any]:
    named = {"$in": ids}
    return {"$or": [{"subagentThread.parentConversationId": named}, {"subagentThread.rootConversationId": named}]}
