"""What only PostgreSQL can show: how it is reached, what it must be, its lock, and what its errors do not say."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select, text
from tests.conformance.store.samples import T0, choice, day, hold, part, sweep_all, talk
from tests.postgres_server import Server, starting
from tests.vaults import vault_in

from assent.domain.errors import AssentError, Invalid, NotFound, Refused
from assent.store.migrate import NEWEST, step_of
from assent.store.postgres import PostgresStore, database, server
from assent.store.records import Account, ImportRun, Staged
from assent.store.schema import content, retention_class
from assent.store.schema import part as parts
from assent.store.sql import choices, ledger
from assent.store.sql.driven import Driven
from assent.vault.vault import Vault

NOW = day(60)
SECRET = "correct-horse"
AT = "@"  # written apart: no file may hold an address with a password


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_in(tmp_path)


@pytest.fixture
def store(postgres_database: str, vault: Vault) -> Iterator[PostgresStore]:
    opened = PostgresStore.open(postgres_database, vault)
    yield opened
    opened.close()


@pytest.fixture
def blank(postgres: Server) -> Iterator[str]:
    """The name of a database with nothing in it."""
    name = postgres.blank()
    yield name
    postgres.drop(name)


# -- the way in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        f"mysql://assent:{SECRET}{AT}db.example/assent",
        f"postgresql://assent:{SECRET}{AT}x{AT}db.example/assent",
        f"postgresql://assent:{SECRET}{AT}db.example:port/assent",
        f"postgresql://assent:{SECRET}{AT}db.example",
        f"postgresql://assent:{SECRET}{AT}db.example/",
        f"assent:{SECRET}{AT}db.example/assent",
        "",
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(address: str, vault: Vault) -> None:
    with pytest.raises(Invalid, match="address") as caught:
        PostgresStore.open(address, vault)
    assert caught.value.fix
    assert not any(SECRET in str(seen) for seen in (caught.value, caught.value.fix, caught.value.__cause__))


def test_a_server_that_does_not_answer_is_named_without_its_password(vault: Vault) -> None:
    with pytest.raises(AssentError, match=r"`postgresql://127\.0\.0\.1:1/assent` cannot be reached") as caught:
        PostgresStore.open(f"postgresql://somebody:{SECRET}{AT}127.0.0.1:1/assent?passfile={SECRET}", vault)
    assert SECRET not in f"{caught.value}{caught.value.fix}"
    assert "somebody" not in str(caught.value)


def test_a_database_is_made_only_if_asked_and_sorts_by_code_points(postgres: Server, blank: str, vault: Vault) -> None:
    name = f"{blank}_other"
    with pytest.raises(NotFound, match="there is no database"):
        PostgresStore.open(postgres.address(name), vault)
    try:
        PostgresStore.open(postgres.address(name), vault, create=True).close()
        PostgresStore.open(postgres.address(name), vault).close()
        query = "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
        assert postgres.run(query, database=name) == [("C", "UTF8")]
    finally:
        postgres.drop(name)


def test_a_database_without_tables_is_no_store_until_it_is_made_one(postgres: Server, blank: str, vault: Vault) -> None:
    with pytest.raises(NotFound, match="there is no store in"):
        PostgresStore.open(postgres.address(blank), vault)
    made = PostgresStore.open(postgres.address(blank), vault, create=True)
    with made._database.reading() as connection:
        assert step_of(connection) == NEWEST
    made.close()


def test_many_processes_may_open_a_new_database_at_once(postgres: Server, blank: str, vault: Vault) -> None:
    problems: list[BaseException] = []

    def opening() -> None:
        try:
            PostgresStore.open(postgres.address(blank), vault, create=True).close()
        except Exception as problem:  # noqa: BLE001 - counted
            problems.append(problem)

    threads = [threading.Thread(target=opening) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_role_that_may_not_make_a_database_is_told_the_command(postgres: Server, blank: str, vault: Vault) -> None:
    role = f"{blank}_poor"
    postgres.run("CREATE ROLE {} LOGIN PASSWORD 'x'", role)
    try:
        address = postgres.url.set(username=role, password="x", database=f"{blank}_other")
        with pytest.raises(Refused, match="cannot be made: permission denied") as caught:
            PostgresStore.open(address.render_as_string(hide_password=False), vault, create=True)
        assert "createdb --template template0" in caught.value.fix
    finally:
        postgres.run("DROP ROLE {}", role)


def test_a_database_of_a_newer_assent_is_refused(store: PostgresStore, postgres_database: str, vault: Vault) -> None:
    def stand_at(step: str) -> None:
        with store._database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": step})

    stand_at("9999")
    try:
        with pytest.raises(Refused, match="step `9999`"):
            PostgresStore.open(postgres_database, vault)
    finally:
        stand_at(NEWEST)


def test_a_server_that_is_too_old_is_refused(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setattr(server, "OLDEST", 99)
    with pytest.raises(Refused, match=r"the server is PostgreSQL \d+") as caught:
        PostgresStore.open(postgres_database, vault)
    assert caught.value.fix == "use PostgreSQL 99 or newer"


def test_a_database_in_another_encoding_is_refused(postgres: Server, blank: str, vault: Vault) -> None:
    name = f"{blank}_ascii"
    postgres.run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", name)
    try:
        with pytest.raises(Refused, match="is encoded in `SQL_ASCII`"):
            PostgresStore.open(postgres.address(name), vault, create=True)
    finally:
        postgres.drop(name)


def test_a_database_that_sorts_otherwise_is_refused(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setattr(server, "ORDERED", "SELECT 'a' < 'B'")  # what a dictionary says, and this database does not
    with pytest.raises(Refused, match="does not sort by code points"):
        PostgresStore.open(postgres_database, vault)


def test_a_server_that_forgets_is_refused(vault: Vault) -> None:
    with starting("fsync=off") as forgetful, pytest.raises(Refused, match="`fsync = off`"):
        PostgresStore.open(forgetful.address("postgres"), vault, create=True)


def test_an_installation_without_the_extra_says_which(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in ("database", "problems", "server"):
        monkeypatch.delitem(sys.modules, f"assent.store.postgres.{name}")
    with pytest.raises(Refused, match="needs psycopg") as caught:
        PostgresStore.open(postgres_database, vault)
    assert "assent[postgres]" in caught.value.fix


def test_every_answer_is_on_the_disk(postgres: Server, postgres_database: str, vault: Vault) -> None:
    name = postgres_database.rpartition("/")[2].partition("?")[0]
    for told, kept in (("off", "on"), ("local", "local")):
        postgres.run(f"ALTER DATABASE {{}} SET synchronous_commit = '{told}'", name)
        with closing(PostgresStore.open(postgres_database, vault)) as store:
            for connect in (store._database.reading, store._database.writing):
                with connect() as connection:
                    assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == kept
    postgres.run("ALTER DATABASE {} RESET synchronous_commit", name)


# -- reading and writing ------------------------------------------------------------------


def test_a_reader_sees_one_instant_and_writes_nothing(store: PostgresStore) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    count = select(parts.c.key)
    with store._database.reading() as connection:
        before = len(connection.execute(count).all())
        store.intake([talk("two")], plan="free", recorded_at=T0)
        assert len(connection.execute(count).all()) == before == 2
    with pytest.raises(Refused, match="only reads"), store._database.reading() as connection:
        connection.execute(text("DELETE FROM content"))
    assert store.counts().parts == 4


def test_a_writer_sees_everything_that_was_acknowledged_before_its_turn(
    store: PostgresStore, postgres_database: str, vault: Vault
) -> None:
    """A snapshot that is older than the lock would overlook the row: the writer waits, then reads."""
    seen: list[int] = []

    def count() -> None:
        with closing(PostgresStore.open(postgres_database, vault)) as other, other._database.writing() as connection:
            seen.append(connection.exec_driver_sql("SELECT count(*) FROM policy").scalar())

    with store._database.writing() as connection:
        waiting = threading.Thread(target=count)
        waiting.start()
        end = time.monotonic() + 30
        while not connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar():
            assert waiting.is_alive()
            assert time.monotonic() < end
        connection.exec_driver_sql("INSERT INTO policy VALUES ('d', 'n', 't', 0)")
    waiting.join()
    assert seen == [1]


def test_a_writer_that_waits_too_long_says_so(store: PostgresStore, postgres_database: str, vault: Vault) -> None:
    with closing(PostgresStore.open(postgres_database, vault, lock_timeout_s=0.05)) as impatient:
        with (
            store._database.writing(),
            pytest.raises(AssentError, match=r"another process wrote for longer than 0\.05 s"),
        ):
            impatient.place_hold(hold("h"))
        impatient.place_hold(hold("h"))


def test_a_statement_that_takes_too_long_is_stopped(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_S", 0.05)
    with (
        closing(PostgresStore.open(postgres_database, vault)) as hurried,
        pytest.raises(AssentError, match=r"one statement for longer than 0\.05 s"),
        hurried._database.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(30)")


def test_a_writer_that_thinks_for_too_long_loses_its_turn(store: PostgresStore) -> None:
    with store._database.writing() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "5min"
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "0"

    def think() -> None:
        with store._database.writing() as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            connection.exec_driver_sql("INSERT INTO policy VALUES ('d', 'n', 't', 0)")
            threading.Event().wait(0.2)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(AssentError, match="the connection to PostgreSQL was lost"):
        think()
    assert list(store.policies()) == []


def test_a_connection_that_breaks_leaves_nothing_half_done(store: PostgresStore, postgres: Server) -> None:

    def write() -> None:
        with store._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO policy VALUES ('d', 'n', 't', 0)")
            me = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            postgres.run(f"SELECT pg_terminate_backend({me}, 5000)")
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(AssentError, match="the connection to PostgreSQL was lost"):
        write()
    assert list(store.policies()) == []
    assert store.intake([talk("one")], plan="free", recorded_at=T0)[0].parts_added == 2


def test_a_connection_that_was_lost_while_nobody_used_it_is_replaced(
    store: PostgresStore, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> None:
        with store._database.reading() as connection:
            me = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        postgres.run(f"SELECT pg_terminate_backend({me}, 5000)")

    monkeypatch.setattr(server, "_TRUSTED_S", 60.0)
    lose()
    with pytest.raises(AssentError, match="the connection to PostgreSQL was lost"):
        store.known_of("ann")  # it was used just now, and is taken to be there
    assert store.known_of("ann").acts == ()
    monkeypatch.setattr(server, "_TRUSTED_S", 0.0)
    lose()
    assert store.known_of("ann").acts == ()


def test_threads_write_one_after_the_other(store: PostgresStore) -> None:
    def work(number: int) -> None:
        for step in range(5):
            store.intake([talk(f"{number}-{step}")], plan="free", recorded_at=T0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.counts().conversations, store.counts().parts) == (20, 40)


def test_keys_are_never_given_twice_also_after_a_rollback(store: PostgresStore) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    row = (9, 1, "x", "x", 0, "user", "", "", 1, None, 0, None, None, None, None)

    def change_of_mind() -> None:
        with store._database.writing() as connection:
            store._database.insert_rows(connection, parts, [row])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_of_mind()
    with store._database.writing() as connection:
        assert store._database.next_key(connection, parts) == 10
        assert store._database.next_key(connection, retention_class) == 2  # given by the sequence itself
    store.intake([talk("two")], plan="free", recorded_at=T0)
    assert [one.key for one in store.conversation("test:two").parts] == [10, 11]


def test_a_stream_holds_one_stretch_and_is_closed_when_it_is_left(store: PostgresStore) -> None:
    store.intake([talk(f"c{n}") for n in range(6)], plan="free", recorded_at=T0)
    with store._database.reading() as connection:
        with closing(store._database.stream(connection, select(parts.c.key), 5)) as stretches:
            assert len(next(stretches)) == 5
            assert connection.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar() == 0


def test_nomination_ranges_over_indexes_and_never_scans_parts(store: PostgresStore) -> None:
    many = [talk(f"c{n}", [part(f"p{k}") for k in range(50)]) for n in range(40)]
    store.intake(many, plan="free", recorded_at=T0)
    with store._database.writing() as connection:
        connection.exec_driver_sql("ANALYZE")
    with store._database.reading() as connection:
        candidates = store._candidates(connection, {1: ()}, pa.chunked_array([[1]]), NOW)
        query = candidates.compile(store._database.engine)
        steps = list(connection.exec_driver_sql("EXPLAIN " + str(query), query.params).scalars())
    ranges = [line.strip() for line in steps if "Index" in line and "Scan" in line]
    for name in ("created_at", "last_turn_at", "recorded_at"):
        assert any(f"part_by_retention_class_{name}" in line for line in ranges)
    for name in ("deleted_at", "account_closed_at", "moved_to_business_at"):
        assert any(f"part_by_{name}" in line for line in ranges)
    of_woken = ("on conversation", "part_unique_conversation_id", "on resting", "on retention_class")
    assert all(any(name in line for line in ranges) for name in of_woken[:2])
    assert len([line for line in ranges if not any(name in line for name in of_woken)]) == 7
    whole = ("Seq Scan on part", "Seq Scan on conversation", "part_key", "conversation_key")
    assert not any(name in line for line in steps for name in whole)


@pytest.mark.parametrize("query", [choices._KNOWN, ledger._STANDING], ids=["known", "standing"])
def test_a_group_is_looked_up_in_indexes_however_much_came_since_tables_were_counted(
    store: PostgresStore, query: Driven
) -> None:
    store.stage([Staged(choice(f"c{n}", subject=f"s{n}"), b"salt" * 4, b"x" * 32) for n in range(3_000)])
    store.put_accounts(Account(f"s{n}") for n in range(3_000))
    said, constants = query._said["postgresql"]
    with store._database.looking() as connection:
        values = {**constants, "ids": [f"s{n}" for n in range(64)]}
        steps = [line for (line,) in store._database.run(connection, f"EXPLAIN {said}", values).fetchall()]
    assert any("using choice_" in line or "on choice_" in line for line in steps)
    # one that is known to be empty may be read whole
    assert not any(f"Seq Scan on {table}" in line for line in steps for table in ("account", "choice", "leaf"))


# -- what the database itself refuses, and what it does not say --------------------------


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("UPDATE choice SET act = 'allow'", "choices are append-only"),
        ("DELETE FROM choice", "choices are append-only"),
        ("TRUNCATE choice", "choices are append-only"),
        ("UPDATE tombstone SET part = 'x'", "can lose its subject and nothing else"),
        ("DELETE FROM tombstone", "erased stays erased"),
        ("TRUNCATE tombstone", "erased stays erased"),
        ("TRUNCATE sweep CASCADE", "erasures are chained"),
        ("DELETE FROM leaf", "the ledger is append-only"),
    ],
)
def test_the_database_itself_refuses(store: PostgresStore, statement: str, answer: str) -> None:
    store.add_choice(choice("c", "decline"))
    store.intake([talk("one")], plan="free", recorded_at=T0)
    sweep_all(store, NOW)
    with pytest.raises(Exception, match=answer), store._database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert (store.counts().choices, store.counts().tombstones) == (1, 2)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE tombstone SET subject = NULL")


PRIVATE = "very private"


def test_errors_of_the_database_do_not_quote_content(store: PostgresStore) -> None:
    """The server itself quotes rows (`Failing row contains ...`) and keys (`Key (id)=(...) already exists`)."""
    store.intake([talk("one")], plan="free", recorded_at=T0)
    put = text("INSERT INTO content VALUES (:part, :body)")
    account = text("INSERT INTO account (subject, age) VALUES (:subject, :age)")

    def wrong(statement: object, **values: object) -> str:
        with pytest.raises(Exception, match=r"\w") as caught, store._database.writing() as connection:
            connection.execute(statement, values)
        problem: BaseException | None = caught.value
        said = ""
        while problem is not None:
            said += f"{problem} {problem!r} "
            problem = problem.__cause__ or problem.__context__
        return said

    with store._database.writing() as connection:
        connection.execute(put, {"part": 1, "body": PRIVATE})
    twice = wrong(put, part=1, body=PRIVATE)
    assert "content_key" in twice
    found = [
        twice,
        wrong(put, part=None, body=PRIVATE),
        wrong(text("INSERT INTO hold VALUES (:id, 'm', :id, :id, 0, 'a', 'r', 0)"), id=PRIVATE),
        wrong(text("SELECT CAST(:value AS bigint)"), value=PRIVATE),
        wrong(account, subject=PRIVATE, age=1_000_000),
    ]
    assert not any(PRIVATE in said for said in found)


def test_errors_of_a_copy_do_not_quote_the_line(store: PostgresStore) -> None:
    with store._database.writing() as connection:
        store._database.insert_rows(connection, content, [(1, "first")])
    for row in ((1, PRIVATE), (PRIVATE, PRIVATE), (None, PRIVATE), (7, f"{PRIVATE}\0")):
        with pytest.raises(Exception, match=r"\w") as caught, store._database.writing() as connection:
            store._database.insert_rows(connection, content, [row])
        told = caught.value
        assert not any(PRIVATE in str(said) for said in (told, repr(told), told.__cause__, told.__context__))


def test_a_text_with_a_null_character_is_refused_before_anything_is_written(store: PostgresStore) -> None:
    with pytest.raises(Invalid, match=r"U\+0000"):
        store.place_hold(hold("h", reason="a\0b"))
    assert list(store.holds()) == []


# -- what deleted rows leave behind -------------------------------------------------------


def test_after_a_large_import_a_page_reads_a_page_and_not_everything_of_a_person(store: PostgresStore) -> None:
    counted = text("SELECT last_analyze FROM pg_stat_user_tables WHERE relname = 'conversation'")
    page = text(
        "EXPLAIN (FORMAT JSON) SELECT key FROM conversation WHERE subject = 'ann' AND last_turn_at IS NOT NULL"
        " ORDER BY last_turn_at DESC, key DESC LIMIT 100"
    )
    run = store.begin_import("bench", "many", T0)
    talks = [talk(f"c{n}", at=day(n % 50), subject="ann") for n in range(2_000)]
    store.intake(talks, plan="pro", recorded_at=T0)
    with store._database.reading() as connection:
        before = connection.execute(counted).scalar_one()
    store.finish_import(ImportRun(run, "bench", "many", T0, T0, 2_000), [])
    with store._database.reading() as connection:
        assert connection.execute(counted).scalar_one() != before
        assert "Bitmap Heap Scan" not in str(connection.execute(page).scalar_one())


def test_a_checkpoint_gives_deleted_rows_back_unless_a_reader_still_sees_them(store: PostgresStore) -> None:
    long = [part(f"p{n}", f"{n} " * 9_000) for n in range(6)]  # content of this length lies in a table of its own
    store.intake([talk("one", long), talk("two")], plan="free", recorded_at=T0)
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM part").scalar() == 8
        sweep_all(store, NOW)
        assert not store.checkpoint()
    assert store.checkpoint()
    assert store.counts().parts == 0
