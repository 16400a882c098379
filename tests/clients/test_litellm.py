"""A real LiteLLM 1.106.2 on PostgreSQL: what was said is gone to the last byte, what was billed is not.

The proxy writes through its own code and Prisma's engine, in the build that npm has of it (WebAssembly).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import postgres_server
from tests.clients.homes import home_in
from tests.clients.litellm import Proxy, litellm, migrated
from tests.clients.litellm_seed import Sessions, seed
from tests.clients.models import Models
from tests.clients.words import Word, look, table

pytestmark = [pytest.mark.clients, pytest.mark.enable_socket, pytest.mark.usefixtures("_litellm_built")]

Tell = Callable[[str], None]
NAME = "gateway"
BILLED = (
    'request_id, api_key, spend, total_tokens, prompt_tokens, completion_tokens, "startTime", "endTime", model,'
    ' model_group, "user", end_user, team_id, request_tags, status'
)


@pytest.fixture(scope="module")
def _server() -> Iterator[postgres_server.Server]:
    with postgres_server.starting("fsync=off") as server:
        yield server


@pytest.fixture(scope="module")
def proxy(
    _server: postgres_server.Server, tmp_path_factory: pytest.TempPathFactory, service: Models
) -> Iterator[Proxy]:
    """A proxy with an empty log."""
    database = migrated(_server)
    with litellm(tmp_path_factory.mktemp("litellm") / "proxy", service, database) as running:
        yield running


@pytest.fixture
def places(_server: postgres_server.Server, proxy: Proxy) -> list[Path]:
    """Where every byte of it lies."""
    return [Path(_server.url.query["host"]) / "data", proxy.folder]


def kept(proxy: Proxy, sessions: Sessions) -> dict[str, list[Any]]:
    """Give every row of every table that names a session that stays, or a word of it."""
    stays = [*sessions.kept, *(word.text for word in sessions.words.of(doomed=False))]
    named = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    rows: dict[str, list[Any]] = {}
    for (name,) in proxy.rows(named):
        found = proxy.rows(f'SELECT t::text FROM "{name}" t')
        rows[name] = sorted(row for (row,) in found if any(one in row for one in stays))
    return {name: found for name, found in rows.items() if found}


def bills(proxy: Proxy, sessions: Sessions) -> list[tuple[Any, ...]]:
    """Give what bills are made of, for every session."""
    both = [*sessions.doomed, *sessions.kept]
    return proxy.rows(f'SELECT {BILLED} FROM "LiteLLM_SpendLogs" WHERE session_id = ANY(%s) ORDER BY 1', both)


def found_in(places: list[Path], proxy: Proxy, sessions: Sessions) -> dict[Word, list[str]]:
    proxy.rows("CHECKPOINT")
    return look(places, sessions.words.of(doomed=True))


def test_deleting_the_rows_of_the_log_leaves_words_behind(proxy: Proxy, places: list[Path], tell: Tell) -> None:
    sessions = seed(proxy, "naive", pairs=1)
    proxy.rows('DELETE FROM "LiteLLM_SpendLogs" WHERE session_id = ANY(%s)', sessions.doomed)
    proxy.rows('VACUUM "LiteLLM_SpendLogs"')
    left, of = found_in(places, proxy, sessions), sessions.words.of(doomed=True)
    tell(f"litellm, deleting rows and VACUUM leaves {len(left)} of {len(of)} words\n{table(left, of)}")
    assert len(left) > len(of) / 2


def test_nothing_is_left_of_what_was_said_and_everything_of_what_was_billed(
    proxy: Proxy, places: list[Path], tmp_path: Path, tell: Tell
) -> None:
    began = time.monotonic()
    sessions = seed(proxy, "erased")
    words = sessions.words.of(doomed=True)
    assert len(found_in(places, proxy, sessions)) == len(words)
    tell(f"litellm: {len(words)} words in {len(sessions.doomed)} sessions, seeded in {time.monotonic() - began:.0f} s")
    stays, billed = kept(proxy, sessions), bills(proxy, sessions)

    assent, address, ids = home_in(tmp_path), tmp_path / "address", tmp_path / "due.txt"
    address.write_text(proxy.database)
    ids.write_text("".join(f"{session}\n" for session in sessions.doomed))
    assent("connect", "litellm", "--name", NAME, "--database-file", address)
    began = time.monotonic()
    told = assent("connector", "erase", NAME, "--ids", ids, "--yes", "--json", expect=4)
    online_s = time.monotonic() - began
    assert "pending maintenance" in told
    assent("connector", "verify", NAME, "--ids", ids, expect=4)
    pending = found_in(places, proxy, sessions)
    assert pending
    began = time.monotonic()
    assent("connector", "erase", NAME, "--maintenance", "--ids", ids, "--yes")
    maintenance_s = time.monotonic() - began
    left = found_in(places, proxy, sessions)
    tell(
        f"litellm: online {online_s:.1f} s, then {len(pending)} words left until maintenance, {maintenance_s:.1f} s, "
        f"then {len(left)} of {len(words)}\n{table(left, left)}"
    )
    assert not left, table(left, left)
    assert kept(proxy, sessions) == stays
    assert bills(proxy, sessions) == billed
    assert proxy.post(
        "/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": "well?"}]}
    ).is_success
    assent("connector", "verify", NAME, "--ids", ids)
