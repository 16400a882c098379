"""A LibreChat for the tests: its collections (data-schemas 0.0.71) in mongomock, its folders, its search index.

mongomock has no files. So this server keeps what deleted and changed rows were as `freed`, the way that MongoDB leaves
them in free blocks until they are compacted, and says of it what MongoDB says. `Meili` answers as MeiliSearch's
reference describes, and keeps the pages of deleted documents until an index is dropped.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import mongomock
from bson import ObjectId, encode
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError
from tests.conformance.connectors.kit import ODD_IDS, Seeded

from assent.connectors.librechat.product import LibreChat, Settings
from assent.connectors.librechat.search import Search
from assent.connectors.librechat.vectors import Vectors

BEGIN = datetime(2026, 1, 5, 10, tzinfo=UTC)
OWNER = "64f000000000000000000001"


class Server:
    """What all clients of one MongoDB see. `says_nothing`: the account may not ask about files."""

    def __init__(self) -> None:
        self.rows: Any = mongomock.MongoClient(tz_aware=True)
        self.freed: dict[str, bytes] = {}
        self.down = self.lies = self.says_nothing = self.packs_badly = False

    def raw(self) -> dict[str, bytes]:
        base = self.rows["LibreChat"]
        there = {name: b"".join(encode(row) for row in base[name].find()) for name in base.list_collection_names()}
        return {name: there.get(name, b"") + self.freed.get(name, b"") for name in {*there, *self.freed}}


class Client:
    """A connection, as pymongo's client is one."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getitem__(self, name: str) -> Any:
        if self._server.down:
            raise ServerSelectionTimeoutError("nobody there")
        return _Base(self._server, self._server.rows[name])


class _Base:
    def __init__(self, server: Server, rows: Any) -> None:
        self._server = server
        self._rows = rows

    def __getitem__(self, name: str) -> Any:
        return _Collection(self._server, self._rows[name])

    def list_collection_names(self) -> list[str]:
        return list(self._rows.list_collection_names())

    def command(self, command: str, name: str = "", **more: Any) -> dict[str, Any]:
        if self._server.says_nothing:
            raise OperationFailure("not authorized")
        if command == "hello":
            return {"localTime": datetime.now(UTC)}
        if command == "listCollections":
            return {"cursor": {"firstBatch": [{"name": more["filter"]["name"], "info": {"uuid": "the same"}}]}}
        if command == "compact":
            if not self._server.packs_badly:
                self._server.freed.pop(name, None)
            return {"ok": 1}
        assert command == "collStats"
        free = {"file bytes available for reuse": len(self._server.freed.get(name, b""))}
        return {"ns": f"LibreChat.{name}", "wiredTiger": {"block-manager": free}}


class _Collection:
    def __init__(self, server: Server, rows: Any) -> None:
        self._server = server
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def aggregate(self, stages: Any, **_options: Any) -> Any:
        return self._rows.aggregate(stages)

    def delete_many(self, wanted: Any) -> Any:
        return None if self._server.lies else self._freeing(wanted, lambda: self._rows.delete_many(wanted))

    def update_many(self, wanted: Any, change: Any) -> Any:
        return None if self._server.lies else self._freeing(wanted, lambda: self._rows.update_many(wanted, change))

    def _freeing(self, wanted: Any, act: Any) -> Any:
        before = b"".join(encode(row) for row in self._rows.find(wanted))
        if before:
            self._server.freed[self._rows.name] = self._server.freed.get(self._rows.name, b"") + before
        return act()


