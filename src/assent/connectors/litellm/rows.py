"""LiteLLM's database: opened, asked, and changed in one transaction a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from assent.connectors.litellm import statements
from assent.connectors.postgresql import engine_options
from assent.domain.errors import AssentError, Invalid, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

AT_ONCE: Final = 500
"""Rows that are fetched together where a list may be long."""

_THERE: Final = text(
    "SELECT name FROM unnest(CAST(:names AS text[])) name WHERE to_regclass(quote_ident(name)) IS NOT NULL"
)
_UNDEFINED_COLUMN: Final = "42703"


class Rows:
    """One LiteLLM database."""

    def __init__(self, address: str) -> None:
        """Remember its address; nothing is asked yet. Raises `Invalid` for one that is no PostgreSQL address."""
        try:
            url = make_url(address)
        except (ArgumentError, ValueError):
            raise Invalid("the file of the database holds no address", "write `postgresql://...` into it") from None
        if url.get_backend_name() not in ("postgresql", "postgres"):
            # whatever stands there instead may be a secret: it is not quoted
            raise Invalid("LiteLLM's database is no PostgreSQL", "write `postgresql://...` into the file")
        self._engine = create_engine(url.set(drivername="postgresql+psycopg"), **engine_options())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a snapshot. Raises `AssentError` where the database cannot be reached or is not LiteLLM's."""
        with self._open("REPEATABLE READ") as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that commits at its end, or changes nothing."""
        with self._open("READ COMMITTED") as connection, connection.begin():
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Open a connection on which each statement stands for itself, as VACUUM wants it."""
        with self._open("AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def _open(self, isolation: str) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(isolation_level=isolation) as connection:
                yield connection
        except DBAPIError as problem:
            raise _told(problem) from None


def tables(connection: Connection) -> list[str]:
    """Return which of LiteLLM's tables are there: older and newer versions have others."""
    found = set(connection.execute(_THERE, {"names": list(statements.TABLES)}).scalars())
    if statements.SPEND not in found:
        raise NotFound("the database has no log of LiteLLM", "give the address that the proxy has as DATABASE_URL")
    return [name for name in statements.TABLES if name in found]


def run(connection: Connection, statement: str, **values: Any) -> Sequence[Row[Any]]:
    """Run one statement and return its rows, none for an order."""
    done = connection.execute(text(statement), values)
    return done.fetchall() if done.returns_rows else ()


def stream(connection: Connection, statement: str, **values: Any) -> Iterator[Row[Any]]:
    """Run one statement and give its rows as they come."""
    options = {"stream_results": True, "yield_per": AT_ONCE}
    yield from connection.execute(text(statement), values, execution_options=options)


def askable(ids: Sequence[str]) -> list[str]:
    """Return the ids that a text of PostgreSQL can hold, each once, never the empty one: no other is there."""
    return [
        one for one in dict.fromkeys(ids) if one and "\0" not in one and not any("\ud800" <= c <= "\udfff" for c in one)
    ]


def _told(problem: DBAPIError) -> AssentError:
    """Say what went wrong, without the statement and its values."""
    state = getattr(problem.orig, "sqlstate", None) or ""
    if state == _UNDEFINED_COLUMN:
        return AssentError("the tables of LiteLLM are older than its version of April 2025", "migrate the proxy first")
    if state.startswith("42501"):
        return AssentError(
            "the role may not do this in LiteLLM's database", "grant it what docs/reference/systems.md says"
        )
    if isinstance(problem, OperationalError):
        return AssentError("LiteLLM's database cannot be reached", "check that it runs, and the address in its file")
    return AssentError(f"LiteLLM's database refused the statement ({state or 'no code'})", "see the server's log")
