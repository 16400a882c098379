"""The PostgreSQL of the tests ends with the tests, however they end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests import postgres_server

ROOT = Path(__file__).parents[3]
SOMEBODY = """
import sys, time
from tests.postgres_server import starting
with starting() as server:
    print(server.url.query["host"], server.run("SELECT pid FROM pg_stat_activity LIMIT 0"), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def somebody() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that runs tests, and the folder of its server."""
    process = subprocess.Popen([sys.executable, "-c", SOMEBODY], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process, Path(process.stdout.readline().split()[0])
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()
        until(lambda: not guardian_of(process.pid))
        postgres_server.reap()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def guardian_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.process_iter(["ppid"]) if child.info["ppid"] == pid]


def server_in(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))


def test_a_killed_test_process_takes_its_server_along(somebody: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = somebody
    server = server_in(folder)
    assert server.is_running()
    process.kill()
    until(lambda: not server.is_running() and not folder.exists())


def test_what_a_killed_guardian_leaves_behind_goes_before_the_next_server_comes(
    somebody: tuple[subprocess.Popen[str], Path],
) -> None:
    process, folder = somebody
    server = server_in(folder)
    [guardian] = guardian_of(process.pid)
    os.kill(guardian.pid, signal.SIGKILL)
    until(lambda: guardian.status() == psutil.STATUS_ZOMBIE)
    assert server.is_running()
    with postgres_server.starting() as another:
        assert not server.is_running()
        assert not folder.exists()
        assert another.run("SELECT 1") == [(1,)]


def test_without_a_server_tests_fail_loudly(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="did not start"), postgres_server.starting("no_such_setting=1"):
        pass
    assert "no_such_setting" in capfd.readouterr().err
    monkeypatch.setenv(postgres_server.NAMED, "postgresql://nobody@127.0.0.1:1/none")
    with postgres_server.running() as named, pytest.raises(Exception, match="127"):
        named.blank()
