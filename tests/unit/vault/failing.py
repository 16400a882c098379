"""A machine whose n-th write fails: with an error, half done, done though it says not, or because the power went."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from unittest import mock

CHANGES = ("fsync", "pwrite", "mkdir", "link", "replace", "unlink", "rmdir")

Way = Literal["EIO", "ENOSPC", "half", "late", "power"]
WAYS: tuple[Way, ...] = ("EIO", "ENOSPC", "half", "late", "power")


class PowerCut(BaseException):
    """Nothing runs after this, not even what cleans up."""


class Machine:
    """Counts what changes the disk, and fails at call number `at`."""

    def __init__(self, way: Way, at: int) -> None:
        self.way = way
        self.at = at
        self.calls = 0
        self.struck = ""
        """Which call failed first."""

    @property
    def failed(self) -> bool:
        return self.calls >= self.at

    def instead_of(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls < self.at or (self.calls > self.at and self.way != "power"):
                return real(*arguments, **named)
            self.struck = self.struck or real.__name__
            if self.way == "power":
                raise PowerCut
            if self.way == "late":
                real(*arguments, **named)
            if self.way == "half" and real.__name__ == "pwrite":
                descriptor, data, position = arguments
                real(descriptor, bytes(data)[: len(data) // 2], position)
            raise OSError(getattr(errno, self.way, errno.EIO), "the disk says no")

        return call


@contextmanager
def failing(way: Way, at: int) -> Iterator[Machine]:
    """Let the `at`-th change of the disk fail, and with "power" every one after it."""
    machine = Machine(way, at)
    with mock.patch.multiple(os, **{name: machine.instead_of(getattr(os, name)) for name in CHANGES}):
        yield machine
