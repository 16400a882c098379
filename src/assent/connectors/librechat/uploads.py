"""Files of conversations: whose they are, who else uses them, and their bytes in the local folders."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assent.connectors.formats.fields import mapping, sequence, string
from assent.connectors.librechat.mongo import Base, batches
from assent.connectors.librechat.rows import CONVERSATIONS, MESSAGES, SHARED, Family

LOCAL: Final = "local"
ROW_ONLY: Final = frozenset(
    ("text", "document_parser", "mistral_ocr", "azure_mistral_ocr", "vertexai_mistral_ocr", "vectordb")
)
"""Sources that store no bytes: the text is in the row, or in the vectors."""

_KEPT_FOR: Final = frozenset(("agents", "assistants", "avatar", "skill_file"))
"""What a file is for, where it belongs to more than a conversation."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIXES: Final = {"uploads": "/uploads/", "images": "/images/"}

_USES: Final = (
    (MESSAGES, ("files.file_id", "attachments.file_id", "content.image_file.file_id"), "conversationId"),
    (CONVERSATIONS, ("files", "file_ids"), "conversationId"),
    ("toolcalls", ("attachments.file_id",), "conversationId"),
    ("agentqueuedturns", ("files.file_id",), "conversationId"),
    (SHARED, ("fileSnapshots.file_id",), "conversationId"),
    ("presets", ("file_ids",), ""),
    ("assistants", ("file_ids",), ""),
)
"""Where files are named: a collection, its fields, and the field of the conversation that names them, if it is one."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a conversation that nothing kept uses. `path` as the row says it, `embedded`: it has vectors."""

    file_id: str
    source: str
    path: str
    embedded: bool

    @property
    def remote(self) -> bool:
        """Tell whether its bytes are where this connector cannot look."""
        return self.source != LOCAL and self.source not in ROW_ONLY


@dataclass(frozen=True, slots=True)
class Folders:
    """Where LibreChat's local files lie: `/uploads/...` and `/images/...` of a row."""

    uploads: Path | None
    images: Path | None

    def at(self, path: str) -> Path | None:
        """Return where the bytes of a row lie; None where no folder was given, or the path leads out of it."""
        for root, prefix in ((self.uploads, _PREFIXES["uploads"]), (self.images, _PREFIXES["images"])):
            if root is not None and path.startswith(prefix):
                steps = path.removeprefix(prefix).partition("?")[0].split("/")
                if all(step not in ("", ".", "..") and "\0" not in step for step in steps):
                    return _without_links(root, steps)
        return None

    def erase(self, upload: Upload) -> None:
        """Remove the bytes, if this is a regular file; a link stays, and is reported as there."""
        file = self.at(upload.path)
        if file is not None and _regular(file):
            file.unlink(missing_ok=True)

    def has(self, upload: Upload) -> bool | None:
        """Tell whether its bytes are there; None if nobody can say."""
        file = self.at(upload.path)
        if file is None:
            return None
        try:
            file.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


def own(base: Base, families: Mapping[str, Family]) -> dict[str, list[Upload]]:
    """Find, for each conversation, the files that it brought in and that nothing uses which is kept."""
    going = {one for family in families.values() for one in family.ids}
    named = _named(base, families)
    rows = _rows(base, going, named)
    used = _used(base, going, [row["file_id"] for row in rows]) | _beside(base, rows)
    found: dict[str, list[Upload]] = {one: [] for one in families}
    whose = {one: root for root, family in families.items() for one in family.ids}
    for row in rows:
        if row["file_id"] in used or row.get("context") in _KEPT_FOR:
            continue
        for root in {whose.get(string(row.get("conversationId")), "")} | named.get(row["file_id"], set()):
            # a reference is written by the app, a row's owner by the server: only one's own file goes
            if root and str(row.get("user")) == families[root].owner:
                found[root].append(_upload(row))
    return found


