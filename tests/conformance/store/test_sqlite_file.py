"""What only a SQLite file can show: its bytes, its schema, its locks, and what a killed process leaves behind."""

import multiprocessing
import random
import shutil
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pyarrow as pa
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from tests.conformance.store.samples import (
    ALL,
    T0,
    choice,
    day,
    erase,
    hold,
    keys_of,
    plan_for,
    sweep_all,
    talk,
)
from tests.conformance.store.sweep_child import sweep_child
from tests.vaults import vault_in

from assent.domain.errors import AssentError, NotFound, Refused
from assent.store import migrate as migrating
from assent.store.records import Account, Flag
from assent.store.schema import part
from assent.store.sql import columns
from assent.store.sqlite import SqliteStore, database
from assent.vault.vault import Vault

NOW = day(60)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_in(tmp_path)


@pytest.fixture
def store(empty_file: Path, file: Path, vault: Vault) -> SqliteStore:
    shutil.copy(empty_file, file)
    return SqliteStore.open(file, vault)


def test_the_newest_step_is_the_one_that_opening_looks_for() -> None:
    assert ScriptDirectory(str(migrating._STEPS)).get_heads() == [migrating.NEWEST]


def test_bulk_rows_follow_the_order_of_the_columns() -> None:
    assert part.columns.keys() == [
        "key",
        "conversation",
        "id",
        "turn",
        "ordinal",
        "speaker",
        "marks",
        "name",
        "retention_class",
        "created_at",
        "recorded_at",
        "last_turn_at",
        "deleted_at",
        "account_closed_at",
        "moved_to_business_at",
    ]


def test_a_file_of_a_newer_assent_is_refused(store: SqliteStore, file: Path, vault: Vault) -> None:
    with store._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(Refused, match="step `9999`"):
        SqliteStore.open(file, vault)


def test_a_file_that_is_not_there_is_made_only_if_asked(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(NotFound, match="there is no store"):
        SqliteStore.open(tmp_path / "none.db", vault)
    with pytest.raises(NotFound, match="there is no store"):
        SqliteStore.open(tmp_path / "no folder" / "none.db", vault, create=True)
    assert list(tmp_path.glob("no*")) == []
    odd = tmp_path / "a store?100%#.db"
    SqliteStore.open(odd, vault, create=True).close()
    assert stat.S_IMODE(odd.stat().st_mode) == 0o600
    SqliteStore.open(odd, vault).close()


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, vault: Vault) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("dear reader, " * 400)
    with pytest.raises(AssentError, match="cannot be opened as a store: file is not a database"):
        SqliteStore.open(other, vault)
    assert other.read_text() == "dear reader, " * 400


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_an_empty_file_is_no_store_and_becomes_none(store: SqliteStore, file: Path, tmp_path: Path) -> None:
    store.close()
    file.write_bytes(b"")
    log = file.with_name("store.db-wal")
    log.write_bytes(b"what was not yet moved into the file")
    before = _files(tmp_path)
    with pytest.raises(AssentError, match="is empty and holds no store") as said:
        SqliteStore.open(file, vault_in(tmp_path))
    assert "assent restore" in said.value.fix
    assert _files(tmp_path) == before


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("table", ["letter", "alembic_version"])
def test_a_database_without_a_store_is_left_alone(tmp_path: Path, vault: Vault, mode: str, table: str) -> None:
    other = tmp_path / "other 100%.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
        connection.commit()
    before = _files(tmp_path)
    with pytest.raises(AssentError, match="is a database without a store in it") as said:
        SqliteStore.open(other, vault)
    assert "assent restore" in said.value.fix
    assert _files(tmp_path) == before


def test_a_store_whose_log_was_lost_before_it_was_moved_is_no_store(tmp_path: Path, vault: Vault) -> None:
    made = tmp_path / "made.db"
    store = SqliteStore.open(made, vault, create=True)
    lost = tmp_path / "lost.db"
    shutil.copy(made, lost)
    store.close()
    assert lost.stat().st_size > 0
    with pytest.raises(AssentError, match="is a database without a store in it"):
        SqliteStore.open(lost, vault)


def test_what_makes_a_store_may_find_an_empty_file(file: Path, vault: Vault) -> None:
    file.touch()
    SqliteStore.open(file, vault, create=True).close()
    SqliteStore.open(file, vault).close()


@pytest.mark.fault("full disk below the database")
def test_a_disk_that_is_full_loses_nothing(store: SqliteStore) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    with store._database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def full(connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 5}")

    event.listen(store._database.engine, "checkout", full)
    with pytest.raises(AssentError, match="could not be written: database or disk is full"):
        store.intake([talk(f"c{n}", title="x" * 5_000) for n in range(100)], plan="free", recorded_at=T0)
    assert store.counts().conversations == 1


