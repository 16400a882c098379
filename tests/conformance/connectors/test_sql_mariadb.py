"""Somebody's own tables keep every promise of a connector on a real MariaDB, where one is found."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from tests import mariadb_server
from tests.conformance.connectors.kit import Promises, WatchPromises
from tests.conformance.connectors.sql_worlds import MariaDbWorld

from assent.connectors.port import Listed, state_of
from assent.connectors.sql.product import Settings, SqlProduct, connect
from assent.domain.conversation import Conversation


@pytest.fixture(scope="module")
def server() -> Iterator[mariadb_server.MariaDb]:
    with mariadb_server.running() as found:
        yield found


class TestMariaDb(Promises, WatchPromises):
    many = 300

    @pytest.fixture
    def world(self, tmp_path: Path, server: mariadb_server.MariaDb, socket_enabled: None) -> Iterator[MariaDbWorld]:
        world = MariaDbWorld(tmp_path, server)
        yield world
        world.give_back()


TABLES = """
CREATE TABLE chat (id VARCHAR(50), person VARCHAR(50), begun DATETIME(3));
CREATE TABLE message (id INT PRIMARY KEY, chat_id VARCHAR(50), role VARCHAR(9), body LONGTEXT, at TIMESTAMP(6));
CREATE TABLE `rating %s` (number INT, said INT);
INSERT INTO chat VALUES ('café', 'p1', '2026-01-01 10:00:00'), ('CAFE', 'p2', NULL), ('cafe ', 'p3', NULL);
INSERT INTO message VALUES (1, 'café', 'user', 'alpha', '2026-01-01 10:00:00'), (2, 'CAFE', 'user', 'beta', NOW()),
    (3, 'cafe ', 'user', 'gamma', NOW());
INSERT INTO `rating %s` VALUES (5, 1), (4, 2), (3, 3)
"""
MAPPING = """
conversations = { table = "chat", id = "id", owner = "person", created_at = "begun" }
messages = [
    { table = "message", conversation = "chat_id", id = "id", role = "role", content = "body", created_at = "at" },
]
copies = [{ table = "rating %s", on = { said = "message.id" } }]
"""


@pytest.fixture
def cafes(tmp_path: Path, server: mariadb_server.MariaDb, socket_enabled: None) -> SqlProduct:
    """Three conversations whose ids the database takes for equal."""
    address = server.address(server.blank())
    with sa.create_engine(address, poolclass=NullPool).begin() as connection:
        for statement in TABLES.split(";"):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    (tmp_path / "mapping.toml").write_text(MAPPING)
    where = address.set(drivername="mariadb").render_as_string()
    settings = Settings(name="own", folder=tmp_path / "own", database=where, mapping=tmp_path / "mapping.toml")
    return connect(settings, Path.read_text)


def test_ids_that_the_database_takes_for_equal_are_told_apart(cafes: SqlProduct) -> None:
    listed = {one.id: one for one in cafes.list() if isinstance(one, Listed)}
    assert {name: one.owner for name, one in listed.items()} == {"café": "p1", "CAFE": "p2", "cafe ": "p3"}
    assert listed["café"].last_turn_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    cafes.erase(["cafe", "Café", "cafe  "])
    assert len(list(cafes.list())) == 3
    assert state_of(cafes.erase(["CAFE"], maintenance=True)["CAFE"]) == "removed"
    texts = {one.id: one.parts[0].text for one in cafes.read(list(listed)) if isinstance(one, Conversation)}
    assert texts == {"own:café": "alpha", "own:cafe ": "gamma"}
    assert state_of(cafes.copies(["café"])["café"]) == "present"


def test_a_number_with_something_behind_it_is_no_number(cafes: SqlProduct) -> None:
    engine = cafes._database._engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE `rating %%s`")
        connection.exec_driver_sql("ALTER TABLE chat DROP id, ADD id BIGINT PRIMARY KEY AUTO_INCREMENT")
        connection.exec_driver_sql("ALTER TABLE message DROP chat_id, ADD chat_id BIGINT")
        connection.exec_driver_sql("UPDATE message SET chat_id = id")
    mapping = cafes._settings.mapping
    mapping.write_text(MAPPING.rpartition("copies")[0])
    product = connect(cafes._settings, Path.read_text)
    product.erase(["1x", "01", "1.0", "1 ", "1e0", "x", ""])
    assert sorted(one.id for one in product.list()) == ["1", "2", "3"]
    assert len(list(product.read(["1", "2", "3"]))) == 3
    assert state_of(product.erase(["1"], maintenance=True)["1"]) == "removed"
