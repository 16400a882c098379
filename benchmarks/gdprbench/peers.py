"""PostgreSQL and Redis as GDPRbench's own clients use them: one table of ten columns, one hash a record."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import redis
from tests import postgres_server

from benchmarks.gdprbench.records import METADATA, Operation, Scale, data, key, metadata, padded, purpose

_READY_S: Final = 30
_LOGGED: Final = 1_000
"""Lines of its log that the client for Redis reads at once."""

_AT_ONCE: Final = 1_000


def record(scale: Scale, number: int) -> dict[str, str]:
    """Return a record with its ten fields."""
    return {**metadata(scale, number), "data": data(number)}


class Peer:
    """What both have in common: which texts have been written, and what an operation sets."""

    def __init__(self, scale: Scale) -> None:
        """Know how much there is."""
        self.scale = scale
        self._revisions: dict[int, int] = {}

    def settle(self) -> None:
        """Do nothing: what was deleted is done with, whether its bytes are there or not."""

    def revised(self, number: int) -> str:
        """Return the next text of a record."""
        revision = self._revisions[number] = self._revisions.get(number, 0) + 1
        return data(number, revision)

    def condition(self, operation: Operation) -> tuple[str, str]:
        """Return the field that is asked for and its value."""
        if operation.kind.endswith("purpose"):
            return "pur", padded("pur", purpose(operation.number))
        return "usr", padded("usr", self.scale.person(operation.number))


class Postgres(Peer):
    """A table with a primary key, or with an index on every field of metadata besides."""

    def __init__(self, scale: Scale, connection: psycopg.Connection[Any], *, indexed: bool) -> None:
        """Fill a new table."""
        super().__init__(scale)
        self._connection = connection
        columns = ", ".join(f"{name} text" for name in (*METADATA, "data"))
        connection.execute(f"CREATE TABLE usertable (key text PRIMARY KEY, {columns})")
        with connection.cursor() as cursor, cursor.copy("COPY usertable FROM STDIN") as stream:
            for number in range(scale.kept):
                stream.write_row((key(number), *record(scale, number).values()))
        for name in METADATA if indexed else ():
            connection.execute(f"CREATE INDEX ON usertable ({name})")
        connection.execute("VACUUM ANALYZE usertable")

    def answer(self, _mix: str, operation: Operation) -> object:
        """Carry an operation out; each is a transaction of its own."""
        number, name = operation.number, key(operation.number)
        match operation.kind.split(" ")[0]:
            case "read":
                found = self._rows("SELECT * FROM usertable WHERE key = %s", name)
                return found[0][-1] if found else None
            case "find":
                field, value = self.condition(operation)
                return {int(row[0][4:]) for row in self._rows(f"SELECT * FROM usertable WHERE {field} = %s", value)}
            case "set":
                field, value = self.condition(operation)
                shared = padded("shr", operation.place)
                self._connection.execute(f"UPDATE usertable SET shr = %s WHERE {field} = %s", (shared, value))
            case "update":
                self._connection.execute("UPDATE usertable SET data = %s WHERE key = %s", (self.revised(number), name))
            case "delete":
                self._connection.execute("DELETE FROM usertable WHERE key = %s", (name,))
            case "create":
                fields = record(self.scale, number).values()
                places = ", ".join(["%s"] * (len(fields) + 1))
                self._connection.execute(f"INSERT INTO usertable VALUES ({places})", (name, *fields))
            case "logs":
                return True
            case "verify":
                return not self._rows("SELECT key FROM usertable WHERE key = %s", name)
        return None

    def _rows(self, query: str, value: str) -> list[Any]:
        return self._connection.execute(query, (value,)).fetchall()


class Redis(Peer):
    """A hash a record; whatever is asked of metadata looks at every key, one HGETALL each."""

    def __init__(self, scale: Scale, client: redis.Redis, log: Path) -> None:
        """Fill an empty server; `log` is the folder of its append-only files."""
        super().__init__(scale)
        self._client, self._log = client, log
        for start in range(0, scale.kept, _AT_ONCE):
            with client.pipeline(transaction=False) as pipe:
                for number in range(start, min(start + _AT_ONCE, scale.kept)):
                    pipe.hset(key(number), mapping=record(scale, number))
                pipe.execute()

    def answer(self, _mix: str, operation: Operation) -> object:
        """Carry an operation out."""
        number, name, client = operation.number, key(operation.number), self._client
        match operation.kind.split(" ")[0]:
            case "read":
                return client.hgetall(name).get("data")
            case "find":
                return {int(found[4:]) for found, _ in self._matching(operation)}
            case "set":
                for found, fields in self._matching(operation):
                    client.hset(found, mapping={**fields, "shr": padded("shr", operation.place)})
            case "update":
                if client.exists(name):
                    client.hset(name, "data", self.revised(number))
            case "delete":
                client.delete(name)
            case "create":
                client.hset(name, mapping=record(self.scale, number))
            case "logs":
                return self._read_log() > 0
            case "verify":
                return not client.exists(name)
        return None

    def _matching(self, operation: Operation) -> Iterator[tuple[str, Mapping[str, str]]]:
        _, value = self.condition(operation)
        for name in self._client.keys("user*"):
            fields = self._client.hgetall(name)
            if value in fields.values():
                yield name, fields

    def _read_log(self) -> int:
        """Read the last lines of the append-only files, without asking for them to be rewritten each time."""
        newest = max(self._log.glob("*.aof"), key=lambda path: path.stat().st_mtime)
        return len(newest.read_bytes().splitlines()[-_LOGGED:])


@contextmanager
def postgres(scale: Scale, *, indexed: bool) -> Iterator[Postgres]:
    """Give a filled table on a server of its own, each statement a commit that is on the disk."""
    with (
        postgres_server.running() as server,
        psycopg.connect(server.address(server.blank()), autocommit=True) as connection,
    ):
        yield Postgres(scale, connection, indexed=indexed)


@contextmanager
def redis_as_shipped(scale: Scale) -> Iterator[Redis]:
    """Give a filled server on a socket in a temporary folder, its log written every second."""
    with tempfile.TemporaryDirectory(prefix="gdprbench-") as made:
        socket = Path(made) / "redis.sock"
        settings = {"port": "0", "unixsocket": str(socket), "dir": made, "appendonly": "yes", "save": ""}
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        server = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        try:
            client = redis.Redis(unix_socket_path=str(socket), decode_responses=True)
            _wait(client)
            yield Redis(scale, client, Path(made) / "appendonlydir")
            client.close()
        finally:
            server.terminate()
            server.wait(_READY_S)


def _wait(client: redis.Redis) -> None:
    until = time.monotonic() + _READY_S
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