def test_every_connection_erases_truly_and_answers_durably(store: SqliteStore) -> None:
    for connect in (store._database.reading, store._database.writing):
        with connect() as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "secure_delete", "foreign_keys", "synchronous", "recursive_triggers")
            }
        assert found == {
            "journal_mode": "wal",
            "secure_delete": 1,
            "foreign_keys": 1,
            "synchronous": 2,
            "recursive_triggers": 1,
        }


def test_a_sqlite_that_cannot_erase_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setitem(database._PRAGMAS, "secure_delete", ("FAST", 1))
    with pytest.raises(Refused, match="does not accept `secure_delete=FAST`"):
        SqliteStore.open(file, vault, create=True)


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("UPDATE choice SET act = 'allow'", "choices are append-only"),
        ("DELETE FROM choice", "choices are append-only"),
        ("REPLACE INTO choice SELECT * FROM choice", "choices are append-only"),
        ("UPDATE tombstone SET part = 'x'", "can lose its subject and nothing else"),
        ("DELETE FROM tombstone", "erased stays erased"),
    ],
)
def test_the_database_itself_refuses(store: SqliteStore, statement: str, answer: str) -> None:
    store.add_choice(choice("c", "decline"))
    store.intake([talk("one")], plan="free", recorded_at=T0)
    sweep_all(store, NOW)
    with pytest.raises(Exception, match=answer), store._database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert (store.counts().choices, store.counts().tombstones) == (1, 2)


def test_a_tombstone_can_lose_its_subject(store: SqliteStore) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    sweep_all(store, NOW)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE tombstone SET subject = NULL")
    assert {stone.subject for stone in store.tombstones(ALL).items} == {None}


def test_errors_of_the_database_do_not_quote_content(store: SqliteStore) -> None:
    store.intake([talk("one")], plan="free", recorded_at=T0)
    with pytest.raises(Exception, match="hidden") as caught, store._database.writing() as connection:
        connection.execute(text("INSERT INTO content VALUES (:part, :body)"), {"part": 10**6, "body": "very private"})
    assert "very private" not in str(caught.value)


def test_a_writer_that_waits_too_long_says_so(store: SqliteStore, file: Path, vault: Vault) -> None:
    impatient = SqliteStore.open(file, vault, busy_timeout_s=0.05)
    with (
        store._database.writing(),
        pytest.raises(AssentError, match=r"another process wrote for longer than 0\.05 s"),
    ):
        impatient.place_hold(hold("h"))
    impatient.place_hold(hold("h"))
    impatient.close()


def test_threads_write_one_after_the_other(store: SqliteStore) -> None:
    def work(number: int) -> None:
        for step in range(5):
            store.intake([talk(f"{number}-{step}")], plan="free", recorded_at=T0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.counts().conversations, store.counts().parts) == (20, 40)


def test_nomination_ranges_over_indexes_and_never_scans_parts(store: SqliteStore) -> None:
    with store._database.reading() as connection:
        candidates = store._candidates(connection, {}, pa.chunked_array([[1]]), NOW)
        query = columns.NARROW.where(part.c.key.in_(candidates))
        sql = str(query.compile(dialect=store._database.engine.dialect))
        steps = [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql)]
    scanned = {step for step in steps if step.startswith("SCAN")}
    assert scanned == {"SCAN n", "SCAN resting USING INDEX resting_by_woken"}  # bounds, and the few who are awake
    for name in ("created_at", "last_turn_at", "recorded_at"):
        assert any(f"part_by_retention_class_{name} (retention_class=? AND {name}<?)" in step for step in steps)
    for name in ("deleted_at", "account_closed_at", "moved_to_business_at"):
        assert any(f"part_by_{name} ({name}<?)" in step for step in steps)


# -- bytes ------------------------------------------------------------------------------


def bytes_of(file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(file.name + "*")))


def marker(number: int) -> str:
    return f"MARK{number:05}END"


def test_no_byte_of_what_was_erased_is_left(store: SqliteStore, file: Path) -> None:
    """Erased and kept conversations are mixed on every page; long names spill to overflow pages."""
    draw = random.Random(5)
    items = []
    for number in range(400):
        words = f" {marker(number)} " + "lorem ipsum " * draw.choice((1, 20, 120, 900)) + marker(number)
        at = T0 if number % 2 else day(55)
        item = talk(f"c{number}", at=at, title=f"title {marker(number)}", project=f"project {words}")
        items.append(item.__class__(**{**{f: getattr(item, f) for f in item.__slots__}, "parts": (
            item.parts[0].__class__(
                id="p", turn="p", speaker="user", origin="person", data="text", text="words", created_at=at,
                name=f"{marker(number)}.txt",
            ),
        )}))  # fmt: skip
    for start in range(0, len(items), 40):
        store.intake(items[start : start + 40], plan="free", recorded_at=T0)
    store.add_flag(Flag("f", "test:c1", day(-800), "abuse", "d", "r"))
    assert store.checkpoint()
    stored = bytes_of(file)
    assert all(stored.count(marker(number).encode()) == 3 for number in range(2, 400))

    sweep_all(store, NOW, batch=30)
    assert store.checkpoint()
    left = bytes_of(file)
    assert [number for number in range(1, 400, 2) if marker(number).encode() in left] == []
    assert all(left.count(marker(number).encode()) == 3 for number in range(0, 400, 2))


