"""The queue of writers: whoever waits for the lock of the database gets it before whoever had it last.

SQLite looks for its lock again and again, at longer and longer intervals, so a sweep that
writes one batch after the other keeps it for seconds before anybody else comes in. The place
in front of the lock is a lock of its own, on a file beside the database: one writer waits
there, and the one that was just done waits behind it.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOK_AGAIN_S: Final = 0.002


class Turns:
    """The place in front of the lock of one database, for any number of threads and processes."""

    def __init__(self, database: Path, timeout_s: float) -> None:
        """Queue for at most `timeout_s` seconds."""
        self._file = database.with_name(f"{database.name}-turn")
        self._timeout_s = timeout_s

    @contextmanager
    def first(self) -> Iterator[bool]:
        """Stand in front for as long as this lasts; False if others stood there until the time was over."""
        file = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            yield self._wait(file)
        finally:
            os.close(file)

    def _wait(self, file: int) -> bool:
        end = time.monotonic() + self._timeout_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(_LOOK_AGAIN_S)
            else:
                return True
