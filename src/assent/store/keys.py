"""The folder of keys: the log's signing keys and the key that makes pseudonyms, readable by their owner alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError, NotFound, Refused

if TYPE_CHECKING:
    from pathlib import Path

SUBJECTS: Final = "subjects.key"
SNAPSHOT: Final = "snapshot.key"
FIRST: Final = "ledger.key"
COMING: Final = "ledger.key.new"
_SIGNING: Final = re.compile(r"ledger(?:-(\d+))?\.key")
_OTHERS: Final = 0o077
WEBHOOKS: Final = "webhooks"
OPEN_ID: Final = "oidc.secret"
_SECRET: Final = re.compile(r"[A-Za-z0-9-]{1,100}\.secret")


class KeyFolder:
    """Key files of one home: `ledger.key`, `ledger-2.key` and so on as they came, `subjects.key` and others."""

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when the first key is written."""
        self._folder = folder

    def signing(self) -> list[str]:
        """Read the signing keys, oldest first. Raises `NotFound` if there is none, `Refused` if others can read one."""
        found = [self._text(name) for name in self._names()]
        if not found:
            raise NotFound("this home has no key of a ledger", "run `assent ledger init`")
        return found

    def subjects(self) -> bytes:
        """Read the key of pseudonyms. Raises `NotFound` if there is none, `Refused` if others can read it."""
        return self._read(SUBJECTS)

    def snapshots(self) -> str:
        """Read the key that signs snapshots. Raises `NotFound` if there is none, `Refused` if others can read it."""
        return self._text(SNAPSHOT)

    def begin_snapshots(self, signing: str) -> None:
        """Write the key that signs snapshots, unless there is one."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not (self._folder / SNAPSHOT).exists():
            self._write(SNAPSHOT, f"{signing}\n".encode())

    def add_webhook(self, name: str, secret: str) -> None:
        """Write the secret of a new endpoint; `name` is a file name. One that was written before, and lost, goes."""
        folder = self._folder / WEBHOOKS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / _named(name)).unlink(missing_ok=True)
        self._write(_named(name), f"{secret}\n".encode())

    def webhook(self, name: str) -> tuple[str, ...]:
        """Read the secrets of an endpoint, one a line. Raises `NotFound` if there are none, `Refused` as all here."""
        return tuple(self._text(_named(name)).split())

    def open_id(self) -> str:
        """Read what the identity provider knows us by; no letters if there is none. Raises `Refused` as all here."""
        return self._text(OPEN_ID) if (self._folder / OPEN_ID).exists() else ""

    def coming(self) -> str | None:
        """Read the signing key that is written but not in use yet; None if there is none."""
        return self._text(COMING) if (self._folder / COMING).exists() else None

    def begin(self, signing: str, subjects: bytes) -> None:
        """Write the first keys; those that are there stay."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._names():
            self._write(FIRST, f"{signing}\n".encode())
        if not (self._folder / SUBJECTS).exists():
            self._write(SUBJECTS, subjects)

    def prepare(self, signing: str) -> None:
        """Write a further signing key, to be used from `take` on."""
        self._write(COMING, f"{signing}\n".encode())

    def take(self) -> None:
        """Bring the prepared key into use; does nothing if there is none."""
        if (self._folder / COMING).exists():
            last = _SIGNING.fullmatch(self._names()[-1])
            number = int(last[1] or 1) + 1 if last else 1
            (self._folder / COMING).replace(self._folder / f"ledger-{number}.key")
            self._settle()

    def keep_newest(self) -> int:
        """Destroy all signing keys but the newest, and count them."""
        old = self._names()[:-1]
        for name in old:
            (self._folder / name).unlink()
        self._settle()
        return len(old)

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        found = [
            (int(match[1] or 1), path.name)
            for path in self._folder.iterdir()
            if (match := _SIGNING.fullmatch(path.name))
        ]
        return [name for _, name in sorted(found)]

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise Refused(
                        f"others on this machine may read or write `keys/{name}`", f"run `chmod 600 keys/{name}`"
                    )
                return file.read()
        except FileNotFoundError:
            raise NotFound(f"this home has no `keys/{name}`", "run `assent ledger init`, or put the key back") from None

    def _text(self, name: str) -> str:
        try:
            return self._read(name).decode().strip()
        except UnicodeDecodeError:
            raise Refused(f"`keys/{name}` is no text", "put the key back from the backup of keys") from None

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            # whole under its name or not there at all: half a key would lock its owner out
            part = os.open(f"{path}.part", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(part, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(part)
            os.link(f"{path}.part", path)
        except FileExistsError:
            raise AssentError(f"`keys/{name}` is there already", "keep it, or move it away") from None
        finally:
            path.with_name(f"{path.name}.part").unlink(missing_ok=True)
        self._settle(name.rpartition("/")[0])

    def _settle(self, folder_of: str = "") -> None:
        folder = os.open(self._folder / folder_of, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _named(name: str) -> str:
    if not _SECRET.fullmatch(name):
        raise NotFound("this is no name of a webhook's secret", "restore the store: an endpoint names its own file")
    return f"{WEBHOOKS}/{name}"
