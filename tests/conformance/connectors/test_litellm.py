"""LiteLLM's database on a real PostgreSQL keeps every promise of a connector, searched byte by byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres_server
from tests.conformance.connectors.kit import LyingPromises, Promises
from tests.unit.connectors.litellm.litellm_world import LitellmWorld


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    """A server of our own: its write-ahead log holds nobody else's words, and reuses its files as it does by itself."""
    with postgres_server.starting("fsync=off", "min_wal_size=32MB", "max_wal_size=64MB") as found:
        yield found


class TestLiteLlm(Promises, LyingPromises):
    many = 100

    @pytest.fixture
    def world(self, tmp_path: Path, server: postgres_server.Server, socket_enabled: None) -> Iterator[LitellmWorld]:
        world = LitellmWorld(server, tmp_path)
        yield world
        server.drop(world.name)