class Meili:
    """A search server: documents by index, pages of deleted ones, tasks that are done one look later."""

    def __init__(self) -> None:
        self.indexes: dict[str, dict[str, dict[str, Any]]] = {"convos": {}, "messages": {}}
        self.made = dict.fromkeys(self.indexes, 1)
        self.freed: dict[str, bytes] = {}
        self.tasks: list[Any] = []
        self.looks: dict[int, int] = {}
        self.down = self.lies = self.fails = False

    def add(self, index: str, key: str, document: Mapping[str, Any]) -> None:
        if re.fullmatch(r"[A-Za-z0-9_-]{1,511}", key):  # what it takes as a key
            self.indexes.setdefault(index, {})[key] = dict(document)
            self.made.setdefault(index, len(self.tasks) + 2)

    def raw(self) -> bytes:
        return json.dumps(self.indexes).encode() + b"".join(self.freed.values())

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("nobody there")
        body = json.loads(request.content) if request.content else None
        match request.method, request.url.path.strip("/").split("/"):
            case "POST", ["multi-search"]:
                return self._searched(body["queries"])
            case "POST", ["indexes", index, "documents", "delete-batch"]:
                return self._told(lambda: self._delete(index, body))
            case "DELETE", ["indexes", index]:
                return self._told(lambda: self._drop(index))
            case "GET", ["indexes", index]:
                made = {"uid": index, "createdAt": f"2026-01-01T00:00:{self.made.get(index, 0):02}Z"}
                return httpx.Response(200, json=made) if index in self.indexes else _missing()
            case "GET", ["tasks", number]:
                return self._task(int(number))
        return httpx.Response(404, json={"code": "not_found"})

    def _searched(self, queries: Sequence[Mapping[str, Any]]) -> httpx.Response:
        if any(query["indexUid"] not in self.indexes for query in queries):
            return _missing()
        results = []
        for query in queries:
            assert query["attributesToSearchOn"] == ["conversationId"]
            words = _words(query["q"])
            hits = [one for one in self.indexes[query["indexUid"]].values() if _phrase(words, one["conversationId"])]
            keys = query["attributesToRetrieve"]
            results.append({"hits": [{key: one[key] for key in keys} for one in hits[: query["limit"]]]})
        return httpx.Response(200, json={"results": results})

    def _told(self, act: Any) -> httpx.Response:
        self.tasks.append(act)
        return httpx.Response(202, json={"taskUid": len(self.tasks) - 1, "status": "enqueued"})

    def _task(self, number: int) -> httpx.Response:
        self.looks[number] = self.looks.get(number, 0) + 1
        if self.looks[number] < 2:
            return httpx.Response(200, json={"status": "processing"})
        if not self.lies and self.looks[number] == 2:
            self.tasks[number]()
        return httpx.Response(200, json={"status": "failed" if self.fails else "succeeded"})

    def _delete(self, index: str, keys: Iterable[str]) -> None:
        for key in keys:
            gone = self.indexes[index].pop(key, None)
            if gone is not None:
                self.freed[index] = self.freed.get(index, b"") + json.dumps(gone).encode()

    def _drop(self, index: str) -> None:
        self.indexes.pop(index, None)
        self.made.pop(index, None)
        self.freed.pop(index, None)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _phrase(words: list[str], text: str) -> bool:
    there = _words(text)
    return any(there[at : at + len(words)] == words for at in range(len(there) - len(words) + 1))


def _missing() -> httpx.Response:
    return httpx.Response(404, json={"code": "index_not_found"})


