"""Sessions of Codex CLI: one rollout file, a `sessions` folder, or a whole `$CODEX_HOME`.

Every line is `{timestamp, type, payload}`. What the person and the model say stands twice:
as `response_item` (what the API saw; this one is imported) and as `event_msg` (what the screen
showed; kept as a marked duplicate, so that erasure reaches it). A session written before
mid-2025 has the items on the lines themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assent.connectors.formats.codex_items import Rollout
from assent.connectors.formats.fields import existing, files_below, place_file, string
from assent.connectors.formats.jsonl import read_objects
from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.connectors.formats.sniffing import first_objects, some_files
from assent.domain.conversation import Conversation, last_turn
from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place

_LINE_TYPES: Final = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_SIDE_COPIES: Final = (
    "history.jsonl",
    "session_index.jsonl",
    "log",
    "memories",
    "shell_snapshots",
    "attachments",
)
_STATE_FILES: Final = "*.sqlite*"


class Codex:
    """The importer of Codex CLI sessions."""

    name = "codex"
    summary = "Codex CLI sessions: one rollout .jsonl, a sessions folder or ~/.codex"

    def sniff(self, path: Path) -> bool:
        """Look for a line with a known type and a payload, in PATH or the first files below it."""
        return any(
            line.get("type") in _LINE_TYPES and isinstance(line.get("payload"), dict)
            for file in some_files(path, ".jsonl")
            for line in first_objects(file)
        )

    def read(self, source: Source) -> Iterator[Record]:
        """Yield the lines that are no content, then each session as one conversation."""
        path = existing(source.path)
        root = path if path.is_dir() else path.parent
        claimed: set[str] = set()
        for file in files_below(path):
            if path.is_dir() and _is_side_copy(root, file):
                continue
            if path.is_dir() and file.suffix != ".jsonl":
                if {"sessions", "archived_sessions"} & {root.name, *file.relative_to(root).parts}:
                    source.on_bytes(file.stat().st_size)
                    yield Skipped(Place(place_file(root, file)), "not a session file")
                continue
            yield from self._session(source, root, file, claimed)
        yield from _side_copies(source, path, root)

    def _session(self, source: Source, root: Path, path: Path, claimed: set[str]) -> Iterator[Record]:
        file = place_file(root, path)
        rollout = Rollout()
        for line in read_objects(path, file, source.on_bytes):
            if isinstance(line, Malformed):
                yield line
                continue
            number, value = line
            try:
                reason = rollout.add(value, f"line {number}")
            except Invalid as error:
                yield Malformed(Place(file, number), error.message)
                continue
            if reason:
                yield Skipped(Place(file, number), reason)
        parts = rollout.finish()
        if not parts:
            if rollout.records:
                yield Skipped(Place(file), "session without content", rollout.records)
            return
        key = string(rollout.meta.get("id")) or path.stem
        if key in claimed:  # a session and its archived copy: tell them apart, lose neither
            key = f"{key}~{digest(file).removeprefix('sha256:')[:8]}"
        claimed.add(key)
        yield Conversation(
            id=f"{self.name}:{key}",
            source=self.name,
            parts=parts,
            surface="coding",
            created_at=rollout.started or min((p.created_at for p in parts if p.created_at), default=None),
            last_turn_at=last_turn(parts),
            project=string(rollout.meta.get("cwd")),
            records=rollout.records,
        )


def _is_side_copy(root: Path, path: Path) -> bool:
    return path.relative_to(root).parts[0] in _SIDE_COPIES


def _home_of(path: Path) -> Path | None:
    """Find `$CODEX_HOME`: the folder that holds `sessions` or `archived_sessions`."""
    if (path / "sessions").is_dir() or (path / "archived_sessions").is_dir():
        return path
    names = {"sessions", "archived_sessions"}
    return next((item.parent for item in (path, *path.parents) if item.name in names), None)


def _side_copies(source: Source, path: Path, root: Path) -> Iterator[Skipped]:
    """Name the other copies in the home folder; those inside PATH also count as records."""
    home = _home_of(path)
    if home is None:
        return
    named = [home / name for name in _SIDE_COPIES if (home / name).exists()]
    for copy in [*named, *sorted(home.glob(_STATE_FILES))]:
        source.side_copies.append(copy)
        if path != home:
            continue
        for file in files_below(copy):
            source.on_bytes(file.stat().st_size)
            yield Skipped(Place(place_file(root, file)), "side copy, not imported")


IMPORTER = Codex()
