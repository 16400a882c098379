"""The steps make the tables that the code speaks of, in both databases, from wherever a database stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from tests.postgres_server import Server

from assent.store.migrate import _STEPS, NEWEST, migrate, step_of
from assent.store.schema import METADATA

OURS = "alembic_version"
CHILDREN = {
    "sqlite": set(),
    "postgresql": {
        ("add_fk", f"{child}_{column}_of_{parent}")
        for child, column, parent in [
            ("part", "conversation", "conversation"),
            ("flag", "conversation", "conversation"),
            ("candidate", "conversation", "conversation"),
            ("sealed", "part", "part"),
            ("content", "part", "part"),
        ]
    },
}
"""Foreign keys that only SQLite has (`child_of` in schema/base.py)."""


@pytest.fixture
def sqlite_blank(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'blank.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_blank(postgres: Server) -> Iterator[Engine]:
    name = postgres.blank()
    engine = create_engine(postgres.url.set(drivername="postgresql+psycopg", database=name))
    yield engine
    engine.dispose()
    postgres.drop(name)


@pytest.fixture(params=["postgres", "sqlite"])
def blank(request: pytest.FixtureRequest) -> Engine:
    """A database with nothing in it."""
    return request.getfixturevalue(f"{request.param}_blank")


def emptied(engine: Engine) -> None:
    with engine.begin() as connection:
        METADATA.drop_all(connection)


def shape(connection: Connection) -> dict[str, object]:
    """Everything that the database knows about its tables, in no order that the making of them left behind."""
    look = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in look.get_columns(table)
            },
            "key": look.get_pk_constraint(table),
            "others": sorted(map(plain, look.get_foreign_keys(table))),
            "unique": sorted(map(plain, look.get_unique_constraints(table))),
            "indexes": sorted(map(plain, look.get_indexes(table))),
            "checks": sorted(map(plain, look.get_check_constraints(table))),
            "kind": kind(connection, table),
            "triggers": triggers(connection, table),
        }
        for table in look.get_table_names()
        if table != OURS
    }


def plain(found: dict[str, object]) -> str:
    return json.dumps(found, sort_keys=True, default=str)


def kind(connection: Connection, table: str) -> list[str]:
    """What reflection leaves out: SQLite's words behind the table."""
    if connection.dialect.name != "sqlite":
        return []
    made = connection.scalar(text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t"), {"t": table})
    return [word for word in ("AUTOINCREMENT", "WITHOUT ROWID", "STRICT") if word in made]


def triggers(connection: Connection, table: str) -> list[str]:
    query = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t",
        "postgresql": "SELECT pg_get_triggerdef(made.oid) || prosrc FROM pg_trigger AS made"
        " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = CAST(:t AS regclass) AND NOT tgisinternal",
    }[connection.dialect.name]
    return sorted(connection.scalars(text(query), {"t": table}))


@contextmanager
def at(engine: Engine, step: str) -> Iterator[Connection]:
    """Bring the database to a step and look at it."""
    with engine.begin() as connection:
        migrate(connection, step)
    with engine.begin() as connection:
        yield connection


def test_the_migrations_make_the_schema(blank: Engine) -> None:
    with blank.begin() as connection:
        METADATA.create_all(connection)
    with blank.connect() as connection:
        wanted = shape(connection)
    emptied(blank)
    with at(blank, "head") as connection:
        made = shape(connection)
        assert made.keys() == wanted.keys()
        for table, found in made.items():
            assert found == wanted[table], table
        missing = compare_metadata(MigrationContext.configure(connection), METADATA)
        assert {(what, key.name) for what, key in missing} == CHILDREN[connection.dialect.name]
        assert {"choice", "tombstone", "leaf"} <= {table for table, found in made.items() if found["triggers"]}


def test_the_steps_lead_up_down_and_up_again(blank: Engine) -> None:
    with at(blank, "head") as connection:
        before = shape(connection)
        assert step_of(connection) == NEWEST
    with at(blank, "base") as connection:
        assert inspect(connection).get_table_names() == [OURS]
    steps = sorted(step.revision for step in ScriptDirectory(str(_STEPS)).walk_revisions())
    shapes = {}
    for step in steps:
        with at(blank, step) as connection:
            shapes[step] = shape(connection)
    assert shapes[NEWEST] == before
    for step in reversed(steps):
        with at(blank, step) as connection:
            assert shape(connection) == shapes[step], step


def test_choices_of_the_first_step_come_along_and_can_go_back(blank: Engine) -> None:
    said = "('c1', 's1', 'training', 'allow', 5, 'sha256:n', 'web', 'web', 6)"
    with at(blank, "0001") as connection:
        connection.execute(text(f"INSERT INTO choice VALUES {said}"))
    with at(blank, "head") as connection:
        row = connection.execute(text("SELECT * FROM choice")).mappings().one()
        first = ("id", "subject", "purpose", "act", "at", "notice", "surface", "recorded_by", "recorded_at")
        assert str(tuple(row[name] for name in first)) == said
        added = {name: value for name, value in row.items() if name not in first}
        assert added.pop("scope") == "everything"
        assert added.pop("target") is None
        assert set(added.values()) == {""}
    for step in ("0001", "head"):
        with at(blank, step) as connection:
            assert connection.scalar(text("SELECT count(*) FROM choice")) == 1
            with pytest.raises(Exception, match="choices are append-only"), connection.begin_nested():
                connection.execute(text("DELETE FROM choice"))
