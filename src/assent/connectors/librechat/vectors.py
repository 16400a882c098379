"""Vectors of files: rows of the RAG service in PostgreSQL, which hold the text of each piece beside its vector.

Deleted rows leave their bytes in the table's file. They go when the table is written anew (`VACUUM FULL`), which the
number of that file shows. Write-ahead logs and backups of the server are its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, bindparam, create_engine, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from assent.connectors.librechat.mongo import batches
from assent.domain.errors import AssentError, Invalid

TABLE: Final = "langchain_pg_embedding"

_COUNT: Final = text(
    f"select cmetadata ->> 'file_id', count(*) from {TABLE} where cmetadata ->> 'file_id' in :ids group by 1"  # noqa: S608 - a constant
).bindparams(bindparam("ids", expanding=True))
_DELETE: Final = text(
    f"delete from {TABLE} where cmetadata ->> 'file_id' in :ids"  # noqa: S608 - a constant
).bindparams(bindparam("ids", expanding=True))
_FILE: Final = text(f"select pg_relation_filenode('{TABLE}')::text")


@dataclass(frozen=True, slots=True)
class Vectors:
    """The table of the RAG service."""

    engine: Engine

    def count(self, files: Collection[str]) -> dict[str, int]:
        """Count the pieces of each file that has any."""
        found: dict[str, int] = {}
        with self._tried(), self.engine.connect() as connection:
            for some in batches(files):
                found |= {str(name): int(number) for name, number in connection.execute(_COUNT, {"ids": some})}
        return found

    def erase(self, files: Collection[str]) -> None:
        """Delete the pieces of these files."""
        with self._tried(), self.engine.begin() as connection:
            for some in batches(files):
                connection.execute(_DELETE, {"ids": some})

    def file(self) -> str:
        """Return the number of the table's file: another one after the table was written anew."""
        with self._tried(), self.engine.connect() as connection:
            return str(connection.execute(_FILE).scalar() or "")

    def rewrite(self) -> None:
        """Write the table anew; nobody can read it meanwhile."""
        with self._tried(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"vacuum full {TABLE}"))

    def _tried(self) -> _Tried:
        return _Tried()


class _Tried:
    """Turns an error of the database into one of ours, without what it quotes."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, SQLAlchemyError):
            said = type(problem).__name__
            raise AssentError(f"the database of vectors does not answer: {said}", "see that it runs") from None


def vectors_of(address: str) -> Vectors:
    """Return the vectors behind a database address. Raises `Invalid` for one that is none."""
    try:
        return Vectors(create_engine(address, pool_pre_ping=True))
    except (ArgumentError, ValueError, ImportError):
        fix = "write it as postgresql+psycopg://host/database in the file, with name and password"
        raise Invalid("the address of the database of vectors cannot be read", fix) from None
