"""Phoenix keeps every promise of a connector, on both of its databases, searched byte by byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests import postgres_server
from tests.conformance.connectors.kit import LyingPromises, Promises, WatchPromises
from tests.conformance.connectors.phoenix_worlds import (
    EXAMPLES,
    LOGS,
    SESSIONS,
    SPANS,
    TABLES,
    PostgresPhoenix,
    SqlitePhoenix,
)

from assent.connectors.port import state_of
from assent.domain.errors import Invalid


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    """A server of our own: its write-ahead log holds nobody else's words."""
    with postgres_server.starting("fsync=off", "min_wal_size=32MB", "max_wal_size=64MB") as found:
        yield found


class TestSqlitePhoenix(Promises, LyingPromises, WatchPromises):
    many = 60

    @pytest.fixture
    def world(self, tmp_path: Path) -> SqlitePhoenix:
        return SqlitePhoenix(tmp_path)


@pytest.mark.deep
class TestPostgresPhoenix(Promises, WatchPromises):
    many = 150

    @pytest.fixture
    def world(self, tmp_path: Path, server: postgres_server.Server, socket_enabled: None) -> Iterator[PostgresPhoenix]:
        world = PostgresPhoenix(tmp_path, server)
        yield world
        world.give_back()


def test_what_experiments_made_of_a_session_goes_with_it_and_nothing_else(tmp_path: Path) -> None:
    world = SqlitePhoenix(tmp_path)
    gone, kept = world.seed(2)
    found = {copy.kind: copy.note for copy in world.product().copies([gone.id])[gone.id]}
    assert found["traces of experiments"] == "2"
    assert found["rows of dataset_example_revisions"] == "2 rows"
    world.product().erase([gone.id], maintenance=True)
    with world.engine().begin() as connection:
        left = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (SESSIONS, SPANS, EXAMPLES, LOGS)
        }
    assert left == {"project_sessions": 1, "spans": 4, "dataset_examples": 1, "experiment_logs": 2}
    assert sum(world.bytes_left([gone.marker]).values()) == 0
    assert sum(world.bytes_left([kept.marker]).values()) > 0


def test_deleting_a_session_as_phoenix_does_leaves_its_examples(tmp_path: Path) -> None:
    world = SqlitePhoenix(tmp_path)
    (one,) = world.seed(1)
    world.delete(one.id)
    assert sum(world.bytes_left([one.marker]).values()) > 0
    assert state_of(world.product().copies([one.id])[one.id]) == "removed"
    assert "examples whose span was deleted before" in world.product().reach


def test_a_newer_phoenix_with_a_table_that_refers_to_spans_is_refused_until_it_is_known(tmp_path: Path) -> None:
    world = SqlitePhoenix(tmp_path)
    (one,) = world.seed(1)
    with world.engine().begin() as connection:
        connection.exec_driver_sql("CREATE TABLE span_shadows (id INTEGER, span INTEGER REFERENCES spans (id), text)")
    with pytest.raises(Invalid, match="span_shadows"):
        world.product().copies([one.id])


def test_spans_that_cannot_be_read_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    world = SqlitePhoenix(tmp_path)
    (one,) = world.seed(1)
    with world.engine().begin() as connection:
        odd = {"llm": {"input_messages": [{"message": {"role": "wizard", "content": "abracadabra"}}]}}
        connection.execute(sa.update(SPANS).where(SPANS.c.trace_rowid == 10).values(attributes=odd))
    conversation, malformed = world.product().read([one.id])
    assert one.marker in str(conversation)
    assert "abracadabra" not in str(malformed)


def test_the_world_has_every_table_of_the_mapping() -> None:
    from assent.connectors.phoenix.product import _MAPPING

    mapped = {one["table"] for kind in ("messages", "copies") for one in _MAPPING[kind]}
    assert mapped <= set(TABLES.tables)
