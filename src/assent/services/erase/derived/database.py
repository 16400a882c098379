"""The database itself as a copy: rows are gone at the intent, what they left in its files and log is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from assent.services.erase.derived.port import DATABASE, Acknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.services.erase.derived.port import ErasureOrder

_MARK: Final = re.compile(r"the log keeps names until (\S+) is written over")


class DatabaseStore(Protocol):
    """What this asks of the store."""

    def checkpoint(self) -> bool: ...

    def log_mark(self) -> str: ...

    def log_passed(self, mark: str) -> bool: ...


class InDatabase:
    """Files and log of the database. Content is not in them: what lingers are names of conversations and parts."""

    name = DATABASE
    reach = "tables, indexes and write-ahead log of the database; not its replicas and archives, nor the disk below"

    def __init__(self, store: DatabaseStore) -> None:
        """Ask this store to clear up."""
        self._store = store

    def erase(self, orders: Sequence[ErasureOrder]) -> Mapping[int, Acknowledged]:
        """Clear what deleted rows left; in PostgreSQL the log stands until the server has written over it."""
        cleared = self._store.checkpoint()
        mark = self._store.log_mark() if cleared else ""
        return {order.erasure.id: self._answer(order, mark, cleared=cleared) for order in orders}

    def _answer(self, order: ErasureOrder, mark: str, *, cleared: bool) -> Acknowledged:
        if not cleared:
            return Acknowledged(
                "pending maintenance", "a reader keeps deleted rows in reach; sweep again when it ended"
            )
        if not mark:
            return Acknowledged("removed")
        if (before := _MARK.search(order.before.note)) is None:
            return Acknowledged("pending maintenance", f"the log keeps names until {mark} is written over")
        if self._store.log_passed(before[1]):
            return Acknowledged("removed", "the server has written over its log since")
        return order.before
