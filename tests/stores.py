"""A real SQLite store with nothing in it: made once in each process, and copied, which is fifty times as fast."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from assent.store.sqlite import SqliteStore
from assent.store.sqlite.database import Database
from tests.vaults import vault_in


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        Database(path, create=True).close()
        return path.read_bytes()


def new_store(path: Path) -> SqliteStore:
    """Make a store in a file that is not there yet, with a vault beside it."""
    with path.open("xb") as file:
        file.write(_empty())
    path.chmod(0o600)
    return SqliteStore.open(path, vault_in(path.parent))
