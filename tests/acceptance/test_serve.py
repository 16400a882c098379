"""`assent serve` as an operator runs it: a process of its own, a real port, stopped by a signal; SCIM's own tester."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from scim2_client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from assent.interfaces.cli.app import run
from assent.interfaces.cli.init import make_home
from assent.services.tokens import add_token
from assent.wiring import Wiring

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve") / "home"
    make_home(Wiring(), folder, ("anthropic/2025-10-08",)).store.close()
    return folder


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server on a free port; give the process and the address that it printed."""
    command = [sys.executable, "-m", "assent", "serve", "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ASSENT_HOME": str(home)},
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving at http://127.0.0.1:"), line
            yield process, line.split()[-1]
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_serves_and_stops_when_told(home: Path, number: int) -> None:
    with serving(home) as (process, address):
        assert httpx.get(f"{address}/healthz").json() == {"well": True}
        assert "server" not in httpx.get(f"{address}/openapi.json").headers
        process.send_signal(number)
        out, record = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == "stopped\n"
    assert '"route":"/healthz"' in record
    assert "Traceback" not in record


def test_head_is_answered_like_get_and_nothing_goes_wrong_behind_it(home: Path) -> None:
    with serving(home) as (process, address):
        for path in ("/healthz", "/sign-in", "/static/assent.css"):
            answer = httpx.head(f"{address}{path}")
            assert (answer.status_code, answer.content) == (200, b"")
            assert int(answer.headers["content-length"]) > 0
        process.send_signal(signal.SIGTERM)
        _, record = process.communicate(timeout=30)
    assert record.count('"method":"HEAD"') == 3
    assert "mistake" not in record


def test_a_body_over_the_limit_ends_the_connection(home: Path) -> None:
    with serving(home) as (_, address):
        answer = httpx.post(f"{address}/v1/agent/x", content=b"x" * 1_100_000)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_it_listens_to_other_machines_only_behind_a_proxy(
    home: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "--host", host], Wiring(home)) == 2
    assert "--behind-proxy" in capsys.readouterr().err


class Client(BaseSyncSCIMClient):
    """The tester's client over httpx."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return self.client.base_url.host == "127.0.0.1" and "://" not in endpoint

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self.client.request(method, url.lstrip("/"), **options)


def test_every_check_of_scim2_tester_is_green(home: Path) -> None:
    wiring = Wiring(home)
    token = add_token(wiring.store, "tester", "directory", key=wiring.new_key(), now=wiring.now())
    with (
        serving(home) as (_, address),
        httpx.Client(base_url=f"{address}/scim/v2/", headers={"authorization": f"Bearer {token}"}) as client,
    ):
        results = check_server(Client(client))
    wiring.store.close()
    assert [(found.title, found.reason) for found in results if found.status is not Status.SUCCESS] == []
    assert len(results) >= 48
