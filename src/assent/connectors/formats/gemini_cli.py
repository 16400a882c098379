"""Sessions of Gemini CLI: one session file, a `chats` folder, or a whole `~/.gemini/tmp`.

Older versions write one JSON object with all messages, newer ones JSON lines: a first line
about the session, a line for each message (written again in full whenever it changes),
`{"$set": ...}` with new settings, `{"$rewindTo": id}` when the person goes back. Files cut
off by a crash and empty files occur; they are malformed records, not failures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from assent.connectors.formats.fields import existing, file_bytes, files_below, instant, place_file, sequence, string
from assent.connectors.formats.gemini_cli_messages import Chat
from assent.connectors.formats.jsonl import read_objects
from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.connectors.formats.sniffing import first_objects, head, some_files
from assent.domain.conversation import Conversation, last_turn
from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place

_SIDE_COPIES: Final = ("logs", "checkpoint-", "shell_history", "plans", "tool-outputs", "tool_outputs", "history")
_ABOUT_KEYS: Final = ("sessionId", "startTime", "projectHash")


class GeminiCli:
    """The importer of Gemini CLI sessions."""

    name = "gemini-cli"
    summary = "Gemini CLI sessions: one session .json/.jsonl or ~/.gemini/tmp"

    def sniff(self, path: Path) -> bool:
        """Look for the session id and start time of a session file."""
        for file in some_files(path, ".json", ".jsonl"):
            if any("sessionId" in line and "startTime" in line for line in first_objects(file)):
                return True
            start = head(file)
            if start[:1] == b"{" and b'"sessionId"' in start and b'"messages"' in start and b"}\n{" not in start:
                return True
        return False

    def read(self, source: Source) -> Iterator[Record]:
        """Yield what is no content, then each session as one conversation."""
        path = existing(source.path)
        root = path if path.is_dir() else path.parent
        claimed: set[str] = set()
        for file in files_below(path):
            if path.is_dir() and not _is_session(root, file):
                source.on_bytes(file.stat().st_size)
                if copied := _is_side_copy(root, file):
                    source.side_copies.append(file)
                reason = "side copy, not imported" if copied else "not a session file"
                yield Skipped(Place(place_file(root, file)), reason)
                continue
            yield from self._session(source, root, file, claimed)

    def _session(self, source: Source, root: Path, path: Path, claimed: set[str]) -> Iterator[Record]:
        file = place_file(root, path)
        chat = Chat(sidechain=path.parent.parent.name == "chats")
        if path.suffix == ".jsonl":
            yield from _read_lines(source, path, file, chat)
        else:
            yield from _read_object(source, path, file, chat)
        parts = chat.finish()
        if not parts:
            if chat.records:
                yield Skipped(Place(file), "session without content", chat.records)
            return
        key = string(chat.about.get("sessionId")) or path.stem
        if key in claimed:  # a resumed or a subagent's session may repeat the id: lose neither
            key = f"{key}~{digest(file).removeprefix('sha256:')[:8]}"
        claimed.add(key)
        folders = [string(item) for item in sequence(chat.about.get("directories"))]
        yield Conversation(
            id=f"{self.name}:{key}",
            source=self.name,
            parts=parts,
            title=string(chat.about.get("summary")),
            surface="coding",
            created_at=instant(chat.about.get("startTime"))
            or min((part.created_at for part in parts if part.created_at), default=None),
            last_turn_at=last_turn(parts),
            project=folders[0] if folders else string(chat.about.get("projectHash")),
            records=chat.records,
        )


def _is_session(root: Path, path: Path) -> bool:
    if path.suffix not in (".json", ".jsonl"):
        return False
    return path.name.startswith("session-") or "chats" in (root.name, *path.relative_to(root).parts[:-1])


def _is_side_copy(root: Path, path: Path) -> bool:
    return any(part.startswith(_SIDE_COPIES) for part in path.relative_to(root).parts)


def _read_object(source: Source, path: Path, file: str, chat: Chat) -> Iterator[Record]:
    try:
        content = file_bytes(path)
    except Invalid as error:
        yield Malformed(Place(file), error.message)
        return
    source.on_bytes(len(content))
    try:
        session = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        yield Malformed(Place(file), "the file is not JSON" if content.strip(b"\0 \r\n\t") else "the file is empty")
        return
    if not isinstance(session, dict) or not isinstance(messages := session.pop("messages", None), list):
        yield Malformed(Place(file), "the file is not a session")
        return
    chat.about = session
    if not messages:
        yield Skipped(Place(file), "session without content")
    for number, message in enumerate(messages, 1):
        try:
            if not isinstance(message, dict):
                raise Invalid("the message is not an object")  # noqa: TRY301 - one place reports every fault
            reason = chat.add(message, f"message {number}")
        except Invalid as error:
            yield Malformed(Place(file, number), error.message)
            continue
        if reason:
            yield Skipped(Place(file, number), reason)


def _read_lines(source: Source, path: Path, file: str, chat: Chat) -> Iterator[Record]:
    empty = True
    for line in read_objects(path, file, source.on_bytes):
        empty = False
        if isinstance(line, Malformed):
            yield line
            continue
        number, value = line
        try:
            reason = _take_line(chat, value, f"line {number}")
        except Invalid as error:
            yield Malformed(Place(file, number), error.message)
            continue
        if reason:
            yield Skipped(Place(file, number), reason)
    if empty:
        yield Malformed(Place(file), "the file is empty")


def _take_line(chat: Chat, line: dict[str, object], fallback: str) -> str:
    if "$rewindTo" in line:
        return chat.rewind(line["$rewindTo"])
    settings = line.get("$set", line if "type" not in line and any(key in line for key in _ABOUT_KEYS) else None)
    if settings is None:
        return chat.add(line, fallback)
    if not isinstance(settings, dict):
        raise Invalid("the settings are not an object")
    return chat.learn(settings, fallback)


IMPORTER = GeminiCli()
