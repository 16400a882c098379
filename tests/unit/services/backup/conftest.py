"""A store with nothing in it, to be copied."""

from pathlib import Path

import pytest

from assent.store.sqlite.database import Database


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it, made once."""
    path = tmp_path_factory.mktemp("empty") / "assent.db"
    Database(path, create=True).close()
    return path
