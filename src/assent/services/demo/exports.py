"""Writes Lantern to a folder; no other room here touches a file.

accounts.ndjson  events.ndjson
exports/claude-ai/lantern.zip            many people: the subject is each conversation's `account.uuid`
exports/open-webui/all-chats-export.json many people: the subject is each chat's `user_id`
exports/chatgpt/<subject>/export.zip     one person: `id` in its `user.json`, and the folder's name
exports/claude-code/<subject>/           one person's home folder: the subject is the folder's name alone
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from assent.domain.errors import Invalid
from assent.services.demo.as_chatgpt import chatgpt_files
from assent.services.demo.as_claude_ai import claude_ai_files
from assent.services.demo.as_claude_code import claude_code_files
from assent.services.demo.as_open_webui import open_webui_chats
from assent.services.demo.lantern import Lantern, account_records, event_records
from assent.services.demo.people import APPS, App
from assent.services.demo.turns import Talk

_ZIP_TIME: Final = (2025, 12, 1, 0, 0, 0)
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class Export:
    """One source to import: what to call its format, where it is, how many talks and turns it holds.

    `subject` is the person whose export it is; None where each conversation names its own.
    """

    format: App
    path: Path
    subject: str | None
    talks: int
    turns: int


@dataclass(frozen=True, slots=True)
class Written:
    """Where everything is, and how much was written. `size_bytes` counts the files' bytes."""

    exports: tuple[Export, ...]
    accounts: Path
    events: Path
    files: int
    size_bytes: int

    @property
    def talks(self) -> int:
        return sum(export.talks for export in self.exports)

    @property
    def turns(self) -> int:
        return sum(export.turns for export in self.exports)


def write(lantern: Lantern, folder: Path) -> Written:
    """Write Lantern into an empty or new folder; the same Lantern gives the same bytes.

    Raises `Invalid` when the folder holds anything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Invalid(f"`{folder.name}` is not empty", "give a new folder")
    writer = _Writer(folder)
    exports = _write_exports(lantern, writer)
    return Written(
        exports=tuple(exports),
        accounts=writer.lines("accounts.ndjson", account_records(lantern)),
        events=writer.lines("events.ndjson", event_records(lantern)),
        files=writer.files,
        size_bytes=writer.size_bytes,
    )


@dataclass(slots=True)
class _Writer:
    root: Path
    files: int = 0
    size_bytes: int = 0

    def file(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self._counted(path)

    def lines(self, name: str, records: Sequence[Mapping[str, object]]) -> Path:
        return self.file(name, b"".join(orjson.dumps(record) + b"\n" for record in records))

    def archive(self, name: str, entries: Mapping[str, bytes]) -> Path:
        """Pack entries without compression: what deflate makes differs between builds of zlib."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for entry, content in entries.items():
                info = zipfile.ZipInfo(entry, _ZIP_TIME)
                info.create_system = _UNIX
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        return self._counted(path)

    def _counted(self, path: Path) -> Path:
        self.files += 1
        self.size_bytes += path.stat().st_size
        return path


def _write_exports(lantern: Lantern, writer: _Writer) -> list[Export]:
    by_app: dict[App, dict[str, list[Talk]]] = {app: defaultdict(list) for app in APPS}
    for talk in lantern.talks:
        by_app[talk.app][talk.subject].append(talk)
    feedback = lantern.calendar.feedback
    exports: list[Export] = []

    own = by_app["claude-ai"]
    people = [person for person in lantern.people if person.id in own]
    talks = [talk for person in people for talk in own[person.id]]
    path = writer.archive("exports/claude-ai/lantern.zip", claude_ai_files(people, talks, feedback))
    exports.append(_export("claude-ai", path, None, talks))

    talks = [talk for chats in by_app["open-webui"].values() for talk in chats]
    path = writer.file("exports/open-webui/all-chats-export.json", open_webui_chats(talks))
    exports.append(_export("open-webui", path, None, talks))

    for person in lantern.people:
        if chats := by_app["chatgpt"].get(person.id):
            rated = [rating for rating in feedback if rating.subject == person.id]
            rated = [rating for rating in rated if rating.conversation.startswith("chatgpt:")]
            path = writer.archive(f"exports/chatgpt/{person.id}/export.zip", chatgpt_files(person, chats, rated))
            exports.append(_export("chatgpt", path, person.id, chats))
        if sessions := by_app["claude-code"].get(person.id):
            for name, content in claude_code_files(sessions).items():
                writer.file(f"exports/claude-code/{person.id}/{name}", content)
            exports.append(_export("claude-code", writer.root / "exports/claude-code" / person.id, person.id, sessions))
    return exports


def _export(app: App, path: Path, subject: str | None, talks: Sequence[Talk]) -> Export:
    return Export(app, path, subject, len(talks), sum(len(talk.turns) for talk in talks))
