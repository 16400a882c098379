"""Every store that assent knows, empty and fresh; a contract test takes `store` and runs once for each."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assent.store.port import Store
from assent.store.sqlite import SqliteStore


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with nothing in it, made once: copying it is ten times as fast as making it."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    SqliteStore.open(path, create=True).close()
    return path


def open_sqlite(folder: Path, request: pytest.FixtureRequest) -> Store:
    path = folder / "store.db"
    if not path.exists():
        shutil.copy(request.getfixturevalue("empty_file"), path)
    return SqliteStore.open(path)


KINDS: dict[str, Callable[[Path, pytest.FixtureRequest], Store]] = {"sqlite": open_sqlite}
"""How each kind of store is opened on a folder; opening the same folder again meets the same data."""


@pytest.fixture(params=sorted(KINDS))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Open the store of this test, as often as another process would."""
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(KINDS[request.param](tmp_path, request))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
