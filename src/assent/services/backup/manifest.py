"""What stands in the clear beside a backup: counts and digests, and where it is in the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from assent.domain.digests import canonical, digest_bytes
from assent.domain.errors import NotFound, Refused
from assent.domain.instants import format_instant, parse_instant
from assent.services.backup.frames import Written
from assent.services.erase.journal import Mark
from assent.vault.disk import create_whole

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = "assent/backup/v1"
KEYS_FORMAT: Final = "assent/key-backup/v1"

MANIFEST: Final = "manifest.json"
KEYS: Final = "keys.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment as it lies in the backup."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. `step` is the step of the schema, `version` the assent that took it, `slots` how many keys it needs.

    `leaves` is the size of the ledger, `mark` the last entry of the journal that the tables know of.
    """

    id: str
    taken_at: datetime
    version: str
    step: str
    mark: Mark
    tables: Mapping[str, Written]
    numbers: Mapping[str, int]
    segments: Mapping[str, Kept]
    papers: Written
    journal: Written
    slots: int
    leaves: int

    def encoded(self) -> bytes:
        """Write it in its one form, whose digest names it."""
        return canonical({"format": FORMAT, **asdict(self), "taken_at": format_instant(self.taken_at)})

    @property
    def digest(self) -> str:
        """Name the manifest."""
        return digest_bytes(self.encoded())


@dataclass(frozen=True, slots=True)
class KeyBackup:
    """The keys of one backup: they open it, and are destroyed at `expires_at`."""

    id: str
    taken_at: datetime
    expires_at: datetime
    folder: str
    manifest: str
    slots: Written
    home: Written

    def encoded(self) -> bytes:
        """Write it in its one form."""
        instants = {"taken_at": format_instant(self.taken_at), "expires_at": format_instant(self.expires_at)}
        return canonical({"format": KEYS_FORMAT, **asdict(self), **instants})


def write_manifest(folder: Path, manifest: Manifest | KeyBackup) -> None:
    """Write a manifest; what lies beside it is a backup from then on."""
    create_whole(folder / (MANIFEST if isinstance(manifest, Manifest) else KEYS), manifest.encoded() + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup. Raises `NotFound`, or `Refused` for one that this assent does not know."""
    record = _read(folder / MANIFEST, FORMAT)
    with _as_written():
        return _manifest(record)


def _manifest(record: Any) -> Manifest:
    return Manifest(
        id=record["id"],
        taken_at=parse_instant(record["taken_at"]),
        version=record["version"],
        step=record["step"],
        mark=Mark(**record["mark"]),
        tables={name: Written(**written) for name, written in record["tables"].items()},
        numbers=record["numbers"],
        segments={name: Kept(**kept) for name, kept in record["segments"].items()},
        papers=Written(**record["papers"]),
        journal=Written(**record["journal"]),
        slots=record["slots"],
        leaves=record["leaves"],
    )


def read_keys(folder: Path) -> KeyBackup:
    """Read what a backup of keys says about itself. Raises as `read_manifest`."""
    record = _read(folder / KEYS, KEYS_FORMAT)
    with _as_written():
        return _key_backup(record)


def _key_backup(record: Any) -> KeyBackup:
    return KeyBackup(
        id=record["id"],
        taken_at=parse_instant(record["taken_at"]),
        expires_at=parse_instant(record["expires_at"]),
        folder=record["folder"],
        manifest=record["manifest"],
        slots=Written(**record["slots"]),
        home=Written(**record["home"]),
    )


@contextmanager
def _as_written() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Refused("the manifest of this backup was changed", "take another backup") from None


def _read(path: Path, wanted: str) -> Any:
    try:
        record = json.loads(path.read_bytes())
        if record.get("format") == wanted:
            return record
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no `{path.name}` in `{path.parent.name}`", "name the folder of a backup") from None
    except (ValueError, AttributeError, RecursionError):
        pass
    raise Refused(f"`{path.name}` in `{path.parent.name}` is not `{wanted}`", "use the assent that wrote it, or newer")
