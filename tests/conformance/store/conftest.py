"""Every store that assent knows, empty and fresh; a contract test takes `store` and runs once for each."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.vaults import vault_in

from assent.store.port import Store
from assent.store.postgres import PostgresStore
from assent.store.sqlite import SqliteStore
from assent.store.sqlite.database import Database


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with nothing in it, made once: copying it is ten times as fast as making it."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    Database(path, create=True).close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_file: Path) -> Callable[[], Store]:
    path = tmp_path / "store.db"
    shutil.copy(empty_file, path)
    return lambda: SqliteStore.open(path, vault_in(tmp_path))


@pytest.fixture
def postgres_store(tmp_path: Path, postgres_database: str) -> Callable[[], Store]:
    return lambda: PostgresStore.open(postgres_database, vault_in(tmp_path))


KINDS = {"sqlite": "sqlite_store", "postgres": "postgres_store"}
"""Every kind of store, and the fixture that says how it is opened; opening it again meets the same data."""


@pytest.fixture(params=sorted(KINDS))
def open_store(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Open the store of this test, as often as another process would."""
    open_one = request.getfixturevalue(KINDS[request.param])
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(open_one())
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
