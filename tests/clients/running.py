"""A program beside the tests: a process group that ends with whoever started it, also when that one was killed.

The program belongs to a guardian, which this file is when it is run. The guardian reads from a pipe of
the process that started it; when the pipe ends it stops the group of the program, by the ids it knows.
On Linux the kernel ends the program also when the guardian itself is killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

STOP_S = 20
READY_S = 180


# -- the guardian -------------------------------------------------------------------------


def guard(command: Sequence[str]) -> int:
    """Run a command until standard input says `kill`, or ends; a program that ends by itself ends the guardian."""
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - the guardian has one thread
    )
    print(program.pid, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    how = signal.SIGTERM
    try:
        while program.poll() is None:
            if select.select([sys.stdin], [], [], 0.2)[0]:
                how = signal.SIGKILL if sys.stdin.readline().strip() == "kill" else how
                break
    finally:
        _end(program, how)
    return 0


def _end_with_parent() -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _end(program: subprocess.Popen[bytes], how: signal.Signals) -> None:
    for one in (how, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(program.pid, one)
        with suppress(subprocess.TimeoutExpired):
            program.wait(STOP_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)  # what the program left behind in its group


# -- what tests use -----------------------------------------------------------------------


class Running:
    """A running program: its process id, and two ways to end it."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._log = log
        with log.open("ab") as sink:
            self._guardian = subprocess.Popen(
                [sys.executable, __file__, *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **environment},
                start_new_session=True,  # an interrupt at the keyboard reaches the tests, not their programs
            )
        self.pid = int(self._guardian.stdout.readline())

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until it is ready; raises with the end of its log if it ended or takes too long."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self._guardian.poll() is None:
            with suppress(httpx.HTTPError):
                if ready():
                    return
            time.sleep(0.1)
        raise RuntimeError(f"the program did not get ready:\n{self._log.read_text('utf-8', 'replace')[-4000:]}")

    def stop(self) -> None:
        """End it as its manager would."""
        self._finish(b"")

    def kill(self) -> None:
        """End it in the middle of what it does."""
        self._finish(b"kill\n")

    def _finish(self, word: bytes) -> None:
        if not self._guardian.stdin.closed:
            with suppress(BrokenPipeError):
                self._guardian.stdin.write(word)
                self._guardian.stdin.flush()
            with suppress(BrokenPipeError):
                self._guardian.stdin.close()
            self._guardian.wait(3 * STOP_S)
            self._guardian.stdout.close()


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path
) -> Iterator[Running]:
    """Run a command in a folder with these variables alone; its output goes to the log."""
    program = Running(command, environment, folder, log)
    try:
        yield program
    finally:
        program.stop()


def free_port() -> int:
    """Find a port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
