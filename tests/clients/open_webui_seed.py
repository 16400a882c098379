"""Marker words in every copy that an Open WebUI makes of a conversation, put there through its own API.

Ada has chats that go and chats that stay, all of Ben's go, all of Cleo's stay. Each chat that goes has a
twin that stays, made in the same way, so that whatever erases must tell them apart.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.open_webui import OpenWebUi, Person, talk
from tests.clients.words import Words

A_DAY = 86_400


@dataclass
class Seeded:
    """What lies in the server: its chats by what becomes of them, their words, and what hangs on them."""

    words: Words
    doomed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the files of a chat that stays, or that it shares with one that goes."""


class _Chat:
    """A chat being made: gives its words, and remembers whose and which it is."""

    def __init__(self, server: OpenWebUi, seeded: Seeded, who: Person, name: str, *, doomed: bool) -> None:
        self.server, self.seeded, self.who, self.name, self.doomed = server, seeded, who, name, doomed
        self.id = ""
        self.at = int(time.time()) - 200 * A_DAY

    def word(self, copy: str) -> str:
        return self.seeded.words.new(self.name, copy, doomed=self.doomed)

    def made(self, chat: str, *files: str) -> str:
        self.id = chat
        (self.seeded.doomed if self.doomed else self.seeded.kept).append(chat)
        self.seeded.owners[chat] = self.who.id
        self.seeded.files[chat] = list(files)
        return chat

    def brought_in(self, *files: dict[str, Any]) -> str:
        """Import it with a word in its title, its question and its answer."""
        chat = talk(f"a question with {self.word('question')}", f"an answer with {self.word('answer')}", self.at, files)
        chat["title"] = f"about {self.word('title')}"
        return self.made(self.server.import_chat(self.who, chat, self.at), *(file["id"] for file in files))

    def post(self, path: str, **body: Any) -> Any:
        return self.server.post(path, self.who, **body)

    def text(self, copy: str) -> str:
        return f"a line with {self.word(copy)} in it and more behind. " * 30


def _plain(chat: _Chat) -> None:
    chat.brought_in()


def _talked(chat: _Chat) -> None:
    """Two turns with a model, which also makes the title, tags and questions to ask next."""
    tasks = {"title_generation": True, "tags_generation": True, "follow_up_generation": True}
    first = f"tell me about {chat.word('live question, answer, title, tags')}"
    made, answer = chat.server.ask(chat.who, first, background_tasks=tasks)
    chat.server.ask(chat.who, f"and of {chat.word('live turn')}", chat=made, parent=answer)
    chat.made(made)


def _with_file(chat: _Chat) -> None:
    """A file of its own, asked about, so that pieces of it come back as sources."""
    file = chat.server.upload(chat.who, f"{chat.word('name of a file')}.txt", chat.text("file and its vectors"))
    attached = [{"type": "file", "id": file["id"], "name": file["filename"], "file": file, "url": file["id"]}]
    made, _ = chat.server.ask(chat.who, f"what says {chat.word('question to a file')}", files=attached)
    chat.made(made, file["id"])


def _with_old_file(chat: _Chat) -> None:
    chat.brought_in(
        chat.server.upload(chat.who, f"{chat.word('name of a file')}.txt", chat.text("file and its vectors"))
    )


def _shared(chat: _Chat) -> None:
    chat.brought_in()
    chat.post(f"/api/v1/chats/{chat.id}/share")


def _rated(chat: _Chat) -> None:
    chat.brought_in()
    whole = chat.server.chat(chat.who, chat.id)
    of = {"chat_id": chat.id, "message_id": whole["chat"]["history"]["currentId"], "model_id": "echo"}
    data = {
        "rating": -1,
        "model_id": "echo",
        "reason": "other",
        "comment": f"because {chat.word('comment of a rating')}",
    }
    chat.post("/api/v1/evaluations/feedback", type="rating", data=data, meta=of, snapshot={"chat": whole})


def _sorted(chat: _Chat) -> None:
    """Tagged, put into a folder, pinned and archived."""
    chat.brought_in()
    chat.post(f"/api/v1/chats/{chat.id}/tags", name=f"tag {chat.word('tag')}")
    folder = chat.post("/api/v1/folders/", name=f"folder {chat.name}")
    chat.post(f"/api/v1/chats/{chat.id}/folder", folder_id=folder["id"])
    chat.post(f"/api/v1/chats/{chat.id}/pin")
    chat.post(f"/api/v1/chats/{chat.id}/archive")


def _edited(chat: _Chat) -> None:
    """Its words before the edit are in free pages and the write-ahead log alone; of a chat that stays, nobody minds."""
    chat.brought_in()
    whole = chat.server.chat(chat.who, chat.id)["chat"]
    for number in range(3):
        for message in whole["history"]["messages"].values():
            message["content"] = chat.text("edited away") if chat.doomed else f"a text of step {number}"
        chat.post(f"/api/v1/chats/{chat.id}", chat=whole)
    for message in whole["history"]["messages"].values():
        message["content"] = f"in the end {chat.word('after an edit')}"
    chat.post(f"/api/v1/chats/{chat.id}", chat=whole)


def _shortened(chat: _Chat) -> None:
    """Its last turn was deleted by its owner."""
    made, answer = chat.server.ask(chat.who, f"tell me about {chat.word('live question')}")
    doomed = f"and of {chat.word('deleted turn')}" if chat.doomed else "and of nothing"
    _, last = chat.server.ask(chat.who, doomed, chat=made, parent=answer)
    chat.server.call("DELETE", f"/api/v1/chats/{made}/messages/{last}", chat.who)
    chat.made(made)


