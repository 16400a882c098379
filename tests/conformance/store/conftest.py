"""Every store that assent knows, empty and fresh; a contract test takes `store` and runs once for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assent.store.port import Store
from assent.store.sqlite import SqliteStore

KINDS: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore.open(folder / "store.db", create=True),
}
"""How each kind of store is opened on a folder; opening the same folder again meets the same data."""


@pytest.fixture(params=sorted(KINDS))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Open the store of this test, as often as another process would."""
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(KINDS[request.param](tmp_path))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
