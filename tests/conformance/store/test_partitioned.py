"""Tombstones in partitions, as docs/how-to/scale-postgresql.md makes them, are the same store; other tables refuse."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import UniqueConstraint, create_engine
from tests.conformance.store import partitioned
from tests.conformance.store.samples import day, sweep_all, talk
from tests.conformance.store.test_schema import CHILDREN
from tests.postgres_server import Server
from tests.vaults import vault_in

from assent.store.migrate import migrate, step_of
from assent.store.postgres import PostgresStore
from assent.store.postgres.database import Database
from assent.store.records import Page
from assent.store.schema import METADATA

REPOSITORY = Path(__file__).resolve().parents[3]
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", partitioned.GUIDE.read_text("utf-8"), re.MULTILINE)


@pytest.fixture
def address(postgres: Server, tmp_path: Path) -> Iterator[str]:
    """A store in which something was erased before its tombstones were partitioned."""
    name = postgres.fresh(lambda empty: Database(empty, create=True).close())
    address = postgres.address(name)
    with closing(PostgresStore.open(address, vault_in(tmp_path))) as store:
        store.intake([talk("before")], plan="pro", recorded_at=day(0))
        sweep_all(store, at=day(60))
    partitioned.partition(address)
    yield address
    postgres.drop(name)


def test_what_was_and_will_be_erased_is_found_in_partitions(address: str, tmp_path: Path) -> None:
    with closing(PostgresStore.open(address, vault_in(tmp_path))) as store:
        store.intake([talk("after", at=day(1))], plan="pro", recorded_at=day(1))
        sweep_all(store, at=day(61))
        found = {stone.conversation for stone in store.tombstones(Page(limit=10)).items}
        assert found == {"test:before", "test:after"}
        # what is buried stays away
        store.intake([talk("before")], plan="pro", recorded_at=day(2))
        assert store.conversation("test:before") is None
    with psycopg.connect(address, autocommit=True) as owner:
        counted = owner.execute("SELECT count(*), count(DISTINCT tableoid) FROM tombstone").fetchone()
        assert counted == (4, 2), "two parts of each conversation, side by side"
        for said in ("DELETE FROM tombstone", "DELETE FROM tombstone_0", "TRUNCATE tombstone_0", "TRUNCATE tombstone"):
            with pytest.raises(psycopg.Error, match="erased stays erased"):
                owner.execute(said)
        with pytest.raises(psycopg.Error, match="can lose its subject and nothing else"):
            owner.execute("UPDATE tombstone SET part = 'other'")


def test_migrations_find_the_tables_that_they_know(address: str) -> None:
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        before = step_of(connection)
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
        named = {(what[0], getattr(what[1], "name", what[1])) for what in differences if isinstance(what, tuple)}
        partitions = {entry for entry in named if str(entry[1]).startswith("tombstone_")}
        assert {entry[0] for entry in partitions} == {"remove_table", "remove_index"}, (
            "partitions are no tables of ours"
        )
        assert named - partitions - CHILDREN["postgresql"] == set()
        migrate(connection, f"{int(before) - 1:04}")
        migrate(connection)
        assert step_of(connection) == before
    engine.dispose()


@pytest.mark.parametrize(("table", "keys", "column"), ROWS, ids=[row[0] for row in ROWS])
def test_the_guide_is_right_about_what_a_table_could_be_partitioned_by(table: str, keys: str, column: str) -> None:
    found = METADATA.tables[table]
    uniques = [set(found.primary_key.columns.keys())]
    uniques += [set(one.columns.keys()) for one in found.constraints if isinstance(one, UniqueConstraint)]
    whole = [one for one in found.indexes if one.unique and one.dialect_options["postgresql"]["where"] is None]
    uniques += [set(one.columns.keys()) for one in whole]
    said = [set(key.strip(" `").split(", ")) for key in keys.split("; ")]
    assert sorted(map(sorted, said)) == sorted(map(sorted, uniques))
    common = set.intersection(*uniques)
    named = re.match(r"`(\w+)`", column)
    assert (named[1] in common) if named else (column == "nothing" and not common)


@pytest.mark.deep
def test_the_whole_contract_holds_on_partitioned_tombstones() -> None:
    folder = REPOSITORY / "tests" / "conformance" / "store"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conformance.store.partitioned", "-p", "no:xdist"]
    chosen = ["-k", "postgres and not test_schema and not test_partitioned", str(folder)]
    done = subprocess.run(
        [*command, *chosen], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=1800
    )
    assert done.returncode == 0, done.stdout[-3_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 200
