"""Orders to erase: which there are, and the very bytes of each, the same however often it is sent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from assent.domain.instants import format_instant, parse_instant

_FILE: Final = "orders.jsonl"
_DOMAIN: Final = "assent/vendor-order/v1"


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was made for a conversation; `since` is the erasure that it serves, as far as it was said."""

    conversation: str
    id: str
    submitted: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one vendor, in the connector's own folder: ids, never whose they are."""

    folder: Path

    def now(self) -> datetime:
        """Ask the disk for its time."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        clock = self.folder / "clock"
        clock.touch(mode=0o600)
        return datetime.fromtimestamp(clock.stat().st_mtime, UTC).replace(microsecond=0)

    def of(self, conversations: Iterable[str]) -> dict[str, list[Order]]:
        """Return the orders of these conversations, oldest first."""
        found: dict[str, list[Order]] = {name: [] for name in conversations}
        for order in self._all():
            if order.conversation in found:
                found[order.conversation].append(order)
        return found

    def by_id(self) -> dict[str, Order]:
        """Return all orders by their ids; of one that serves several conversations the first."""
        found: dict[str, Order] = {}
        for order in self._all():
            found.setdefault(order.id, order)
        return found

    def add(self, orders: Iterable[Order]) -> None:
        """Remember orders before they are sent; durable when this returns."""
        lines = [{key: _written(value) for key, value in asdict(one).items()} for one in orders]
        if lines:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.folder / _FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(file, "ab") as stream:
                stream.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
                stream.flush()
                os.fsync(file)

    def _all(self) -> Iterator[Order]:
        try:
            content = (self.folder / _FILE).read_bytes()
        except FileNotFoundError:
            return
        for line in content.splitlines():
            with suppress(ValueError):  # a line that a crash cut off
                yield _order(json.loads(line))


def order_id(vendor: str, about: str, number: int) -> str:
    """Return the id of an order about this conversation or person: a UUID in the form of version 4, always the same."""
    said = "\n".join((_DOMAIN, vendor, str(number), about))
    return str(UUID(bytes=hashlib.sha256(said.encode()).digest()[:16], version=4))


def identity(value: str, form: str) -> str:
    """Write an identity as it is, or as the SHA-256 of its UTF-8 bytes in lower-case hexadecimal digits."""
    return hashlib.sha256(value.encode()).hexdigest() if form == "sha256" else value


def written(value: Mapping[str, object]) -> bytes:
    """Write the body of an order in the one form that it has."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _written(value: object) -> object:
    return format_instant(value) if isinstance(value, datetime) else value


def _order(line: Mapping[str, Any]) -> Order:
    since = line["since"] and parse_instant(line["since"])
    return Order(line["conversation"], line["id"], parse_instant(line["submitted"]), since or None)
