"""A home folder and commands run in it, in this process or as a program of their own."""

import atexit
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assent.interfaces.cli.app import run
from assent.wiring import Wiring

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status in (0, 2, 4), self.err
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def call(wiring: Wiring, *arguments: object) -> Said:
    """Run one command line as the program does."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = run([str(argument) for argument in arguments], wiring)
    except SystemExit as end:
        status = end.code
    finally:
        if "store" in wiring.__dict__:
            wiring.store.close()
    return Said(status, out.getvalue(), err.getvalue())


class Home:
    """A home folder, its clock, and how to call commands in it."""

    def __init__(self, folder: Path, now: datetime = NOW) -> None:
        self.folder = folder
        self.now = now

    def __call__(self, *arguments: object, at: datetime | None = None) -> Said:
        return call(Wiring(self.folder, at or self.now), *arguments)

    def write(self, name: str, records: Iterable[object]) -> Path:
        path = self.folder.parent / name
        lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    def acts(self, subject: str = "me") -> list[str]:
        return [record["act"] for record in self("choose", subject, "show", "--json").lines()]


def made(folder: Path, *policies: str, now: datetime = NOW, notices: Iterable[str] = ()) -> Home:
    """Make a home as `assent init` does. Homes that are made alike in one process have the same keys."""
    shutil.copytree(_first(policies, now, tuple(notices)), folder, symlinks=True)
    return Home(folder, now)


@cache
def _first(policies: tuple[str, ...], now: datetime, notices: tuple[str, ...]) -> Path:
    """Make the home of which all others that are made like it are copies: fifty times as fast as making each."""
    place = TemporaryDirectory(prefix="assent-first-")
    atexit.register(place.cleanup)
    named = [word for policy in policies for word in ("--policy", policy)]
    named += [word for notice in notices for word in ("--notice", notice)]
    said = call(Wiring(None, now), "init", Path(place.name) / "home", *named)
    assert said.status == 0, said.err
    return Path(place.name) / "home"


def program(*arguments: object, cwd: Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m assent` as a new user does: in a folder, with a plain environment."""
    command = [sys.executable, "-m", "assent", *map(str, arguments)]
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "ASSENT_HOME", "ASSENT_CLOCK")}
    done = subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, env={**kept, **environment}, timeout=120, check=False
    )
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def claude_ai(path: Path, *chats: tuple[str, str], text: str = "what is a lens?", account: str = "acc-1") -> Path:
    """Write an export of Claude.ai: (id, instant of its turns) of each conversation."""
    conversations = [
        {
            "uuid": name,
            "name": f"title of {name}",
            "created_at": at,
            "updated_at": at,
            "account": {"uuid": account},
            "chat_messages": [
                {"uuid": f"{name}-1", "sender": "human", "created_at": at, "text": text,
                 "content": [{"type": "text", "text": text}]},
                {"uuid": f"{name}-2", "sender": "assistant", "created_at": at, "text": "glass",
                 "content": [{"type": "text", "text": "glass"}]},
            ],
        }
        for name, at in chats
    ]  # fmt: skip
    path.mkdir(parents=True, exist_ok=True)
    (path / "conversations.json").write_text(json.dumps(conversations), "utf-8")
    return path
