"""`assent sweep --daemon` as systemd runs it: a process, a port on loopback, a signal, and no second one on SQLite."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.guard_world import GuardWorld
from tests.unit.interfaces.homes import program

from assent.interfaces.cli.init import make_home
from assent.wiring import Wiring

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which two parts have been due for long."""
    folder = tmp_path / "home"
    made = make_home(Wiring(), folder, ("anthropic/2025-10-08",))
    GuardWorld(folder, made.store).keep(2, datetime.now(UTC) - timedelta(days=400))
    made.store.close()
    return folder


def command(home: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "assent", "sweep", "--daemon", "--every", "PT1S", *options],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ASSENT_HOME": str(home)},
    )


@contextmanager
def sweeping(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the daemon; give the process and the address of its health."""
    with command(home) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("sweeping, parts 16 days ahead of their end; health at http://127.0.0.1:"), line
            yield process, line.split()[-1].removesuffix("/healthz")
        finally:
            if process.poll() is None:
                process.kill()


def said(process: subprocess.Popen[str]) -> dict[str, object]:
    """Read the line of the next round."""
    assert process.stderr is not None
    found: dict[str, object] = json.loads(process.stderr.readline())
    return found


def test_it_sweeps_tells_how_it_is_and_ends_when_told(home: Path) -> None:
    with sweeping(home) as (process, address):
        first = said(process)
        assert (first["stage"], first["erased"], first["overdue"]) == ("whole", 2, 0)
        assert said(process)["stage"] == "idle"
        assert httpx.get(f"{address}/healthz").json() == {"well": True, "problems": []}
        found = httpx.get(f"{address}/metrics")
        assert found.headers["content-type"].startswith("text/plain")
        values = {
            sample.name: sample.value
            for family in text_string_to_metric_families(found.text)
            for sample in family.samples
            if not sample.labels
        }
        assert values["assent_erased_parts_total"] == 2
        assert (values["assent_overdue_parts"], values["assent_oldest_overdue_seconds"]) == (0, 0)
        assert (values["assent_open_erasures"], values["assent_lease_lost_total"]) == (0, 0)
        assert values["assent_round_seconds_count"] >= 2
        assert httpx.get(f"{address}/").status_code == 404
        with command(home) as second:
            out, err = second.communicate(timeout=60)
        assert (second.returncode, out) == (2, "")
        assert "another daemon sweeps this store already" in err
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "stopped\n")
    assert "Traceback" not in err
    status = subprocess.run(
        [sys.executable, "-m", "assent", "status", "--json"],
        env={**os.environ, "ASSENT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["sweeping"]["well"] is True


def test_a_guard_that_stops_it_shows_in_health_and_metrics(home: Path) -> None:
    with (home / "assent.toml").open("a") as settings:
        settings.write("guard_floor_parts = 1\n")
    with sweeping(home) as (process, address):
        assert said(process)["stopped_by"] == "share policy"
        answer = httpx.get(f"{address}/healthz")
        assert answer.status_code == 503
        assert "2 parts are overdue" in answer.json()["problems"][0]
        trips = [
            (sample.labels["guard"], sample.value)
            for family in text_string_to_metric_families(httpx.get(f"{address}/metrics").text)
            for sample in family.samples
            if sample.name == "assent_guard_trips_total"
        ]
        assert {guard for guard, times in trips if times} == {"share", "policy"}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("every", ["PT13H", "P0D", "soon"])
def test_a_pause_that_no_guard_could_watch_is_refused(home: Path, every: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assent", "sweep", "--daemon", "--every", every],
        env={**os.environ, "ASSENT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["serve", "sweep"])
def test_a_unit_of_systemd_starts_what_there_is_and_systemd_reads_it(name: str, tmp_path: Path) -> None:
    unit = (REPOSITORY / "deploy" / f"assent-{name}.service").read_text("utf-8")
    started = next(line for line in unit.splitlines() if line.startswith("ExecStart=/usr/bin/env assent "))
    options = started.removeprefix("ExecStart=/usr/bin/env assent ").split()
    known = program(options[0], "--help", cwd=tmp_path).stdout
    assert all(option in known for option in options if option.startswith("--"))
    assert "KillSignal=SIGTERM" in unit
    if (analyse := shutil.which("systemd-analyze")) is None:
        return
    (tmp_path / f"assent-{name}.service").write_text(unit)
    command = [analyse, "verify", "--man=no", "--recursive-errors=no", str(tmp_path / f"assent-{name}.service")]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    ours = [line for line in said.stderr.splitlines() if f"assent-{name}.service" in line]
    assert ours == []
