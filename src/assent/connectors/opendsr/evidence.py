"""What a vendor signed, kept as it came: the only thing that a statement about its copies can rest on.

One file for each signed reply, in a folder named by the order. A reply that quotes the order (`encoded_request`) is
kept without that piece, as the standard asks, with the digest of all of it: the signature can still be checked against
the digest, and the piece put back by whoever knows what was ordered.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from assent.domain.instants import format_instant, parse_instant

FORMAT: Final = "assent/vendor-evidence/v1"
PIECE: Final = "<the order itself, in base64>"
"""Stands for what was taken out of a kept reply."""

Status = Literal["pending", "in_progress", "cancelled", "completed"]
ORDERED: Final[tuple[Status, ...]] = ("pending", "in_progress", "cancelled", "completed")
"""What an order can be, least first: a statement never takes a later one back, in whichever order they arrive."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a vendor signed about an order. `signed` names the way and what is needed to check it again."""

    order: str
    status: Status
    expected: datetime | None
    at: datetime
    body: bytes
    digest: str
    signed: Mapping[str, str]

    @property
    def name(self) -> str:
        """Return the name of its file: the order and what was signed, nobody's name."""
        return f"{self.order}/{self.digest}.json"

    def record(self) -> dict[str, Any]:
        """Write it for a file."""
        return {
            "v": FORMAT,
            "order": self.order,
            "status": self.status,
            "expected": self.expected and format_instant(self.expected),
            "received": format_instant(self.at),
            "sha256": self.digest,
            "body": base64.b64encode(self.body).decode(),
            "signed": dict(self.signed),
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder in which a vendor's statements are kept; nothing in it is ever changed."""

    folder: Path

    def add(self, statement: Statement) -> None:
        """Keep a statement; the same again does nothing. Durable when this returns."""
        text = json.dumps(statement.record(), indent=1, sort_keys=True).encode() + b"\n"
        self._write(self.folder / statement.name, text)

    def of(self, order: str) -> list[Statement]:
        """Return the statements about an order, oldest first."""
        found = [statement_of(data) for _, data in self.files(order)]
        return sorted(found, key=lambda one: (one.at, ORDERED.index(one.status), one.digest))

    def seal(self, erasure: int, orders: Iterable[str]) -> str:
        """Write down which statements there are for an erasure, as `sha256sum -c` reads it; return that list's SHA-256.

        Empty without any statement.
        """
        lines = [f"{digest_of(data)}  {name}\n" for order in sorted(orders) for name, data in self.files(order)]
        if not lines:
            return ""
        text = "".join(lines).encode()
        digest = digest_of(text)
        self._write(self.folder / f"erasure-{erasure}-{digest}.sha256", text)
        return digest

    def files(self, order: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files of an order, by name."""
        for path in sorted((self.folder / order).glob("*.json")):
            yield f"{order}/{path.name}", path.read_bytes()

    def _write(self, path: Path, text: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)


def statement_of(data: bytes) -> Statement:
    """Read a kept statement. Raises `ValueError` or `KeyError` for what is none."""
    said = json.loads(data)
    expected = said["expected"] and parse_instant(said["expected"])
    return Statement(
        said["order"],
        said["status"],
        expected or None,
        parse_instant(said["received"]),
        base64.b64decode(said["body"], validate=True),
        said["sha256"],
        said["signed"],
    )


def furthest(statements: list[Statement]) -> Statement | None:
    """Return the statement that counts: the furthest status, and of several the newest."""
    return max(statements, key=lambda one: (ORDERED.index(one.status), one.at), default=None)


def without_order(body: bytes, quoted: str) -> bytes:
    """Take the quoted order out of a reply; once, and where nothing else can be meant."""
    return body.replace(quoted.encode(), PIECE.encode(), 1) if quoted else body


def digest_of(body: bytes) -> str:
    """Return the SHA-256 of signed bytes, in hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()
