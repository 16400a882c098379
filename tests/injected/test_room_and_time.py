"""A PostgreSQL whose disk is full, and a clock that jumps below the daemon as operators run it."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from assent.domain.errors import AssentError
from assent.interfaces.cli.sweep_daemon import run_daemon
from assent.store.postgres import PostgresStore
from assent.wiring import Wiring
from tests import postgres_server
from tests.conformance.store.samples import T0, talk
from tests.guard_world import GuardWorld
from tests.unit.interfaces.homes import Home as Commands
from tests.unit.interfaces.homes import made
from tests.vaults import vault_in

# -- room -------------------------------------------------------------------------------------


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a small file system in memory for the user of the server. Skips, and says why, where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("NOT SHOWN: a disk that is full needs root, to mount a small one")
    at, nobody = Path(tempfile.mkdtemp(prefix="assent-disk-")), pwd.getpwnam("nobody")
    options = f"size={megabytes}m,mode=0700,uid={nobody.pw_uid},gid={nobody.pw_gid}"
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], check=False, capture_output=True)
    if tried.returncode:
        at.rmdir()
        pytest.skip(f"NOT SHOWN: this machine mounts nothing: {tried.stderr.decode().strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)
        at.rmdir()


@pytest.mark.deep
@pytest.mark.fault("full disk below the database")
def test_a_server_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_room(
    tmp_path: Path, injected: Callable[..., None]
) -> None:
    with small_disk(48) as disk, postgres_server.starting() as server:
        server.run(f"CREATE TABLESPACE small LOCATION '{disk}'")
        name = server.blank()
        server.run("ALTER DATABASE {} SET TABLESPACE small", name)
        store = PostgresStore.open(server.address(name), vault_in(tmp_path), create=True)
        kept, said = 0, list[str]()
        for number in count():
            talks = [talk(f"c{number}-{n}", title="x" * 5_000) for n in range(200)]
            try:
                store.intake(talks, plan="free", recorded_at=T0)
            except AssentError as problem:
                said.append(problem.message)
                if len(said) == 5:
                    break
            else:
                kept += len(talks)
        assert all(message.startswith("PostgreSQL has no room:") for message in said), said
        assert store.counts().conversations == kept > 0
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        store.intake(talks, plan="free", recorded_at=T0)
        assert store.counts().conversations == kept + 200
        store.close()
        server.drop(name)
        server.run("DROP TABLESPACE small")
    injected(times=len(said))


# -- time -------------------------------------------------------------------------------------

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
JUMPS = [
    pytest.param(timedelta(days=3_653), id="ten years ahead"),
    pytest.param(timedelta(days=-2), id="two days back", marks=pytest.mark.deep),
]


@pytest.fixture
def home(tmp_path: Path) -> Commands:
    """A home whose daemon swept once, and in which more was said since."""
    home = made(tmp_path / "home", "anthropic/2025-10-08", now=NOW)
    daemon(home, NOW)
    wiring = Wiring(home.folder, NOW)
    GuardWorld(home.folder, wiring.store).keep(3, NOW - timedelta(days=400))
    wiring.store.close()
    return home


def daemon(home: Commands, at: datetime) -> None:
    """Let the daemon do one round by a clock that says `at`."""
    wiring = Wiring(home.folder, at)
    run_daemon(wiring, every=timedelta(seconds=1), port=0, rounds=1)
    wiring.store.close()


def parts(home: Commands) -> int:
    wiring = Wiring(home.folder, NOW)
    found = wiring.store.counts().parts
    wiring.store.close()
    return found


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.fault("clock that jumps")
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_below_the_daemon_erases_nothing_until_two_people_agree(
    home: Commands, jump: timedelta, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = NOW + jump
    daemon(home, wrong)
    assert '"stopped_by": "clock"' in capsys.readouterr().err
    assert parts(home) == 3
    asked = home("approve", "ask", "clock", f"{wrong:%Y-%m-%d}", "--by", "ann", "--reason", "right", "--json", at=wrong)
    assert asked.status == 0, asked.err
    daemon(home, wrong)
    assert parts(home) == 3, "one person is not two"
    assert home("approve", asked.json()["approval"], "--by", "ben", at=wrong).status == 0
    daemon(home, wrong)
    assert parts(home) == 0
