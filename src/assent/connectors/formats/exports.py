"""The files of a data export, whether it is still a ZIP, was unpacked into a folder, or is one file.

Entries of a ZIP are read as streams and never written anywhere, so a hostile archive can only
cost memory and time; the limits below bound both.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import orjson

from assent.connectors.formats.fields import existing
from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.connectors.formats.streams import UNREADABLE, json_array
from assent.domain.errors import Invalid, NotFound, Place

MAX_ENTRIES: Final = 200_000
"""More files than this in one export are refused: photo-heavy exports have tens of thousands."""
MAX_EXPORT_BYTES: Final = 64 << 30
"""The unpacked size that an archive may declare. No entry unpacks to more than it declares."""
MAX_RATIO: Final = 400
"""JSON packs to a tenth, rarely to a hundredth; a bomb of nested repetition to a thousandth."""
RATIO_MATTERS_FROM_BYTES: Final = 32 << 20
"""Small entries are harmless at any ratio."""
MAX_SIDE_FILE_BYTES: Final = 64 << 20
"""A file beside the conversations (account, feedback) is read as a whole up to this size."""
HEAD_BYTES: Final = 64 << 10
"""How much is looked at to guess a format."""

_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export; `name` is its path inside the export, `stored` its size there."""

    name: str
    size: int
    stored: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None

    @property
    def base(self) -> str:
        """The name without folders: exports are often packed once more inside a folder."""
        return self.name.rpartition("/")[2]

    def progress(self, on_bytes: Callable[[int], None]) -> Callable[[int], None]:
        """Report what is read of a packed file in bytes of the archive, so that a bar ends at its size."""
        read = told = 0

        def report(count: int) -> None:
            nonlocal read, told
            read += count
            reached = self.stored * read // self.size if self.size else self.stored
            on_bytes(reached - told)
            told = reached

        return report


@contextmanager
def open_export(path: Path) -> Iterator[list[ExportFile]]:
    """Give the files of a ZIP, a folder (links left out) or a single file, by name.

    Raises `NotFound` when there is nothing, `Invalid` for an archive that is encrypted, broken,
    names files outside itself or exceeds a limit.
    """
    existing(path)
    if path.is_dir():
        yield _folder(path)
    elif zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Invalid("the ZIP archive cannot be read", "download the export again") from None
        with archive:
            yield _packed(archive)
    elif path.suffix.lower() == ".zip":
        raise Invalid("the file is named `.zip` but is no ZIP archive", "download the export again")
    else:
        yield [_plain(path, path.name)]


def _plain(path: Path, name: str) -> ExportFile:
    size = path.stat().st_size
    return ExportFile(name, size, size, lambda: path.open("rb"), path)


def _folder(root: Path) -> list[ExportFile]:
    files: list[ExportFile] = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                files.append(_plain(path, path.relative_to(root).as_posix()))
            if len(files) > MAX_ENTRIES:
                raise Invalid(f"the folder holds more than {MAX_ENTRIES} files", "give the folder of one export")
    return sorted(files, key=lambda file: file.name)


def _packed(archive: zipfile.ZipFile) -> list[ExportFile]:
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if len(entries) > MAX_ENTRIES:
        raise Invalid(f"the ZIP archive holds more than {MAX_ENTRIES} files", "give an export as it was downloaded")
    if sum(entry.file_size for entry in entries) > MAX_EXPORT_BYTES:
        raise Invalid(
            f"the ZIP archive unpacks to more than {MAX_EXPORT_BYTES >> 30} GiB", "unpack it and give the folder"
        )
    for entry in entries:
        _check(entry)
    return sorted((_entry(archive, entry) for entry in entries), key=lambda file: file.name)


