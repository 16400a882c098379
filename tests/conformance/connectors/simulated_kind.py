"""The kind `simulated`: an honest connector to the product that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field
from tests.conformance.connectors.simulated import ChatProduct

from assent.connectors.formats.port import Record
from assent.connectors.port import Change, Copy, Listed, Unlisted
from assent.connectors.table import Secret, Table
from assent.domain.conversation import Conversation, Part, last_turn
from assent.domain.errors import AssentError, Refused

SUMMARY = "a chat product that misbehaves"
PAGE = 50
PASSES = 20


class Settings(Table):
    data_dir: Path = Field(description="The folder of its data.")
    page_rows: int = Field(PAGE, ge=1, description="Chats that are asked for at once.")
    token_file: Path | None = Field(None, description="A file with the token of its API.")


def connect(settings: Settings, secret: Secret) -> Simulated:
    if settings.token_file is not None:
        secret(settings.token_file)
    return Simulated(settings)


class Simulated:
    format = "simulated"
    reach = "chats, their files and the request log; free pages and the log only in maintenance"

    def __init__(self, settings: Settings) -> None:
        self.name = settings.name
        self._memory = settings.folder / "erased.json"
        self._rows = settings.page_rows
        self._data = settings.data_dir

    @property
    def _system(self) -> ChatProduct:
        if not self._data.is_dir():
            raise FileNotFoundError(2, "no such folder", str(self._data))
        return ChatProduct(self._data)

    # -- list and read ----------------------------------------------------------------------

    def list(self, since: datetime | None = None) -> Iterator[Listed | Unlisted]:
        """List until as many were seen as there are: a page may repeat and leave out."""
        system, seen = self._system, set[str]()
        for _ in range(PASSES):
            offset, total = 0, 1
            while offset < total:
                page = system.get_page(offset, self._rows)
                offset, total = offset + self._rows, page["total"]
                for chat in page["chats"]:
                    if chat["id"] not in seen:
                        seen.add(chat["id"])
                        turn = _instant(chat["turned"])
                        if since is None or turn >= since:
                            yield Listed(chat["id"], chat["owner"], last_turn_at=turn, plan=chat["plan"])
            if len(seen) >= total:
                return
        raise AssentError("the list of chats never came to an end", "list when fewer people write")

    def read(self, ids: Sequence[str]) -> Iterator[Record]:
        system = self._system
        for name in ids:
            chat = system.get_chat(name)
            if chat is not None:
                yield _conversation(chat)

    def watch(self, cursor: str = "") -> Iterator[Change]:
        for number, chat, kind, at in self._system.events(int(cursor or 0)):
            yield Change(chat, kind, _instant(at), str(number))

    # -- copies -----------------------------------------------------------------------------

    def copies(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._found(ids, {})

    def verify(self, ids: Sequence[str]) -> Mapping[str, Sequence[Copy]]:
        return self._found(ids, self._remembered())

    def erase(self, ids: Sequence[str], *, maintenance: bool = False) -> Mapping[str, Sequence[Copy]]:
        system = self._system
        if maintenance and not (self._data / "stopped").exists():
            raise Refused("the product still runs", "stop it first")
        memory = self._remembered()
        with closing(system.open()) as database:
            for name in ids:
                for current in _names(database, name):
                    own = _own_files(database, current, set(ids))
                    known = memory.setdefault(name, {"files": [], "bytes": True})
                    memory[name] = {"files": sorted({*known["files"], *own}), "bytes": True}
        self._remember(memory)  # before anything goes: afterwards nothing tells which files were whose
        for name in ids:
            with closing(system.open()) as database:
                current_names = _names(database, name)
            for current in current_names:
                system.delete_chat(current)
            for file in memory.get(name, {}).get("files", ()):
                system.delete_file(file)
        if maintenance:
            self._maintain(system, set(ids), memory)
        return self._found(ids, memory)

    def _maintain(self, system: ChatProduct, ids: set[str], memory: dict[str, Any]) -> None:
        system.tidy()
        log = self._data / "requests.log"
        if log.exists():
            lines = [line for line in log.read_text().splitlines() if json.loads(line)["chat"] not in ids]
            log.write_text("".join(f"{line}\n" for line in lines))
        for one in memory.values():
            one["bytes"] = False
        self._remember(memory)

    def _found(self, ids: Sequence[str], memory: Mapping[str, Any]) -> dict[str, list[Copy]]:
        """Look into the data itself, past the API, which must be up all the same: else it changes meanwhile."""
        system = self._system
        system.events(2**60)
        log = self._data / "requests.log"
        logged = {json.loads(line)["chat"] for line in log.read_text().splitlines()} if log.exists() else set()
        with closing(system.open()) as database:
            return {name: list(self._of(database, name, memory.get(name), logged=name in logged)) for name in ids}

    def _of(self, database: Any, name: str, known: Any, *, logged: bool) -> Iterator[Copy]:
        rows = database.execute(
            "select hidden_until is not null from chat where id = ? or formerly = ?", (name, name)
        ).fetchall()
        shown, hidden = (0,) in rows, (1,) in rows
        if shown:
            yield Copy("chat row", "database")
        elif hidden:
            yield Copy("chat row", "database", "pending maintenance", "the product lets it go later")
        elif known:
            state = "pending maintenance" if known["bytes"] else "removed"
            yield Copy("chat row", "database", state, "its bytes lie in free pages until it is packed")
        files = set(known["files"] if known else ())
        for current in _names(database, name):
            files |= _own_files(database, current, {name})
        for file in sorted(files):
            there = (self._data / "files" / file).exists()
            yield Copy("file", "files", "present" if there else "removed")
        if logged and shown:
            yield Copy("log lines", "request log")
        elif logged:
            yield Copy("log lines", "request log", "pending maintenance", "the log is rewritten when it is stopped")

    def _remembered(self) -> dict[str, Any]:
        return json.loads(self._memory.read_text()) if self._memory.exists() else {}

    def _remember(self, memory: dict[str, Any]) -> None:
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        self._memory.write_text(json.dumps(memory))


def _names(database: Any, name: str) -> Sequence[str]:
    """Return the ids that a chat has now: the product may have given it another one."""
    query = "select id from chat where id = ? or formerly = ?"
    return [row[0] for row in database.execute(query, (name, name))]


def _own_files(database: Any, name: str, going: set[str]) -> set[str]:
    """Return files of a chat that none uses which stays."""
    query = (
        "select mine.file, other.chat from attached mine left join attached other "
        "on other.file = mine.file and other.chat <> mine.chat where mine.chat = ?"
    )
    users: dict[str, set[str]] = {}
    for file, other in database.execute(query, (name,)):
        users.setdefault(file, set()).update({other} - {None})
    return {file for file, others in users.items() if others <= going}


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _conversation(chat: Mapping[str, Any]) -> Conversation:
    parts = tuple(
        Part(
            id=f"t{number}",
            turn=f"t{number}",
            speaker="user" if turn["who"] == "person" else "assistant",
            origin=turn["who"],
            data="text",
            text=turn["text"],
            created_at=_instant(turn["at"]),
        )
        for number, turn in enumerate(chat["turns"])
    )
    return Conversation(f"simulated:{chat['id']}", "simulated", parts, chat["owner"], last_turn_at=last_turn(parts))
