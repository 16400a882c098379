"""Choices over HTTP: 500 a second, each on its own signed question, until it is in the ledger; against a bare insert.

`assent serve` runs as its own process, on SQLite and on PostgreSQL. The load is open: requests go
out when they are due, whether the ones before were answered or not, and each wait counts from
the instant when it was due. The peer is FastAPI with one INSERT of one row a request, under the
same server settings, load and PostgreSQL; it checks, signs and proves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from pydantic import BaseModel
from tests import postgres_server

from assent.interfaces.cli.init import make_home
from assent.policy.model import Policy
from assent.services.choose.ask import Moment, Question, Wanted, ask
from assent.services.choose.shelf import keep_notice
from assent.services.choose.snapshot import Showing, serve
from assent.services.tokens import add_token
from assent.store.records import Account
from assent.wiring import Wiring
from benchmarks.board.rounds import setting
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Table, Words

POLICY = "anthropic/2025-10-08"
RATE = setting("RATE", 500, small=100)
WARM_S = setting("WARM_S", 5, small=1)
SECONDS = setting("SECONDS", 20, small=2)
CONNECTIONS = 64
PEER = "peer"


@dataclass(frozen=True)
class Served:
    """One server to put under load: where it listens, its requests ready to send, and how many rows it wrote."""

    name: str
    port: int
    requests: list[bytes]
    written: Callable[[], int]


# -- the load ---------------------------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One connection that stays open and carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._data = b""
        self._done: asyncio.Future[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, mark, body = self._data.partition(b"\r\n\r\n")
        if mark:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(body) >= length:
                self._data = b""
                self._done.set_result(int(head[9:12]))

    def connection_lost(self, _problem: Exception | None) -> None:
        if hasattr(self, "_done") and not self._done.done():
            self._done.set_exception(ConnectionError("the server hung up"))

    def ask(self, request: bytes) -> asyncio.Future[int]:
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._done


async def load(port: int, requests: list[bytes], rate: int) -> list[float]:
    """Send requests at a steady rate; returns the milliseconds from when each was due to its whole answer."""
    loop = asyncio.get_running_loop()
    idle: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(Client, "127.0.0.1", port)
        idle.put_nowait(client)
    waits = []

    async def send(request: bytes, due: float) -> None:
        client = await idle.get()
        status = await client.ask(request)
        waits.append((time.perf_counter() - due) * 1000)
        idle.put_nowait(client)
        if status != 201:
            sys.exit(f"answered {status}")

    begin = time.perf_counter() + 0.1
    tasks = []
    for number, request in enumerate(requests):
        due = begin + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(send(request, due)))
    await asyncio.gather(*tasks)
    return waits


def under_load(served: Served) -> list[float]:
    """Warm a server up, measure it, and check that every answered request is a row."""
    warm = RATE * WARM_S
    before = served.written()
    with uncollected():
        uvloop.run(load(served.port, served.requests[:warm], RATE))
        waits = sorted(uvloop.run(load(served.port, served.requests[warm:], RATE)))
    if served.written() - before != len(served.requests):
        sys.exit(f"{served.name}: not every answer is a row")
    return waits


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector away from this process, whose own pauses of 100 ms would count as waiting for the server."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def at(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))]


# -- assent -----------------------------------------------------------------------------------------------------------


def prepare(wiring: Wiring, count: int) -> list[bytes]:
    """Put people and questions into a home; returns one answer for each, as bytes to send."""
    now = wiring.now()
    token = add_token(wiring.store, "load", "product", key=wiring.new_key(), now=now)
    text = (wiring.notice_library() / f"{POLICY}.toml").read_text("utf-8")
    keep_notice(wiring.store, text, "notice", wiring.policy_texts, now=now)
    people = [f"person-{number}" for number in range(count)]
    wiring.store.put_accounts(Account(name, plan="pro", region="DE", age=30, signed_in=True) for name in people)
    wanted = Wanted(subject=people[0], purpose="training", surface="json", locale="en", client="x", interactive=True)
    first = ask(wiring.store, wiring.desk, wanted, policies=wiring.policy_texts, moment=Moment(now, "first", 0.0))
    if not isinstance(first, Question):
        sys.exit("nobody is asked")
    return [answer(wiring, name, first, token, wiring.policies) for name in people]


def answer(wiring: Wiring, subject: str, first: Question, token: str, policies: list[Policy]) -> bytes:
    """Serve the question to one person, and write the answer down as a request."""
    said = first.served.snapshot
    showing = Showing(
        subject=subject,
        purpose="training",
        rendering=first.rendering.digest,
        policy=said.policy,
        client="desktop",
        interactive=True,
        terms=said.terms,
    )
    served = serve(wiring.store, wiring.desk, showing, policies=policies, snapshot_id=wiring.new_id(), now=wiring.now())
    act = "allow" if hash(subject) % 3 else "decline"
    body = {"subject": subject, "purpose": "training", "act": act, "token": served.token, "explain": False}
    return post("/v1/choices", body, f"authorization: Bearer {token}\r\n")


def post(path: str, body: object, headers: str = "") -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


@contextmanager
def assent(folder: Path, name: str, database: str) -> Iterator[Served]:
    """Serve a fresh home."""
    home = make_home(Wiring(folder), folder, (POLICY,), database=database)
    home = Wiring(folder)
    requests = prepare(home, RATE * (WARM_S + SECONDS))
    command = [sys.executable, "-m", "assent", "serve", "--port", "0"]
    with serving(command, {"ASSENT_HOME": str(folder)}) as line:
        yield Served(name, int(line.rpartition(":")[2]), requests, lambda: home.store.counts().choices)
    home.store.close()


@contextmanager
def serving(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """Run a server and give the line that it prints when it listens; stop it at the end."""
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=said, text=True
        )
        try:
            line = server.stdout.readline().strip() if server.stdout else ""
            if not line:
                said.seek(0)
                sys.exit(said.read().decode())
            yield line
        finally:
            server.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(30)
            if server.poll() is None:
                server.kill()


# -- the peer ---------------------------------------------------------------------------------------------------------


class PlainIn(BaseModel):
    """What the peer takes."""

    subject: str
    purpose: str
    act: str
    token: str
    explain: bool


class PlainOut(BaseModel):
    """What the peer answers."""

    id: int


def serve_peer(address: str) -> None:
    """Serve one INSERT of one row a request, with the settings of `assent serve`."""
    from queue import SimpleQueue

    import psycopg
    import uvicorn
    from anyio import to_thread
    from fastapi import FastAPI

    threads = 8  # api_threads of the settings
    pool: SimpleQueue[psycopg.Connection] = SimpleQueue()
    for _ in range(threads):
        pool.put(psycopg.connect(address, autocommit=True))

    @contextlib.asynccontextmanager
    async def few_threads(_app: FastAPI):  # noqa: ANN202
        to_thread.current_default_thread_limiter().total_tokens = threads
        yield

    app = FastAPI(lifespan=few_threads)

    @app.post("/v1/choices", status_code=201)
    def record(what: PlainIn) -> PlainOut:
        connection = pool.get()
        try:
            row = connection.execute(
                "INSERT INTO plain (subject, purpose, act, token, at) VALUES (%s, %s, %s, %s, now()) RETURNING id",
                (what.subject, what.purpose, what.act, what.token),
            ).fetchone()
        finally:
            pool.put(connection)
        return PlainOut(id=row[0])

    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listener:
        print(f"listening:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def peer(server: postgres_server.Server, requests: list[bytes]) -> Iterator[Served]:
    """Serve the peer on a fresh database of the same PostgreSQL, with the same requests."""
    name = server.blank()
    columns = "id bigserial PRIMARY KEY, subject text, purpose text, act text, token text, at timestamptz"
    server.run(f"CREATE TABLE plain ({columns})", database=name)

    def written() -> int:
        [(count,)] = server.run("SELECT count(*) FROM plain", database=name)
        return int(str(count))

    command = [sys.executable, "-m", "benchmarks.bench_http_choices", PEER, server.address(name)]
    with serving(command, {}) as line:
        yield Served("FastAPI and one INSERT", int(line.rpartition(":")[2]), requests, written)


def measure() -> Result:
    """Put assent and its peer under the same load, one after the other."""
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as made, postgres_server.running() as server:
        folder = Path(made)
        with assent(folder / "sqlite", "assent, SQLite", "assent.db") as served:
            rows[served.name] = under_load(served)
        with assent(folder / "postgres", "assent, PostgreSQL", server.address(server.blank())) as served:
            rows[served.name] = under_load(served)
        with peer(server, served.requests) as plain:
            rows[plain.name] = under_load(plain)
            theirs = at(rows[plain.name], 0.99)
    ours = [name for name in rows if name != plain.name]
    shares = {"median": 0.5, "99th percentile": 0.99, "99.9th": 0.999, "longest": 1.0}
    lines = tuple((name, *(f"{at(waits, share):.1f} ms" for share in shares.values())) for name, waits in rows.items())
    late = {name: Spread.single(at(rows[name], 0.99)) for name in ours}
    return Result(
        figures=tuple(Figure(f"{name}, 99th percentile", late[name], "ms", Aim("at most", 20)) for name in ours),
        ratios=tuple(
            Figure(f"{name}, 99th percentile", Spread.single(late[name].median / theirs), aim=Aim("at most", 2))
            for name in ours
        ),
        tables=(Table(("", *shares), lines),),
        notes=(f"{os.cpu_count()} cores for servers, database and load.",),
    )


HEADLINE = Headline(
    Words(
        title="Choices over HTTP",
        work=(
            f"{RATE} a second for {SECONDS} s after {WARM_S} s of warming up, each on its own signed question, "
            "checked, appended and proven before it is answered. Every answer must be a row."
        ),
        peer="FastAPI and one INSERT of one row a request, with the same server settings, load and PostgreSQL",
        remarks=(
            (
                "Choices that come at once are appended together by a process of its own, under one checkpoint; the "
                "tail is the wait for the group before. The peer checks, signs and proves nothing."
            ),
        ),
    ),
    measure,
    uses=("fastapi", "uvicorn", "psycopg"),
)


if __name__ == "__main__" and sys.argv[1:2] == [PEER]:
    serve_peer(sys.argv[2])