def _delegated(chat: _Chat) -> None:
    """A part of it was done by a child chat."""
    task = json.dumps({"task": f"look into {chat.word('task of a child chat')}"})
    made, _ = chat.server.ask(chat.who, f"use delegate_task {task}")
    chat.made(made)


def _remembered(chat: _Chat) -> None:
    """A model wrote a memory while it was spoken with."""
    memory = json.dumps({"content": f"likes {chat.word('memory of a chat')}"})
    made, _ = chat.server.ask(chat.who, f"use add_memory {memory}", features={"memory": True})
    chat.made(made)


def _noted(chat: _Chat) -> None:
    """A model wrote a memory by the other tool for it, which says in which chat."""
    operation = {"action": "add", "content": f"dislikes {chat.word('memory that names its chat')}", "type": "user"}
    made, _ = chat.server.ask(
        chat.who, f"use update_memory {json.dumps({'operations': [operation]})}", features={"memory": True}
    )
    chat.made(made)


def _searched(chat: _Chat) -> None:
    how = {"features": {"web_search": True}, "params": {"function_calling": "legacy"}}
    made, _ = chat.server.ask(chat.who, f"search for {chat.word('search of the web')}", **how)
    chat.made(made)


def _spoken(chat: _Chat) -> None:
    """Dictated, and read aloud."""
    dictated = f"dictated {chat.word('dictated')}"
    sound = {"file": ("sound.wav", f"RIFF spoken={dictated};".encode(), "audio/wav")}
    heard = chat.server.call("POST", "/api/v1/audio/transcriptions", chat.who, files=sound)["text"]
    made, answer = chat.server.ask(chat.who, heard)
    said = chat.server.chat(chat.who, made)["chat"]["history"]["messages"][answer]["content"]
    chat.post("/api/v1/audio/speech", input=said, model="echo", voice="any")
    chat.made(made)


def _copied(chat: _Chat) -> None:
    """A copy of a chat is one of its own: the copy goes where the chat goes, here."""
    chat.brought_in()
    copy = chat.post(f"/api/v1/chats/{chat.id}/clone", title=f"copy {chat.word('title of a copy')}")
    chat.made(copy["id"])


MADE: dict[str, Callable[[_Chat], None]] = {
    "plain": _plain,
    "talked": _talked,
    "with a file": _with_file,
    "with an old file": _with_old_file,
    "shared": _shared,
    "rated": _rated,
    "sorted": _sorted,
    "edited": _edited,
    "shortened": _shortened,
    "delegated": _delegated,
    "remembered": _remembered,
    "noted": _noted,
    "searched": _searched,
    "spoken": _spoken,
    "copied": _copied,
}


def seed(server: OpenWebUi, marks: str = "open-webui") -> Seeded:
    """Fill a new server."""
    seeded = Seeded(Words(marks))
    ada, ben, cleo = (server.person(name) for name in ("ada", "ben", "cleo"))
    group = server.post("/api/v1/groups/create", server.admin(), name="team", description="")
    server.post(f"/api/v1/groups/id/{group['id']}/users/add", server.admin(), user_ids=[ada.id, cleo.id])
    for kind, make in MADE.items():
        for owner, who in (("ada", ada), ("ben", ben)):
            make(_Chat(server, seeded, who, f"{owner}, {kind}, goes", doomed=True))
        for owner, who in (("ada", ada), ("cleo", cleo)):
            make(_Chat(server, seeded, who, f"{owner}, {kind}, stays", doomed=False))
    _one_file_of_two(server, seeded, ada)
    for owner, who in (("ada", ada), ("cleo", cleo)):  # written by hand: no chat's
        word = seeded.words.new(f"{owner}'s own", "memory written by hand", doomed=False)
        server.post("/api/v1/memories/add", who, content=f"prefers {word}")
    return seeded


def leave_in_free_pages(seeded: Seeded, database: Path) -> None:
    """Have words of every chat that goes lie in free pages of a stopped server's database.

    Builds of SQLite differ in whether they overwrite what is deleted; this is what those leave that do not.
    """
    with closing(sqlite3.connect(database)) as stopped:
        stopped.execute("PRAGMA secure_delete = OFF")
        for number, chat in enumerate(seeded.doomed):
            word = seeded.words.new(f"chat {number} that goes", "free pages", doomed=True)
            row = {"id": f"gone-{number}", "chat_id": chat, "user_id": seeded.owners[chat], "role": "user"}
            row |= {"content": json.dumps(f"said and edited away: {word} " * 200), "done": 1}
            row |= {"created_at": 1, "updated_at": 1}
            names, values = ", ".join(row), ", ".join("?" * len(row))
            stopped.execute(f"INSERT INTO chat_message ({names}) VALUES ({values})", list(row.values()))
        stopped.commit()
        stopped.execute("DELETE FROM chat_message WHERE id LIKE 'gone-%'")
        stopped.commit()
        stopped.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _one_file_of_two(server: OpenWebUi, seeded: Seeded, who: Person) -> None:
    """A file that a chat which goes shares with one that stays."""
    stays = _Chat(server, seeded, who, "ada, one file of two, stays", doomed=False)
    goes = _Chat(server, seeded, who, "ada, one file of two, goes", doomed=True)
    file = server.upload(who, f"{stays.word('name of a shared file')}.txt", stays.text("shared file and its vectors"))
    goes.brought_in(file)
    stays.brought_in(file)