def _check(entry: zipfile.ZipInfo) -> None:
    """Refuse what no product's export contains and an attack does. Raises `Invalid`."""
    parts = entry.filename.replace("\\", "/").split("/")
    if not parts[0] or ".." in parts or ":" in parts[0] or stat.S_ISLNK(entry.external_attr >> 16):
        raise Invalid("the ZIP archive names a file outside itself", "give an export as it was downloaded")
    if entry.flag_bits & _ENCRYPTED:
        raise Invalid("the ZIP archive is encrypted", "unpack it with its password and give the folder")
    if entry.file_size > max(RATIO_MATTERS_FROM_BYTES, MAX_RATIO * entry.compress_size):
        raise Invalid(
            f"the ZIP archive unpacks to more than {MAX_RATIO} times its size",
            "unpack it, look at it and give the folder",
        )


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ExportFile:
    def opened() -> IO[bytes]:
        try:
            return archive.open(entry)
        except (NotImplementedError, zipfile.BadZipFile, RuntimeError, OSError, UnicodeDecodeError):
            raise Invalid(
                "a file of the ZIP archive cannot be unpacked",
                "unpack it with another program and give the folder",
                Place(entry.filename),
            ) from None

    return ExportFile(entry.filename.replace("\\", "/"), entry.file_size, entry.compress_size, opened)


def json_records(file: ExportFile, on_bytes: Callable[[int], None]) -> Iterator[tuple[Place, object]]:
    """Yield (place, value or `Malformed`) for each record of one JSON or JSONL file of an export."""
    try:
        stream = file.open()
    except (OSError, Invalid):
        yield Place(file.name, 1), Malformed(Place(file.name, 1), "the file cannot be opened")
        return
    with stream:
        for number, value in json_array(stream, file.name, file.progress(on_bytes)):
            yield Place(file.name, number), value


def small_json(file: ExportFile) -> object:
    """Read a small file beside the conversations; None when it is large or no JSON: it is only extra."""
    if file.size > MAX_SIDE_FILE_BYTES:
        return None
    try:
        with file.open() as stream:
            return orjson.loads(stream.read())
    except (*UNREADABLE, Invalid, orjson.JSONDecodeError):
        return None


def wanted(files: list[ExportFile], path: Path, is_wanted: Callable[[str], bool]) -> list[ExportFile]:
    """Choose files by name; a file that the caller pointed at is wanted whatever its name.

    Raises `Invalid` when there is none.
    """
    if len(files) == 1 and files[0].path == path:
        return files
    chosen = [file for file in files if is_wanted(file.name)]
    if not chosen:
        raise Invalid("the export holds no conversations", "give the ZIP as it was downloaded, or its folder")
    return chosen


def others(files: list[ExportFile], read: list[ExportFile], reasons: Mapping[str, str]) -> Iterator[Skipped]:
    """Name the JSON files of an export that were not read, with a reason by base name ("" names none)."""
    for file in files:
        if file not in read and file.base.endswith((".json", ".jsonl")):
            reason = reasons.get(file.base, "not a file of conversations")
            if reason:
                yield Skipped(Place(file.name), reason)


def heads(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[bytes]:
    """Give the first bytes of the wanted files, to guess a format; nothing for anything unreadable."""
    try:
        with open_export(path) as files:
            for file in files:
                if is_wanted(file.name):
                    with file.open() as stream:
                        yield stream.read(HEAD_BYTES)
                    return
    except (*UNREADABLE, Invalid, NotFound, ValueError):
        return


def any_json(name: str) -> bool:
    """Take every JSON file for chats: the self-hosted products let people name their exports."""
    return name.endswith((".json", ".jsonl"))


def read_chats(
    source: Source,
    is_chats: Callable[[str], bool],
    read_one: Callable[[object, Place, set[str]], Iterator[Record]],
    reasons: Mapping[str, str],
) -> Iterator[Record]:
    """Read the arrays of conversations in an export, then account for its other files.

    `read_one` makes records of one element and adds the ids it has met to the set; `reasons`
    says why files are skipped, as in `others`.
    """
    with open_export(source.path) as files:
        chats = wanted(files, source.path, is_chats)
        seen: set[str] = set()
        for file in chats:
            for place, value in json_records(file, source.on_bytes):
                if isinstance(value, Malformed):
                    yield value
                    continue
                try:
                    yield from read_one(value, place, seen)
                except Invalid as error:
                    yield Malformed(place, error.message)
        yield from others(files, chats, reasons)
