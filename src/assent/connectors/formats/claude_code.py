"""Sessions of Claude Code: a transcript, a project folder, or a whole `~/.claude`.

One session with everything its subagents said and its spilled tool output is one
conversation. The record is the line (and, beside transcripts, the file). Copies of the same
words that live elsewhere (prompt history, file history, ...) are named, not imported: erasing
a session has to reach them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assent.connectors.formats import claude_code_folder as folder
from assent.connectors.formats.claude_code_lines import DUPLICATE, PAYLOAD, SIDECHAIN, Session
from assent.connectors.formats.fields import existing, file_bytes, files_below, place_file, tool_origin
from assent.connectors.formats.jsonl import read_objects
from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.connectors.formats.sniffing import first_objects, some_files
from assent.domain.conversation import Conversation, Mark, Part, last_turn
from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place

_SIDE_COPY: Final = "side copy, not imported"
_LINE_TYPES: Final = frozenset({"user", "assistant", "system", "summary", "attachment", "progress"})


class ClaudeCode:
    """The importer of Claude Code sessions."""

    name = "claude-code"
    summary = "Claude Code sessions: one .jsonl, a project folder or ~/.claude"

    def sniff(self, path: Path) -> bool:
        """Look for a line with a known type and no Codex payload, in PATH or the first files below it."""
        return any(
            line.get("type") in _LINE_TYPES
            and ("message" in line or "sessionId" in line or "leafUuid" in line)
            and "payload" not in line
            for file in some_files(path, ".jsonl")
            for line in first_objects(file)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the lines that are no content, then each session as one conversation."""
        return _Reading(source).records()


class _Reading:
    name = ClaudeCode.name

    def __init__(self, source: Source) -> None:
        self.source = source
        self.path = existing(source.path)
        self.root = self.path if self.path.is_dir() else self.path.parent
        self.claimed: set[str] = set()

    def records(self) -> Iterator[Record]:
        home = folder.home_of(self.path)
        whole = home is not None and folder.covers_home(self.path, home)
        if home is not None:
            copies = folder.shared_copies(home, whole=whole)
            self.source.side_copies.extend(copies)
            if self.path == home:
                yield from self._skip_side_copies(copies)
        named = None if home is None or whole else folder.SessionCopies(home)
        for batch in folder.batches(self.path):
            self.source.side_copies.extend(batch.side_copies)
            for path in batch.side_copies:
                yield self._skip(path, _SIDE_COPY)
            for path in batch.strangers:
                yield self._skip(path, "not a session file")
            for files in batch.sessions.values():
                if named is not None:
                    self.source.side_copies.extend(named.of(files.stem))
                yield from self._session(files)

    def _session(self, files: folder.SessionFiles) -> Iterator[Record]:
        session = Session()
        for path in files.transcripts:
            yield from self._lines(session, path, aside=False)
        for path in files.agents:
            yield from self._lines(session, path, aside=True)
        for path in files.workflows:
            yield from self._whole_file(session, path, SIDECHAIN | PAYLOAD | DUPLICATE, "")
        for path in files.spilled:
            yield from self._whole_file(session, path, PAYLOAD, session.tool_names.get(path.stem, ""))
        for path in files.others:
            yield self._skip(path, "subagent description")
        parts = session.finish()
        if parts:
            yield self._conversation(files, session, parts)
        elif session.records:
            file = self._file((files.transcripts + files.agents)[0])
            yield Skipped(Place(file), "title without content", session.records)

    def _lines(self, session: Session, path: Path, *, aside: bool) -> Iterator[Record]:
        file = self._file(path)
        prefix = f"{path.stem}:" if aside else ""
        for line in read_objects(path, file, self.source.on_bytes):
            if isinstance(line, Malformed):
                yield line
                continue
            number, value = line
            try:
                reason = session.add(value, f"{prefix}line {number}", aside=aside)
            except Invalid as error:
                yield Malformed(Place(file, number), error.message)
                continue
            if reason:
                yield Skipped(Place(file, number), reason)

    def _whole_file(self, session: Session, path: Path, marks: frozenset[Mark], name: str) -> Iterator[Malformed]:
        """Take a file as one part; bytes that are no text become U+FFFD, as tools print what they like."""
        try:
            content = file_bytes(path)
        except Invalid as error:
            yield Malformed(Place(self._file(path)), error.message)
            return
        self.source.on_bytes(len(content))
        turn = f"{path.parent.name}/{path.name}"
        text = content.decode("utf-8", errors="replace")
        session.parts.append(Part(turn, turn, "tool", tool_origin(name), "text", text, None, name, marks))
        session.records += 1

    def _conversation(self, files: folder.SessionFiles, session: Session, parts: tuple[Part, ...]) -> Conversation:
        ids = session.session_ids
        key = files.stem if files.stem in ids or not ids else next(iter(ids))
        if key in self.claimed:  # the same session twice in the source: tell them apart, lose neither
            at = (files.transcripts + files.agents)[0]
            key = f"{key}~{digest(self._file(at)).removeprefix('sha256:')[:8]}"
        self.claimed.add(key)
        return Conversation(
            id=f"{self.name}:{key}",
            source=self.name,
            parts=parts,
            title=session.title[1],
            surface="coding",
            created_at=min((part.created_at for part in parts if part.created_at), default=None),
            last_turn_at=last_turn(parts),
            project=session.cwd,
            records=session.records,
        )

    def _skip_side_copies(self, copies: list[Path]) -> Iterator[Skipped]:
        for copy in copies:
            for path in files_below(copy):
                yield self._skip(path, _SIDE_COPY)

    def _skip(self, path: Path, reason: str) -> Skipped:
        self.source.on_bytes(path.stat().st_size)
        return Skipped(Place(self._file(path)), reason)

    def _file(self, path: Path) -> str:
        return place_file(self.root, path)


IMPORTER = ClaudeCode()
