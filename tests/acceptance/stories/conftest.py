"""A `swept` home for a story: on SQLite in every run and on PostgreSQL in the deep one, or always on both."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.acceptance.stories.swept import Swept
from tests.vaults import vault_in

from assent.store.postgres import PostgresStore
from assent.store.sql.store import SqlStore
from assent.store.sqlite import SqliteStore
from assent.store.sqlite.database import Database
from assent.vault.vault import Vault


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with nothing in it, made once: copying it is ten times as fast as making it."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    Database(path, create=True).close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def database(request: pytest.FixtureRequest, tmp_path: Path, empty_file: Path) -> Iterator[Callable[[Vault], SqlStore]]:
    """Open the database of this test over a vault, as often as another process would."""
    address = request.getfixturevalue("postgres_database") if request.param == "postgres" else None
    shutil.copy(empty_file, tmp_path / "assent.db")
    with ExitStack() as opened:

        def open_store(vault: Vault) -> SqlStore:
            path = tmp_path / "assent.db"
            store = SqliteStore.open(path, vault) if address is None else PostgresStore.open(address, vault)
            return opened.enter_context(closing(store))

        yield open_store


@pytest.fixture
def swept(tmp_path: Path, database: Callable[[Vault], SqlStore]) -> Swept:
    return Swept(tmp_path, vault_in(tmp_path), database)