def erase_rows(base: Base, uploads: Iterable[Upload]) -> None:
    """Erase the rows. One whose bytes lie elsewhere is emptied and left to LibreChat's own sweeper (`expiredAt`)."""
    known = list(uploads)
    gone = [one.file_id for one in known if not one.remote]
    left = [one.file_id for one in known if one.remote]
    for some in batches(gone):
        base["files"].delete_many({"file_id": {"$in": some}})
    for name in left:
        empty = {"$set": {"expiredAt": _LONG_AGO, "filename": name}, "$unset": {"text": "", "previewError": ""}}
        base["files"].update_many({"file_id": name}, empty)


def rows_left(base: Base, uploads: Iterable[Upload]) -> set[str]:
    """Return the ids of the files that still have a row with something in it."""
    found = set()
    for some in batches(one.file_id for one in uploads):
        found |= {row["file_id"] for row in base["files"].find({"file_id": {"$in": some}}) if not _emptied(row)}
    return found


def _emptied(row: Mapping[str, Any]) -> bool:
    return row.get("expiredAt") is not None and row.get("filename") == row.get("file_id") and not row.get("text")


def _rows(base: Base, going: Collection[str], candidates: Collection[str]) -> list[dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for field, values in (("conversationId", going), ("file_id", candidates)):
        for some in batches(values):
            found |= {row["_id"]: row for row in base["files"].find({field: {"$in": some}}, {"text": 0})}
    return [row for row in found.values() if isinstance(row.get("file_id"), str)]


def _named(base: Base, families: Mapping[str, Family]) -> dict[str, set[str]]:
    """Return which files these conversations name, and in which of them."""
    whose = {one: root for root, family in families.items() for one in family.ids}
    found: dict[str, set[str]] = {}
    for collection, fields, by in _USES:
        if by and collection != SHARED:
            for some in batches(whose):
                wanted = dict.fromkeys((by, *fields), 1)
                for row in base[collection].find({by: {"$in": some}}, wanted):
                    for field in fields:
                        for file in _at(row, field.split(".")):
                            found.setdefault(file, set()).add(whose[row[by]])
    return found


def used_by_others(base: Base, going: Collection[str], files: Collection[str]) -> set[str]:
    """Return which of these files something names that is not one of the conversations that go."""
    return _used(base, going, files) if files else set()


def _used(base: Base, going: Collection[str], files: Collection[str]) -> set[str]:
    """Return which of these files something names that stays."""
    wanted, used = set(files), set[str]()
    for some in batches(wanted):
        for collection, fields, by in _USES:
            found = base[collection].find(
                {"$or": [{field: {"$in": some}} for field in fields]}, dict.fromkeys((by or "_id", *fields), 1)
            )
            for row in found:
                if not by or row.get(by) not in going:
                    used |= {file for field in fields for file in _at(row, field.split("."))}
        for agent in base["agents"].find({}, {"tool_resources": 1}):
            used |= {
                file
                for tool in mapping(agent.get("tool_resources")).values()
                for file in sequence(mapping(tool).get("file_ids"))
                if isinstance(file, str)
            }
    return used & wanted


def _beside(base: Base, rows: Collection[Mapping[str, Any]]) -> set[str]:
    """Return which of these files another row has the same bytes for."""
    mine = {row["file_id"]: string(row.get("filepath")) for row in rows}
    shared = set()
    for some in batches(path for path in mine.values() if path.startswith(tuple(_PREFIXES.values()))):
        for row in base["files"].find({"filepath": {"$in": some}}, {"file_id": 1, "filepath": 1}):
            if row.get("file_id") not in mine:
                shared.add(row["filepath"])
    return {file for file, path in mine.items() if path in shared}


def _at(value: object, path: list[str]) -> Iterator[str]:
    """Yield the texts at a path, through every list on the way."""
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif not path:
        if text := string(value):
            yield text
    else:
        yield from _at(mapping(value).get(path[0]), path[1:])


def _upload(row: Mapping[str, Any]) -> Upload:
    embedded = bool(row.get("embedded") or mapping(row.get("metadata")).get("embeddedEntities"))
    source = string(row.get("source")) or LOCAL
    return Upload(row["file_id"], source, string(row.get("filepath")), embedded or source == "vectordb")


def _without_links(root: Path, steps: list[str]) -> Path | None:
    folder = root
    for step in steps[:-1]:
        folder = folder / step
        if folder.is_symlink():
            return None
    return folder / steps[-1]


def _regular(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False
