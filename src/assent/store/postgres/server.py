"""The way to the server: reading its address, reaching it, and whether it will do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from assent.domain.errors import AssentError, Invalid, Refused
from assent.store.postgres.problems import quieten, said

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

OLDEST: Final = 14
"""The oldest release of PostgreSQL that is used."""

CONNECTIONS: Final = 16
"""How many connections one process opens at most."""

_CONNECT: Final = {
    "application_name": "assent",
    "client_encoding": "utf8",
    "connect_timeout": 10,  # s
    # a peer that vanished is noticed within a minute
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # also where something is under way to it: Linux alone would try for a quarter of an hour
    "tcp_user_timeout": 60_000,  # ms
}
"""What libpq is told, unless the address says otherwise."""

_TRUSTED_S: Final = 0.5
"""Seconds since its last use for which a connection is taken to be there still: to ask costs three ways there and back.
Who loses one meanwhile is told so, as if it had been lost a moment later."""

_MADE: Final = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
ORDERED: Final = "SELECT 'B' < 'a' AND 'Z' < '_' AND 'z' < 'é'"
"""Whether texts sort by code points, as in SQLite and Python. Other orders change with the operating system's tables
too, and an index that was made in the old one then misses rows."""

_COMMAND: Final = "createdb --template template0 --encoding UTF8 --locale C"


def address_of(text: str) -> URL:
    """Read an address. Raises `Invalid`, without quoting it: it may hold a password."""
    fix = "write postgresql://role@host:port/database, and percent-encode other characters"
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres") or rest.partition("/")[0].count("@") > 1:
        raise Invalid("this is no address of a PostgreSQL database", fix)
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise Invalid("this is no address of a PostgreSQL database", fix) from None
    if not url.database and "service" not in url.query and "dbname" not in url.query:
        raise Invalid("this address names no database", fix)
    return url


def shown(url: URL) -> str:
    """Name a database in a message: no role, no password, no options."""
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"postgresql://{place}/{url.database or ''}"


def engine_of(url: URL, settings: dict[str, str]) -> Engine:
    """Return the connections to a database, none of them open yet; `settings` hold in each."""
    options: dict[str, Any] = {name: value for name, value in _CONNECT.items() if name not in url.query}
    engine = create_engine(
        url,
        connect_args=options,
        pool_size=CONNECTIONS // 2,
        max_overflow=CONNECTIONS - CONNECTIONS // 2,
        # an error must not quote what was to be stored
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", quieten)

    def prepare(connection: psycopg.Connection, _record: object) -> None:
        connection.autocommit = True  # `Database` says BEGIN, not the driver
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        # an answer given is on the disk; stricter settings (other servers have it too) stay
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )

    event.listen(engine, "connect", prepare)
    _ask_whether_there(engine)
    return engine


def _ask_whether_there(engine: Engine) -> None:
    """Let no connection out that has been lost since its last use; one that was just used is not asked."""

    def used(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    def wanted(connection: PoolProxiedConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error:
            raise DisconnectionError from None  # the pool then gives another one

    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", wanted)


def unreachable(url: URL, problem: BaseException | None) -> AssentError:
    """Say that a server does not answer, or does not let us in."""
    return AssentError(f"`{shown(url)}` cannot be reached: {said(problem)}", "check the address, the role, the network")


def lacks(url: URL) -> bool:
    """Tell whether the server answers but has no database of that name."""
    try:
        with _maintenance(url) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (url.database,)).fetchone()
    except psycopg.Error:  # then nothing is known, and the first error is told
        return False
    return found is None


def make_database(url: URL) -> None:
    """Make the database. Raises `Refused` if the role may not."""
    name = url.database or ""
    try:
        with _maintenance(url) as connection:
            # clusters of ICU order the rest by ICU too
            provider = " LOCALE_PROVIDER libc" if connection.info.server_version >= 150_000 else ""
            connection.execute(sql.SQL(f"CREATE DATABASE {{}} {_MADE}{provider}").format(sql.Identifier(name)))
    except psycopg.errors.DuplicateDatabase:
        pass  # somebody else was faster
    except psycopg.Error as problem:
        message = f"the database `{name}` cannot be made: {said(problem)}"
        raise Refused(message, f"make it: {_COMMAND} {name}") from None


def _maintenance(url: URL) -> psycopg.Connection:
    options = {**_CONNECT, **url.translate_connect_args(username="user", database="dbname"), **url.query}
    return psycopg.connect(**options | {"dbname": "postgres"}, autocommit=True)


def examine(connection: Connection, url: URL) -> None:
    """Refuse a server on which the store would not be true: too old, other characters, another order, no durability."""
    version = int(str(connection.exec_driver_sql("SHOW server_version_num").scalar())) // 10_000
    if version < OLDEST:
        raise Refused(f"the server is PostgreSQL {version}", f"use PostgreSQL {OLDEST} or newer")
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise Refused(f"the database `{url.database}` is encoded in `{encoding}`", f"make one: {_COMMAND} NAME")
    if not connection.exec_driver_sql(ORDERED).scalar():
        raise Refused(f"the database `{url.database}` does not sort by code points", f"make one: {_COMMAND} NAME")
    if connection.exec_driver_sql("SHOW fsync").scalar() != "on":
        raise Refused("the server runs with `fsync = off`", "turn it on: an answer given must survive a power cut")
