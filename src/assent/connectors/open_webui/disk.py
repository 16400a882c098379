"""What lies beside the databases: uploads, the read-aloud cache, the audit log."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from assent.connectors.formats.fields import mapping, string
from assent.connectors.open_webui.gathering import LEAST_SAID, UUID, Found, letters
from assent.connectors.open_webui.residue import LEAST_ID

LEAST_QUOTED: Final = 24
"""Plain characters in a row by which a line of the audit log is taken for a chat's."""

_SOUNDS: Final = ("audio/speech", "audio/transcriptions")
_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]{%d,64}" % LEAST_QUOTED)
"""Characters that no writer of JSON escapes: a body in the log is JSON within JSON."""
_UUIDS: Final = re.compile(UUID.encode())
_BODIES: Final = ("request_object", "response_object")


def uploads(data: Path, files: Collection[str]) -> dict[str, list[Path]]:
    """Find the uploads of these files: each is named by the file's id and the name that its owner gave it."""
    wanted, found = set(files), dict[str, list[Path]]()
    folder = data / "uploads"
    if wanted and folder.is_dir():
        for entry in os.scandir(folder):
            name = entry.name.partition("_")[0]
            if name in wanted:
                found.setdefault(name, []).append(Path(entry.path))
    return found


# -- the read-aloud cache ---------------------------------------------------------------------


def sounds(data: Path, chats: Iterable[Found]) -> dict[str, list[str]]:
    """Find by chat the cached sounds, as names in the cache, whose text was said in it."""
    cached = list(_cached(data))
    return {one.chat: [name for name, text in cached if text in one.said] for one in chats} if cached else {}


def _cached(data: Path) -> Iterator[tuple[str, str]]:
    for folder in _SOUNDS:
        for path in (data / "cache" / folder).glob("*.json"):
            try:
                fields = mapping(orjson.loads(path.read_bytes()))
            except (OSError, orjson.JSONDecodeError):
                continue
            said = letters(string(fields.get("input")) or string(fields.get("text")))
            if len(said) >= LEAST_SAID:
                yield f"{folder}/{path.stem}", said


def sound_files(data: Path, names: Iterable[str]) -> list[Path]:
    """Give every file of these sounds: the sound, and beside it its text."""
    return [path for name in names if ".." not in name for path in sorted((data / "cache").glob(f"{_escaped(name)}.*"))]


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


# -- the audit log ------------------------------------------------------------------------------


class AuditLog:
    """The request log of the product, off by default, with the older parts that it has put away packed.

    A line stays: that something was asked, by whom, when. The bodies of its request and answer are what goes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines_of(self, ids: Mapping[str, str], texts: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
        """Find by chat the digests of lines with bodies that name it, or repeat what was said in it.

        `ids`: the chat of each id (of a message, file, rating, memory); `texts`: what was said, by chat.
        """
        said = {piece: chat for chat, some in texts.items() for text in some for piece in _pieces(text)}
        odd = {
            name.encode(): chat
            for name, chat in ids.items()
            if len(name) >= LEAST_ID and not _UUIDS.fullmatch(name.encode())
        }
        found: dict[str, set[str]] = {}
        for path in self._parts():
            for line in _read(path).splitlines():
                if not _has_body(line):
                    continue
                chats = {ids[name] for one in _UUIDS.findall(line) if (name := one.decode()) in ids}
                chats |= {chat for name, chat in odd.items() if b'"' + name + b'\\"' in line or b"/" + name in line}
                chats |= {chat for piece, chat in said.items() if piece in line}
                for chat in chats:
                    found.setdefault(chat, set()).add(digest(line))
        return found

    def left(self, lines: Collection[str]) -> set[str]:
        """Return which of these lines, by digest, are still there as they were."""
        if not lines:
            return set()
        return {one for path in self._parts() for line in _read(path).splitlines() if (one := digest(line)) in lines}

    def empty(self, lines: Collection[str]) -> None:
        """Empty the bodies of these lines; every other line keeps every byte. The server is stopped."""
        for path in self._parts() if lines else ():
            content = _read(path)
            new = b"".join(
                _emptied(line) if digest(line.rstrip(b"\n")) in lines else line
                for line in content.splitlines(keepends=True)
            )
            if new != content:
                _write(path, new)

    def _parts(self) -> list[Path]:
        older = self._path.parent.glob(f"{self._path.stem}.*.log*")
        return [path for path in (self._path, *sorted(older)) if path.is_file()]


def digest(line: bytes) -> str:
    """Name a line without saying what is in it."""
    return sha256(line).hexdigest()[:32]


def _pieces(text: str) -> list[bytes]:
    found = _PLAIN.search(text.encode())
    return [found[0]] if found else []


def _has_body(line: bytes) -> bool:
    fields = _fields(line)
    return fields is None or any(fields.get(key) for key in _BODIES)


def _emptied(line: bytes) -> bytes:
    fields = _fields(line)
    if fields is None:
        return b""
    return orjson.dumps({**fields, **{key: "" for key in _BODIES if key in fields}}) + b"\n"


def _fields(line: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _read(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


def _write(path: Path, content: bytes) -> None:
    """Put a new file in the place of the old one: whole or not at all, with the same rights."""
    if path.suffix == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as one:
            one.writestr(path.stem, content)
        content = packed.getvalue()
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
