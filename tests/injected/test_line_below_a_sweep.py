"""The line between a sweep and PostgreSQL breaks anywhere: nothing false is claimed, and the next sweep ends it."""

from __future__ import annotations

import gc
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from assent.domain.errors import AssentError
from assent.store.postgres import PostgresStore
from tests.injected.line import Line, line_to
from tests.simulation.erasing import Home, Truth, anomalies, furnish, redo, sweep, unfinished
from tests.vaults import vault_in

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.filterwarnings("ignore:.*ServerCursor.* was deleted while still open:ResourceWarning"),
]

Injected = Callable[..., None]


def break_off(line: Line, draw: random.Random) -> None:
    """Cut the line, or let it stand still for a while and then cut it, as a network does that gives up."""
    if draw.random() < 0.5:
        line.freeze()
        time.sleep(draw.uniform(0, 0.3))
    line.cut()


def cut_below(home: Home, truth: Truth, line: Line, draw: random.Random) -> bool:
    """Sweep through the line and break it at some instant; returns whether the sweep noticed."""
    told: list[str] = []

    def work() -> None:
        through = Home(home.folder, line.address(make_url(home.address or "").database or ""))
        try:
            sweep(through, truth, batch=draw.choice((4, 12)))
        except AssentError as problem:
            told.append(problem.message)

    sweeping = threading.Thread(target=work)
    sweeping.start()
    time.sleep(draw.uniform(0, 0.7))
    break_off(line, draw)
    sweeping.join(120)
    assert not sweeping.is_alive()
    gc.collect()  # the driver complains of a cursor that nobody could close, since its connection was gone
    line.mend()
    assert all("PostgreSQL" in message or "cannot be reached" in message for message in told), told
    return bool(told)


def break_and_redo(home: Home, seed: int, *, due: int, times: int) -> int:
    """Break sweeps off one after the other, look after each, and let the last one end."""
    draw = random.Random(seed)
    truth = furnish(home, due=due, kept=6, held=3, seed=seed)
    noticed = 0
    with line_to(make_url(home.address or "")) as line:
        for _ in range(times):
            noticed += cut_below(home, truth, line, draw)
            assert anomalies(home, truth) == []
    sweep(home, truth, batch=50)
    redo(home)
    assert anomalies(home, truth) == []
    assert unfinished(home, truth) == []
    return noticed


@pytest.mark.fault("cut line below a sweep")
def test_a_sweep_whose_line_breaks_claims_nothing_and_loses_nothing(
    tmp_path: Path, postgres_database: str, injected: Injected
) -> None:
    injected(times=break_and_redo(Home(tmp_path / "home", postgres_database), 5, due=24, times=2), seed=5)


@pytest.mark.deep
@pytest.mark.fault("cut line below a sweep")
@pytest.mark.parametrize("seed", range(5))
def test_sweeps_whose_lines_break_again_and_again_leave_no_anomaly(
    tmp_path: Path, postgres_database: str, seed: int, injected: Injected
) -> None:
    noticed = break_and_redo(Home(tmp_path / "home", postgres_database), seed, due=300, times=30)
    assert noticed >= 10
    injected(times=noticed, seed=seed)


# -- packets that vanish ---------------------------------------------------------------------


@contextmanager
def firewall(port: int) -> Iterator[None]:
    """Drop every packet to a port of this machine. Skips, and says why, where that cannot be done."""
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "DROP"]
    try:
        subprocess.run(["iptables", "-w", "-A", *rule], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"NOT SHOWN: no firewall that a test may set, it needs root and iptables: {problem}")
    try:
        yield
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True, capture_output=True)


@pytest.mark.deep
@pytest.mark.fault("packets that vanish")
def test_a_server_whose_packets_vanish_is_given_up_within_about_a_minute(
    tmp_path: Path, postgres_database: str
) -> None:
    url = make_url(postgres_database)
    with line_to(url) as line:
        store = PostgresStore.open(line.address(url.database or ""), vault_in(tmp_path))
        began = time.monotonic()
        with firewall(line.port), pytest.raises(AssentError, match="connection to PostgreSQL was lost"):
            store.counts()
        assert time.monotonic() - began < 100
        assert store.counts().parts == 0, "it does not recover"
        store.close()


def test_every_connection_gives_a_silent_server_up(tmp_path: Path, postgres_database: str) -> None:
    url = make_url(postgres_database)
    with line_to(url) as line:
        store = PostgresStore.open(line.address(url.database or ""), vault_in(tmp_path))
        with store._database.reading() as connection:
            mine = socket.socket(fileno=connection.connection.driver_connection.fileno())
            told = (
                mine.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
                mine.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            )
            mine.detach()
        store.close()
    assert told == (60_000, 30)
