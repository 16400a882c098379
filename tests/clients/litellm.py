"""A real LiteLLM proxy on the loopback, with its tables in a real PostgreSQL that its own migrations made."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.clients.models import Models
from tests.clients.programs import LITELLM
from tests.clients.running import Running, free_port, running
from tests.postgres_server import Server

KEY = "sk-2b1f0c57d8e94a36b7c1"
ROWS_S = 90


@dataclass
class Proxy:
    """A running proxy, and where its database is."""

    address: str
    database: str
    folder: Path
    program: Running

    def post(self, path: str, body: Mapping[str, Any], session: str = "", **headers: str) -> httpx.Response:
        """Call it with the master key, in a session if one is named."""
        sent = {"Authorization": f"Bearer {KEY}", **({"x-litellm-session-id": session} if session else {}), **headers}
        return httpx.post(f"{self.address}{path}", json=body, headers=sent, timeout=60)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask its database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            done = connection.execute(query, values)
            return done.fetchall() if done.description else []

    def wait_for_rows(self, session: str, count: int) -> None:
        """Wait until so many requests of a session are in its log, which it writes later."""
        until = time.monotonic() + ROWS_S
        query = 'SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE session_id = %s'
        while (found := self.rows(query, session)[0][0]) < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{found} of {count} requests of a session are in the log after {ROWS_S} s")
            time.sleep(0.2)


def migrated(server: Server) -> str:
    """Make a database as the migrations that come with the proxy make it; returns its address."""
    address = server.address(server.blank())
    steps = LITELLM.home.glob("lib/python3*/site-packages/litellm_proxy_extras/migrations/*/migration.sql")
    with psycopg.connect(address, autocommit=True) as connection:
        for step in sorted(steps):
            connection.execute(step.read_text("utf-8"))
    return address


@contextmanager
def litellm(folder: Path, models: Models, database: str, **settings: Any) -> Iterator[Proxy]:
    """Run the proxy on a free port; its configuration and log lie in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    service = {"api_base": f"{models.address}/v1", "api_key": "none"}
    nobody = {"api_base": "http://127.0.0.1:9/v1", "api_key": "none", "max_retries": 0}
    told = {
        "model_list": [
            {"model_name": "echo", "litellm_params": {"model": "openai/echo", **service}},
            {"model_name": "nobody", "litellm_params": {"model": "openai/echo", **nobody}},
        ],
        "general_settings": {
            "master_key": KEY,
            "store_prompts_in_spend_logs": True,
            "proxy_batch_write_at": 1,
            "user_header_name": "x-openwebui-user-id",
        },
        "router_settings": {"num_retries": 0},
        "litellm_settings": {"num_retries": 0, **settings},
    }
    (folder / "config.yaml").write_text(json.dumps(told))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = LITELLM.environment() | {
        "DATABASE_URL": database,
        "DISABLE_SCHEMA_UPDATE": "true",
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "NO_DOCS": "True",
    }
    serve = [LITELLM.home / "bin" / "litellm", "--config", folder / "config.yaml", "--host", "127.0.0.1"]
    with running([*serve, "--port", str(port)], environment, folder, folder.with_suffix(".log")) as program:
        program.wait_for(lambda: httpx.get(f"{address}/health/readiness", timeout=5).json().get("db") == "connected")
        yield Proxy(address, database, folder, program)
