"""A real MariaDB for tests, in a temporary folder and on a socket: `mariadbd`, or what ASSENT_TEST_MARIADB names.

It needs no account and no network. It ends with the process that started it: at the end of the tests, and by the
kernel's hand if that process is killed before.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL

NAMED = "ASSENT_TEST_MARIADB"
READY_S = 60
STOP_S = 20

SYSTEM = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
SHARES = (Path("/usr/share/mysql"), Path("/usr/share/mariadb"))
SETTINGS = (
    "--skip-networking",
    "--skip-grant-tables",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=2",
    "--character-set-server=utf8mb4",
)


class MariaDb:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def address(self, database: str = "") -> URL:
        query = {"unix_socket": str(self.folder / "socket")}
        return URL.create("mysql+pymysql", "root", database=database or None, query=query)

    def run(self, statement: str) -> None:
        with pymysql.connect(unix_socket=str(self.folder / "socket"), user="root", autocommit=True) as connection:
            connection.cursor().execute(statement)

    def blank(self) -> str:
        self._made += 1
        name = f"chats_{self._made}"
        self.run(f"CREATE DATABASE {name}")
        return name


def program() -> tuple[str, Path] | None:
    """Find the server and the folder of its own tables' definitions; None where there is none."""
    found = os.environ.get(NAMED) or shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        return None
    beside = Path(found).resolve().parents[1] / "share" / "mysql"
    share = next(
        (one for one in (Path(os.environ.get(f"{NAMED}_SHARE", beside)), *SHARES) if (one / SYSTEM[0]).exists()), None
    )
    return None if share is None else (found, share)


@contextmanager
def running() -> Iterator[MariaDb]:
    """Start a server; where there is none, skip and say aloud what to install."""
    there = program()
    if there is None:
        pytest.skip(f"no MariaDB: install `mariadb-server-core`, or name its mariadbd in {NAMED}")
    with tempfile.TemporaryDirectory(prefix="assent-mariadb-") as name:
        folder = Path(name)
        server = _start(*there, folder)
        try:
            _until_ready(server, folder)
            yield MariaDb(folder)
        finally:
            server.terminate()
            try:
                server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(STOP_S)


def _start(found: str, share: Path, folder: Path) -> "subprocess.Popen[bytes]":
    data = folder / "data"
    data.mkdir()
    base = [found, "--no-defaults", f"--datadir={data}", f"--lc-messages-dir={share}", *SETTINGS[3:]]
    if os.geteuid() == 0:
        base.append("--user=root")
    system = "CREATE DATABASE mysql;\nUSE mysql;\n" + "".join((share / one).read_text("utf-8") for one in SYSTEM)
    with (folder / "log").open("wb") as log:
        made = [*base, "--bootstrap", "--skip-networking"]
        subprocess.run(made, input=system.encode(), stdout=log, stderr=log, check=True)
        last = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        served = [*last, *base, *SETTINGS[:3], f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
        return subprocess.Popen(served, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _until_ready(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and server.poll() is None:
        if b"ready for connections" in (folder / "log").read_bytes():
            return
        time.sleep(0.05)
    raise RuntimeError((folder / "log").read_text("utf-8", "replace")[-2_000:])