def test_a_reader_keeps_the_log_and_the_checkpoint_says_so(store: SqliteStore, file: Path, vault: Vault) -> None:
    items = [talk("one", project="marker-one"), talk("new", at=day(55), project="marker-new")]
    store.intake(items, plan="free", recorded_at=T0)
    assert store.checkpoint()
    impatient = SqliteStore.open(file, vault, busy_timeout_s=0.05)
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM part").scalar() == 4
        sweep_all(impatient, NOW)
        assert not impatient.checkpoint()
    assert impatient.checkpoint()
    assert b"marker-one" not in bytes_of(file)
    assert b"marker-new" in bytes_of(file)
    impatient.close()


# -- interruptions ----------------------------------------------------------------------


@pytest.mark.parametrize("table", ["tombstone", "sealed", "part", "flag", "conversation", "sweep", "erasure"])
def test_an_erasure_is_all_or_nothing_whatever_statement_breaks(store: SqliteStore, table: str) -> None:
    store.intake([talk("one"), talk("two")], plan="free", recorded_at=T0)
    store.add_flag(Flag("f", "test:one", day(-800), "abuse", "d", "r"))
    plan = plan_for(store, NOW)
    keys = list(keys_of(store, "test:one", "test:two").values())[:3]
    run = store.begin_sweep(plan.digest, NOW)
    before = list(store._database.engine.raw_connection().driver_connection.iterdump())

    def breaking(*event: object) -> None:
        words = str(event[2]).replace('"', "").split()
        if table in words[1:3] and words[0] in ("INSERT", "UPDATE", "DELETE"):
            raise ZeroDivisionError

    event.listen(store._database.engine, "after_cursor_execute", breaking)
    with pytest.raises(ZeroDivisionError):
        erase(store, run.id, keys, NOW)
    event.remove(store._database.engine, "after_cursor_execute", breaking)
    assert list(store._database.engine.raw_connection().driver_connection.iterdump()) == before
    assert erase(store, run.id, keys, NOW).erased == 3


def filled(path: Path) -> str:
    """Make a store with parts that are due, parts that are not and parts under a hold; returns the plan."""
    store = SqliteStore.open(path, vault_in(path.parent), create=True)
    store.put_accounts([Account("s1", plan="free")])
    items = [talk(f"c{n}", at=day(55) if n % 5 == 0 else T0, project=f"marker-c{n}-p") for n in range(300)]
    store.intake(items, plan=None, recorded_at=T0)
    plan = plan_for(store, NOW)
    for number in (7, 99, 200):
        store.place_hold(hold(f"h{number}", f"test:c{number}", day(1)))
    store.close()
    return plan.digest


def child(path: Path, plan: str) -> tuple[ForkServerProcess, Connection]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([sweep_child.__module__])
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=sweep_child, args=(tells, path, path.parent, plan, 4))
    process.start()
    tells.close()
    return process, hears


def run_to_the_end(path: Path, plan: str) -> None:
    process, hears = child(path, plan)
    process.join(timeout=120)
    hears.close()
    assert process.exitcode == 0


def state_of(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


@pytest.mark.fault("killed sweep")
def test_a_sweep_that_is_killed_again_and_again_ends_like_one_that_was_not(tmp_path: Path) -> None:
    plan = filled(tmp_path / "quiet.db")
    (tmp_path / "killed.db").write_bytes((tmp_path / "quiet.db").read_bytes())
    run_to_the_end(tmp_path / "quiet.db", plan)

    draw = random.Random(3)
    for kills in range(1, 11):
        process, hears = child(tmp_path / "killed.db", plan)
        for _ in range(draw.randrange(1, 9)):  # so many batches were answered; the kill falls into a later one
            hears.recv()
        time.sleep(draw.uniform(0, 0.01))
        process.kill()
        process.join(timeout=120)
        hears.close()
        assert process.exitcode == -signal.SIGKILL, f"the sweep ended before kill {kills}: give it more to do"
        with sqlite3.connect(tmp_path / "killed.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            bare = connection.execute("SELECT count(*) FROM part WHERE key NOT IN (SELECT part FROM sealed)")
            assert bare.fetchone() == (0,)
            erased = connection.execute("SELECT erased, (SELECT count(*) FROM tombstone) FROM sweep").fetchone()
            assert erased[0] == erased[1]
        connection.close()
    run_to_the_end(tmp_path / "killed.db", plan)
    assert state_of(tmp_path / "killed.db") == state_of(tmp_path / "quiet.db")
    left = bytes_of(tmp_path / "killed.db")
    gone = [n for n in range(300) if n % 5 and n not in (7, 99, 200)]
    assert [n for n in gone if f"marker-c{n}-".encode() in left] == []
    assert all(f"marker-c{n}-p".encode() in left for n in range(300) if n not in gone)
