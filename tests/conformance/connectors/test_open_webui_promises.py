"""Open WebUI keeps the promises of every connector, on the tables of the real product, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres_server
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.open_webui_world import OpenWebUiWorld

pytestmark = pytest.mark.enable_socket


class TestOpenWebUi(Promises, LyingPromises, WatchPromises):
    many = 40

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[OpenWebUiWorld]:
        world = OpenWebUiWorld(tmp_path)
        yield world
        world.close()


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    """A server of our own: its write-ahead log holds nobody else's words."""
    with postgres_server.starting("fsync=off", "min_wal_size=32MB", "max_wal_size=64MB") as found:
        yield found


@pytest.fixture
def on_postgres(tmp_path: Path, server: postgres_server.Server) -> Iterator[OpenWebUiWorld]:
    world = OpenWebUiWorld(tmp_path, server)
    yield world
    world.close()


@pytest.mark.deep
class TestOpenWebUiOnPostgres(Promises, LyingPromises, WatchPromises):
    many = 40

    @pytest.fixture
    def world(self, on_postgres: OpenWebUiWorld) -> OpenWebUiWorld:
        return on_postgres


def test_on_postgres_what_is_reported_as_removed_left_no_byte(on_postgres: OpenWebUiWorld) -> None:
    Promises().test_what_is_reported_as_removed_left_no_byte_and_the_rest_is_pending(on_postgres)
