"""Somebody's own tables keep every promise of a connector, on SQLite and PostgreSQL, searched byte by byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres_server
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.sql_worlds import PostgresWorld, SqliteWorld

from assent.connectors.port import state_of


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    """A server of our own: its write-ahead log holds nobody else's words."""
    with postgres_server.starting("fsync=off", "min_wal_size=32MB", "max_wal_size=64MB") as found:
        yield found


class TestSqlite(Promises, WatchPromises, LyingPromises):
    many = 150

    @pytest.fixture
    def world(self, tmp_path: Path) -> SqliteWorld:
        return SqliteWorld(tmp_path)


class TestPostgres(Promises, LyingPromises):
    many = 60

    @pytest.fixture
    def world(self, tmp_path: Path, server: postgres_server.Server, socket_enabled: None) -> Iterator[PostgresWorld]:
        world = PostgresWorld(tmp_path, server)
        yield world
        world.give_back()


def test_the_write_ahead_log_lets_go_too(tmp_path: Path, server: postgres_server.Server, socket_enabled: None) -> None:
    world = PostgresWorld(tmp_path, server, log_files=True)
    one, other = world.seed(2)
    assert world.bytes_left([one.marker])["log"] > 0
    assert state_of(world.product().erase([one.id])[one.id]) == "pending maintenance"
    assert state_of(world.product().erase([one.id], maintenance=True)[one.id]) == "removed"
    assert not sum(world.bytes_left([one.marker]).values())
    assert world.bytes_left([other.marker])["database"] > 0
    world.give_back()


@pytest.mark.deep
class TestManyOnSqliteWithAJournalThatStays(Promises):
    """The large run, where the product keeps a rollback journal instead of a write-ahead log."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> SqliteWorld:
        return SqliteWorld(tmp_path, journal="persist")


@pytest.mark.deep
class TestManyOnPostgres(Promises, WatchPromises):
    """The large run on a server."""

    @pytest.fixture
    def world(self, tmp_path: Path, server: postgres_server.Server, socket_enabled: None) -> Iterator[PostgresWorld]:
        world = PostgresWorld(tmp_path, server, log_files=True)
        yield world
        world.give_back()