class LibreChatWorld:
    """A LibreChat with every copy in use."""

    odd_ids = (*ODD_IDS[:8], "a|b", "a--b")

    def __init__(self, tmp: Path, *, vectors: Vectors | None = None, search: bool = True, **keys: Any) -> None:
        self.server, self.meili, self.vectors = Server(), Meili(), vectors
        self.uploads = tmp / "uploads"
        self.images = tmp / "images"
        self.uploads.mkdir()
        self.images.mkdir()
        self._search = search
        said = {"uploads_dir": self.uploads, "images_dir": self.images, **keys}
        self.settings = Settings(name="mine", folder=tmp / "state", uri_file=tmp / "uri", **said)
        self._seeded = 0

    @property
    def base(self) -> Any:
        return self.server.rows["LibreChat"]

    def product(self) -> LibreChat:
        http = httpx.Client(base_url="http://search", transport=httpx.MockTransport(self.meili.answer))
        search = Search(http, lambda: None) if self._search else None
        return LibreChat(self.settings, Client(self.server), search, self.vectors)  # type: ignore[arg-type]

    def seed(self, count: int, ids: Sequence[str] | None = None) -> Sequence[Seeded]:
        found = []
        for number in range(self._seeded, self._seeded + count):
            name = ids[number - self._seeded] if ids else f"{number:08x}-0000-4000-8000-{number:012x}"
            found.append(self.put(name, number))
        self._seeded += count
        return found

    def put(self, name: str, number: int, owner: str = OWNER) -> Seeded:
        marker, at = f"quagga{number:06d}zephyr", BEGIN + timedelta(minutes=number)
        later = at + timedelta(hours=1)
        base, file, picture = self.base, f"file-{number}", f"picture-{number}"
        message = {"conversationId": name, "user": owner, "_meiliIndex": True, "createdAt": at, "updatedAt": later}
        base.messages.insert_many([
            {**message, "messageId": f"m{number}-1", "isCreatedByUser": True, "sender": "User",
             "text": f"please {marker}", "files": [{"file_id": file}, {"file_id": picture}, {"file_id": "shared"}]},
            {**message, "messageId": f"m{number}-2", "parentMessageId": f"m{number}-1", "isCreatedByUser": False,
             "sender": "Model", "model": "m", "content": [{"type": "text", "text": f"gladly {marker}"}],
             "createdAt": at + timedelta(minutes=30)},
        ])  # fmt: skip
        base.conversations.insert_one(
            {"conversationId": name, "user": owner, "title": marker, "tags": ["work"], "createdAt": at,
             "endpoint": "agents",
             "updatedAt": later, "files": [file], "chatProjectId": "64f0000000000000000000aa"}
        )  # fmt: skip
        self._thread(name, number, marker, owner, at)
        mine, key = {"user": ObjectId(owner)}, {"fingerprint": "f" * 43, "availableAt": at}
        base.toolcalls.insert_one(
            {**mine, "conversationId": name, "messageId": f"m{number}-2", "toolId": "run", "result": marker}
        )
        base.sharedlinks.insert_one({"conversationId": name, "title": marker, "shareId": f"s{number}"})
        base.agentqueuedturns.insert_one(
            {**mine, **key, "conversationId": name, "text": marker, "agentId": "a", "parentMessageId": f"m{number}-2",
             "clientRequestId": f"q{number}", "laneId": "lane"}
        )  # fmt: skip
        delivery = {**mine, **key, "orderingKey": "lane", "laneSequence": number}
        done = {"status": "completed", "output": marker, "settledAt": at}
        handling = {"status": "applied", "conversationId": name, "streamId": name, "generationCreatedAt": 1}
        target = {"target": {"conversationId": name}, "text": marker}
        base.agenttriggerdeliveries.insert_many([
            {**delivery, "deliveryKey": f"d{number}-1", "envelope": target},
            {**delivery, "deliveryKey": f"d{number}-2", "envelope": {"source": "clock"}, "backgroundToolResult": done,
             "handling": {**handling, "startedAt": at}},
        ])  # fmt: skip
        base.agent_checkpoints.insert_one({"thread_id": name, "checkpoint": marker.encode()})
        self.file(file, name, marker, f"/uploads/{owner}/{file}__notes.txt", owner=owner)
        self.file(picture, name, marker, f"/images/{owner}/{picture}.png", owner=owner)
        self.meili.add("convos", name, {"conversationId": name.replace("|", "--"), "title": marker})
        for turn in (1, 2):
            key = f"m{number}-{turn}"
            told = {"messageId": key, "conversationId": name.replace("|", "--"), "text": marker}
            self.meili.add("messages", key, told)
        return Seeded(name, marker, at, owner)

    def _thread(self, name: str, number: int, marker: str, owner: str, at: datetime) -> None:
        call = {
            "parentMessageId": f"m{number}-2",
            "parentToolCallId": "c",
            "subagentType": "t",
            "subagentKind": "agent",
        }
        thread = {**call, "rootConversationId": name, "parentConversationId": name, "depth": 1}
        own = {
            "conversationId": f"thread-{number}",
            "user": owner,
            "endpoint": "agents",
            "createdAt": at,
            "updatedAt": at,
        }
        self.base.conversations.insert_one({**own, "title": marker, "subagentThread": thread})
        deeper = {**call, "rootConversationId": name, "parentConversationId": f"thread-{number}", "depth": 2}
        self.base.conversations.insert_one({**own, "conversationId": f"deep-{number}", "subagentThread": deeper})
        for below in ("thread", "deep"):
            said = {**own, "conversationId": f"{below}-{number}", "messageId": f"{below}-m{number}"}
            self.base.messages.insert_one({**said, "isCreatedByUser": True, "text": marker})

    def file(self, file: str, name: str, text: str, path: str, *, owner: str = OWNER, **more: Any) -> None:
        """Put a file into a conversation: its row, and its bytes where they are local."""
        row = {"user": ObjectId(owner), "conversationId": name, "file_id": file, "filename": f"{text}.txt",
               "filepath": path, "source": "local", "type": "text/plain", "bytes": len(text), "text": text,
               **more}  # fmt: skip
        self.base.files.insert_one(row)
        if row["source"] == "local":
            at = self.at(path)
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)

    def at(self, path: str) -> Path:
        root = self.uploads if path.startswith("/uploads/") else self.images
        return root / path.split("/", 2)[2]

    def touch(self, name: str) -> None:
        moved = {"$set": {"updatedAt": datetime(2026, 6, 1, tzinfo=UTC), "pinned": True}}
        self.base.conversations.update_one({"conversationId": name}, moved)

    def take_turn(self, name: str, at: datetime) -> None:
        said = {"conversationId": name, "messageId": f"later-{at}", "isCreatedByUser": True, "text": "one more thing"}
        self.base.messages.insert_one({**said, "user": OWNER, "createdAt": at, "updatedAt": at})
        self.base.conversations.update_one({"conversationId": name}, {"$set": {"updatedAt": at}})

    def delete(self, name: str) -> None:
        self.base.conversations.delete_many({"conversationId": name})
        self.base.messages.delete_many({"conversationId": name})

    def bytes_left(self, markers: Iterable[str]) -> Mapping[str, int]:
        raw = {**self.server.raw(), "search index": self.meili.raw()}
        raw["uploads"] = b"".join(
            file.read_bytes() for root in (self.uploads, self.images) for file in root.rglob("*") if file.is_file()
        )
        wanted = {marker.encode() for marker in markers}
        # one pass: markers are words of one form
        return {
            place: sum(word in wanted for word in re.findall(rb"quagga\d{6}zephyr", content))
            for place, content in raw.items()
        }

    def break_down(self) -> None:
        self.server.down = True

    def mend(self) -> None:
        self.server.down = False

    def maintenance(self) -> AbstractContextManager[None]:
        return nullcontext()

    @contextmanager
    def lie(self) -> Iterator[None]:
        self.server.lies = self.meili.lies = True
        try:
            yield
        finally:
            self.server.lies = self.meili.lies = False
