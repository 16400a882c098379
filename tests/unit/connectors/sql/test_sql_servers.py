"""What only a PostgreSQL has: types of its own, names with odd characters, parts of tables, views that keep rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from own_tables import PLAIN
from tests.postgres_server import Server

from assent.connectors.port import Listed, state_of
from assent.connectors.sql.product import Settings, SqlProduct, connect
from assent.domain.conversation import Conversation
from assent.domain.errors import AssentError, Invalid

ONE, OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"

TABLES = f"""
CREATE TYPE speaker AS ENUM ('user', 'assistant');
CREATE SCHEMA "Odd %s";
SET search_path = "Odd %s";
CREATE TABLE "Chat %s" (id uuid PRIMARY KEY, "Per son" uuid, begun timestamptz);
CREATE TABLE message (chat_id uuid REFERENCES "Chat %s", id bigint, role public.speaker, body jsonb, at timestamp,
    note text, PRIMARY KEY (chat_id, id)) PARTITION BY HASH (chat_id);
CREATE TABLE message_0 PARTITION OF message FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE message_1 PARTITION OF message FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE mark (chat_id uuid, number bigint, stars int, said text,
    FOREIGN KEY (chat_id, number) REFERENCES message (chat_id, id));
INSERT INTO "Chat %s" VALUES ('{ONE}', '{OTHER}', '2026-01-01 10:00Z'), ('{OTHER}', NULL, NULL);
INSERT INTO message VALUES ('{ONE}', 1, 'user', '"alpha"', '2026-01-01 10:00'),
    ('{ONE}', 2, 'assistant', '[{{"type": "text", "text": "alpha"}}]', '2026-01-01 10:01'),
    ('{OTHER}', 1, 'user', '"beta"', '2026-01-02 10:00');
INSERT INTO mark VALUES ('{ONE}', 1, 5, 'alpha'), ('{OTHER}', 1, 4, 'beta');
"""
MAPPING = PLAIN.replace('"chat"', '"Chat %s"').replace('"person"', '"Per son"') + '[[copies]]\ntable = "mark"\n'


class _Tables:
    def __init__(self, server: Server, tmp: Path) -> None:
        self.name, self._server, self._tmp = server.blank(), server, tmp
        self.run(TABLES)
        (tmp / "mapping.toml").write_text(MAPPING)

    def run(self, script: str) -> list[Any]:
        with psycopg.connect(self._server.address(self.name), autocommit=True) as connection:
            done = connection.execute(script)
            return done.fetchall() if done.description else []

    def product(self) -> SqlProduct:
        where = {"database": self._server.address(self.name), "db_schema": "Odd %s", "log_files": False}
        settings = Settings(name="own", folder=self._tmp / "own", mapping=self._tmp / "mapping.toml", **where)
        return connect(settings, Path.read_text)


@pytest.fixture
def tables(postgres: Server, tmp_path: Path, socket_enabled: None) -> Iterator[_Tables]:
    made = _Tables(postgres, tmp_path)
    yield made
    postgres.drop(made.name)


def test_uuids_and_keys_of_two_columns_in_a_schema_with_an_odd_name(tables: _Tables) -> None:
    listed = {one.id: one for one in tables.product().list() if isinstance(one, Listed)}
    assert {one: listed[one].owner for one in listed} == {ONE: OTHER, OTHER: None}
    (found,) = tables.product().read([ONE])
    assert isinstance(found, Conversation)
    assert [part.text for part in found.parts] == ["alpha", "alpha"]
    assert not list(tables.product().read([ONE.upper(), ONE.replace("-", ""), "x", f"{ONE} ", f"{{{ONE}}}"]))
    odd = [ONE.upper(), ONE.replace("-", ""), "1", "\0", "\ud800"]
    assert {state_of(copies) for copies in tables.product().erase(odd).values()} == {"removed"}
    assert len(list(tables.product().list())) == 2
    assert state_of(tables.product().erase([ONE])[ONE]) == "pending maintenance"
    assert state_of(tables.product().erase([ONE], maintenance=True)[ONE]) == "removed"
    assert tables.run('SELECT said FROM "Odd %s".mark') == [("beta",)]
    assert tables.run('SELECT body FROM "Odd %s".message') == [("beta",)]


def test_a_view_that_keeps_what_it_found_has_to_be_mapped(tables: _Tables) -> None:
    tables.run('CREATE MATERIALIZED VIEW "Odd %s".kept AS SELECT body FROM "Odd %s".message')
    with pytest.raises(Invalid, match="`kept` keeps what a query found"):
        list(tables.product().list())


def test_rows_that_another_program_holds_are_waited_for_and_then_said(
    tables: _Tables, monkeypatch: pytest.MonkeyPatch, postgres: Server
) -> None:
    monkeypatch.setattr("assent.connectors.sql.database.LOCK_S", 1)
    with psycopg.connect(postgres.address(tables.name)) as other:
        other.execute('SELECT * FROM "Odd %s".message FOR UPDATE')
        with pytest.raises(AssentError, match="another program"):
            tables.product().erase([ONE])
    assert state_of(tables.product().copies([ONE])[ONE]) == "present"
