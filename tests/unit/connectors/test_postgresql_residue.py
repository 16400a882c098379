"""What PostgreSQL keeps of rows that are gone: in its files, whatever a role is allowed to see."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import Engine
from tests.postgres_server import Server
from tests.unit.connectors.litellm.litellm_world import raw_bytes

from assent.connectors.port import Copy
from assent.connectors.postgresql import DEAD_ROWS, LOG, STATISTICS, Mark, engine_options, look, mark, tidy

pytestmark = pytest.mark.enable_socket

WORD = "marker0000001q"
TABLE = 'said "%s" here'
QUOTED = '"said ""%s"" here"'


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """A table of short texts, analysed, so that samples of it lie in pg_statistic; its owner is no superuser."""
    name = postgres.blank()
    with psycopg.connect(postgres.address(name), autocommit=True) as connection:
        connection.execute(f"create table {QUOTED} (id integer, words jsonb)".replace("%", "%%"), ())
        for number in range(20):
            values = (number, Jsonb({"text": f"{WORD} {number}"}))
            connection.execute(f"insert into {QUOTED} values (%s, %s)".replace('"%s"', '"%%s"'), values)
        connection.execute("drop role if exists residue_owner")
        connection.execute("create role residue_owner login")
        connection.execute(f"alter table {QUOTED} owner to residue_owner".replace("%", "%%"), ())
        connection.execute("vacuum analyze")
    yield name
    with psycopg.connect(postgres.address(name), autocommit=True) as connection:
        connection.execute("drop owned by residue_owner")
        connection.execute("drop role residue_owner")
    postgres.drop(name)


def engine(postgres: Server, database: str, **more: str) -> Engine:
    return create_engine(
        postgres.url.set(database=database, drivername="postgresql+psycopg", **more), **engine_options()
    )


def erased(connection: Connection) -> Mark:
    connection.execute(text(f"delete from {QUOTED}"))
    return mark(connection, [TABLE, "never there"])


def states(copies: list[Copy]) -> dict[str, str]:
    return {copy.kind: copy.state for copy in copies}


def left(postgres: Server, database: str) -> int:
    found = raw_bytes(postgres, database)
    return sum(content.count(WORD.encode()) for place, content in found if place == "database")


def test_an_emptied_table_leaves_its_words_in_its_file_and_in_samples_until_both_are_rewritten(
    postgres: Server, database: str
) -> None:
    made = engine(postgres, database)
    with made.begin() as connection:
        since = erased(connection)
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        found, since = look(connection, since, log_files=False)
        assert states(found) == {DEAD_ROWS: "pending maintenance", STATISTICS: "pending maintenance"}
        connection.exec_driver_sql("vacuum")  # as the server does by itself
        assert states(look(connection, since, log_files=False)[0])[STATISTICS] == "pending maintenance"
        assert left(postgres, database) > 0
        (since,) = tidy(connection, [TABLE], [since], log_files=False)
        assert set(states(look(connection, since, log_files=False)[0]).values()) == {"removed"}
    assert left(postgres, database) == 0


def test_rows_that_somebody_unseen_may_still_read_are_not_called_gone(postgres: Server, database: str) -> None:
    owner = engine(postgres, database, username="residue_owner")
    with closing(psycopg.connect(postgres.address(database), autocommit=True)) as reader:
        reader.execute("begin isolation level repeatable read")
        reader.execute("select count(*) from pg_class")  # a snapshot that the owner's role may not see
        with owner.begin() as connection:
            since = erased(connection)
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            (since,) = tidy(connection, [TABLE], [since], log_files=False)
            assert states(look(connection, since, log_files=False)[0])[DEAD_ROWS] == "pending maintenance"
        assert left(postgres, database) > 0
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        (since,) = tidy(connection, [TABLE], [since], log_files=False)
        assert states(look(connection, since, log_files=False)[0]) == {DEAD_ROWS: "removed"}


def test_a_role_that_is_no_superuser_is_told_what_it_cannot_look_at(postgres: Server, database: str) -> None:
    owner = engine(postgres, database, username="residue_owner")
    with owner.begin() as connection:
        since = erased(connection)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        (since,) = tidy(connection, [TABLE], [since])
        found = {copy.kind: copy for copy in look(connection, since)[0]}
    assert found[DEAD_ROWS].state == "removed"
    assert "superuser" in found[STATISTICS].note
    assert "pg_read_server_files" in found[LOG].note


def test_a_table_that_is_dropped_or_emptied_in_one_step_is_clean(postgres: Server, database: str) -> None:
    for statement in (f"truncate {QUOTED}", f"drop table {QUOTED}"):
        made = engine(postgres, database)
        with made.begin() as connection:
            since = erased(connection)
        with made.begin() as connection:
            connection.execute(text(statement))
        with made.connect() as connection:
            assert states(look(connection, since, log_files=False)[0])[DEAD_ROWS] == "removed"
