"""Erasing in somebody's own tables: deep and odd ones, and what must stay."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from own_tables import PLAIN, PLAIN_TABLES, OwnTables

from assent.connectors.port import state_of
from assent.domain.errors import AssentError, NotFound, Refused

GONE = {("rows of chat", "1 row"), ("rows of message", "2 rows")}


def test_a_conversation_goes_and_its_neighbour_stays(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    assert tables.found("a") == GONE
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM chat") == [("b",)]
    assert tables.rows("SELECT id FROM message ORDER BY id") == [(3,), (4,)]
    assert tables.bytes_of("alpha") == 0
    assert tables.bytes_of("beta") == 2


def test_messages_whose_conversation_is_gone_are_found_by_its_id(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.run("DELETE FROM chat WHERE id = 'a'")
    assert tables.found("a") == {("rows of message", "2 rows")}
    assert tables.erase("a") == {"a": "removed"}


def test_what_refers_to_a_conversation_that_is_gone_is_found_by_its_id(tmp_path: Path) -> None:
    script = PLAIN_TABLES + (
        "CREATE TABLE note (id TEXT PRIMARY KEY, chat TEXT REFERENCES chat, body TEXT);"
        "INSERT INTO note VALUES ('n1', 'a', 'alpha'), ('n2', 'b', 'beta');"
    )
    tables = OwnTables(tmp_path, script, PLAIN + '\n[[copies]]\ntable = "note"\n')
    tables.run("DELETE FROM message WHERE chat_id = 'a'")
    tables.run("DELETE FROM chat WHERE id = 'a'")
    assert tables.found("a") == {("rows of note", "1 row")}
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM note") == [("n2",)]


def test_equal_for_the_database_is_not_the_same_id(tmp_path: Path) -> None:
    script = PLAIN_TABLES.replace("id TEXT PRIMARY KEY", "id TEXT COLLATE NOCASE").replace(
        "chat_id TEXT", "chat_id TEXT COLLATE NOCASE"
    )
    tables = OwnTables(
        tmp_path, script + "INSERT INTO chat VALUES ('A', 'p3', ''); UPDATE message SET chat_id = 'A' WHERE id = 2;"
    )
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM chat ORDER BY person") == [("b",), ("A",)]
    assert tables.rows("SELECT id FROM message ORDER BY id") == [(2,), (3,), (4,)]


@pytest.mark.parametrize("kind", ["INTEGER PRIMARY KEY", "", "NUMERIC", "REAL"])
def test_a_number_is_reached_as_it_is_written_and_not_otherwise(tmp_path: Path, kind: str) -> None:
    script = (
        PLAIN_TABLES.replace("chat (id TEXT PRIMARY KEY", f"chat (id {kind}").replace("'a'", "7").replace("'b'", "8")
    )
    tables = OwnTables(tmp_path, script.replace("chat_id TEXT", f"chat_id {kind.removesuffix(' PRIMARY KEY')}"))
    name, other = sorted(str(row[0]) for row in tables.rows("SELECT id FROM chat"))
    strange = ["07", "+7", " 7", "7 ", "7x", "7.00", "0x7", "7e0"]
    assert set(tables.erase(*strange).values()) == {"removed"}
    assert len(tables.rows("SELECT * FROM message")) == 4
    assert tables.erase(name) == {name: "removed"}
    assert [str(row[0]) for row in tables.rows("SELECT id FROM chat")] == [other]


def test_names_that_need_quoting_are_quoted(tmp_path: Path) -> None:
    odd = """the "chat" table; -- %s :x"""
    quoted = odd.replace('"', '""')
    tables = OwnTables(
        tmp_path,
        f"""CREATE TABLE "{quoted}" ("select" TEXT PRIMARY KEY, "a.b" TEXT);
        CREATE TABLE "or""der" ("group" INTEGER PRIMARY KEY, "%(x)s" TEXT, "role :r" TEXT, "[body]" TEXT,
            "at`" INTEGER);
        INSERT INTO "{quoted}" VALUES ('a', 'p1'), ('b', 'p2');
        INSERT INTO "or""der" VALUES (1, 'a', 'user', 'alpha', 1767225600), (2, 'b', 'user', 'beta', 1767225600);""",
        f"""
        conversations = {{ table = '{odd}', id = 'select', owner = 'a.b' }}
        [[messages]]
        table = 'or"der'
        conversation = '%(x)s'
        id = 'group'
        role = 'role :r'
        content = '[body]'
        created_at = 'at`'
        """,
    )
    assert {one.owner for one in tables.product().list()} == {"p1", "p2"}
    assert [part.text for one in tables.product().read(["a"]) for part in one.parts] == ["alpha"]
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows('SELECT "[body]" FROM "or""der"') == [("beta",)]


# -- deep, composite, in a circle ---------------------------------------------------------------

DEEP = """
[[copies]]
table = "file"
on = { chat = "message.chat_id", number = "message.number" }
files = "path"

[[copies]]
table = "page"

[[copies]]
table = "word"
"""
DEEP_TABLES = """
CREATE TABLE chat (id TEXT PRIMARY KEY, person TEXT, begun TEXT, newest INTEGER,
    FOREIGN KEY (id, newest) REFERENCES message (chat_id, number));
CREATE TABLE message (chat_id TEXT REFERENCES chat (id) NOT NULL, number INTEGER, role TEXT, body TEXT, at TEXT,
    above INTEGER, PRIMARY KEY (chat_id, number), FOREIGN KEY (chat_id, above) REFERENCES message (chat_id, number));
CREATE TABLE file (id INTEGER PRIMARY KEY, chat TEXT, number INTEGER, path TEXT);
CREATE TABLE page (file_id INTEGER REFERENCES file (id) NOT NULL, page INTEGER, PRIMARY KEY (file_id, page));
CREATE TABLE word (file INTEGER, page INTEGER, word TEXT, FOREIGN KEY (file, page) REFERENCES page (file_id, page));
INSERT INTO chat VALUES ('a', 'p1', '', NULL), ('b', 'p2', '', NULL);
INSERT INTO message VALUES ('a', 1, 'user', 'alpha', '', NULL), ('a', 2, 'user', 'alpha', '', 1);
INSERT INTO message VALUES ('b', 1, 'user', 'beta', '', NULL);
UPDATE chat SET newest = 1;
INSERT INTO file VALUES (10, 'a', 1, NULL), (11, 'a', 2, NULL), (12, 'b', 1, 'kept.pdf');
INSERT INTO page VALUES (10, 1), (11, 1), (12, 1), (12, 2);
INSERT INTO word VALUES (10, 1, 'alpha'), (11, 1, 'alpha'), (12, 1, 'beta'), (12, 2, 'beta');
"""


def deep(tmp_path: Path) -> OwnTables:
    return OwnTables(tmp_path, DEEP_TABLES, PLAIN.replace('id = "id"\nrole', 'id = "number"\nrole') + DEEP)


def test_children_of_children_go_by_keys_of_two_columns(tmp_path: Path) -> None:
    tables = deep(tmp_path)
    assert tables.found("a") == {
        ("rows of chat", "1 row"), ("rows of message", "2 rows"), ("rows of file", "2 rows"),
        ("rows of page", "2 rows"), ("rows of word", "2 rows"),
    }  # fmt: skip
    assert tables.erase("a") == {"a": "removed"}
    assert tables.bytes_of("alpha") == 0
    assert [len(tables.rows(f"SELECT * FROM {one}")) for one in ("chat", "message", "file", "page", "word")] == [
        1,
        1,
        1,
        2,
        2,
    ]


def test_children_that_a_crash_left_behind_are_found_by_what_is_remembered(tmp_path: Path) -> None:
    tables = deep(tmp_path)
    tables.erase("a")
    tables.run("INSERT INTO word VALUES (10, 1, 'alpha')")  # written late, by a worker that knew the page
    verified = tables.product().verify(["a"])["a"]
    assert {copy.kind for copy in verified if copy.state == "present"} == {"rows of word"}
    assert tables.erase("a") == {"a": "removed"}
    assert tables.bytes_of("alpha") == 0


def test_files_outside_the_database_are_said_to_be_out_of_reach(tmp_path: Path) -> None:
    tables = deep(tmp_path)
    assert tables.erase("b") == {"b": "not reachable"}
    left = [copy for copy in tables.product().verify(["b"])["b"] if copy.state != "removed"]
    assert [(copy.kind, copy.state) for copy in left] == [("files named in file.path", "not reachable")]
    assert "kept.pdf" not in str(left)


def test_a_key_that_cascades_takes_no_kept_conversation_along(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.run("""
        ALTER TABLE chat ADD COLUMN forked TEXT REFERENCES chat (id) ON DELETE CASCADE;
        UPDATE chat SET forked = 'a' WHERE id = 'b';
    """)
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id, forked FROM chat") == [("b", None)]


def test_a_history_that_a_trigger_writes_goes_too(tmp_path: Path) -> None:
    history = """
    CREATE TABLE message_history (chat_id TEXT, body TEXT);
    CREATE TRIGGER kept AFTER DELETE ON message BEGIN INSERT INTO message_history VALUES (old.chat_id, old.body); END;
    """
    mapping = PLAIN + '[[copies]]\ntable = "message_history"\nconversation = "chat_id"\n'
    tables = OwnTables(tmp_path, PLAIN_TABLES + history, mapping)
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT * FROM message_history") == []
    assert tables.bytes_of("alpha") == 0


# -- rows that stay ---------------------------------------------------------------------------------


def test_a_shared_row_goes_with_the_last_that_uses_it(tmp_path: Path) -> None:
    more = """
    CREATE TABLE attached (message_id INTEGER, file_id INTEGER);
    CREATE TABLE file (id INTEGER PRIMARY KEY, body TEXT);
    CREATE TABLE profile (id INTEGER PRIMARY KEY, picture INTEGER);
    INSERT INTO file VALUES (1, 'only alpha'), (2, 'both'), (3, 'alpha and a profile');
    INSERT INTO attached VALUES (1, 1), (1, 2), (2, 2), (3, 2), (2, 3);
    INSERT INTO profile VALUES (1, 3);
    """
    mapping = (
        PLAIN
        + """
    [[copies]]
    table = "attached"
    on = { message_id = "message.id" }
    [[copies]]
    table = "file"
    on = { id = "attached.file_id" }
    shared = true
    used_by = ["profile.picture"]
    """
    )
    tables = OwnTables(tmp_path, PLAIN_TABLES + more, mapping)
    assert ("rows of file", "1 row") in tables.found("a")
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM file") == [(2,), (3,)]
    assert tables.erase("b") == {"b": "removed"}
    assert tables.rows("SELECT id FROM file") == [(3,)]


def test_rows_of_the_accounts_stay_and_only_their_texts_go(tmp_path: Path) -> None:
    bill = """
    CREATE TABLE bill (id INTEGER PRIMARY KEY, chat_id TEXT, prompt TEXT NOT NULL, answer BLOB, tokens INTEGER);
    INSERT INTO bill VALUES (1, 'a', 'alpha', x'616c706861', 7), (2, 'b', 'beta', NULL, 8);
    """
    mapping = (
        PLAIN + '[[copies]]\ntable = "bill"\nconversation = "chat_id"\ndo = "blank"\nblank = ["prompt", "answer"]\n'
    )
    tables = OwnTables(tmp_path, PLAIN_TABLES + bill, mapping)
    assert ("rows of bill", "1 row") in tables.found("a")
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT * FROM bill") == [(1, "a", "", None, 7), (2, "b", "beta", None, 8)]
    assert tables.found("a") == set()
    assert tables.bytes_of("alpha") == 0


# -- other programs ---------------------------------------------------------------------------------


def test_another_program_that_reads_an_older_state_keeps_it_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.connectors.sql.database.LOCK_S", 0.2)
    tables = OwnTables(tmp_path)
    tables.run("PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(tables.file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        with pytest.raises(Refused, match="program"):
            tables.product().erase(["a"], maintenance=True)
        assert state_of(tables.product().verify(["a"])["a"]) == "pending maintenance"
    assert tables.erase("a") == {"a": "removed"}
    assert tables.bytes_of("alpha") == 0


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.file.unlink()
    with pytest.raises(NotFound):
        list(tables.product().list())
    assert not tables.file.exists()


def test_an_error_of_the_database_quotes_nothing(tmp_path: Path) -> None:
    tables = OwnTables(
        tmp_path, PLAIN_TABLES + "CREATE TRIGGER no BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'alpha'); END;"
    )
    with pytest.raises(AssentError) as raised:
        tables.product().erase(["a"])
    assert "alpha" not in f"{raised.value} {raised.value.fix}"
    assert tables.found("a") == GONE


def test_what_the_database_takes_along_by_itself_is_only_looked_for(tmp_path: Path) -> None:
    rating = """
    CREATE TABLE rating (said INTEGER REFERENCES message (id) ON DELETE CASCADE, words TEXT);
    INSERT INTO rating VALUES (1, 'alpha'), (3, 'beta');
    """
    tables = OwnTables(tmp_path, PLAIN_TABLES + rating, PLAIN + '[[copies]]\ntable = "rating"\ndo = "look"\n')
    assert ("rows of rating", "1 row") in tables.found("a")
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT words FROM rating") == [("beta",)]


def test_a_kept_row_that_must_point_at_what_goes_undoes_the_whole(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.run("""
        CREATE TABLE answer (id INTEGER PRIMARY KEY, chat_id TEXT, of INTEGER NOT NULL REFERENCES message (id));
        INSERT INTO answer VALUES (1, 'b', 1);
    """)
    tables.mapping.write_text(PLAIN + '[[copies]]\ntable = "answer"\nconversation = "chat_id"\n')
    with pytest.raises(AssentError, match="refers to it"):
        tables.product().erase(["a"])
    assert tables.found("a") == GONE
    assert set(tables.product().erase(["b", "a"])) == {"a", "b"}
    assert tables.rows("SELECT id FROM chat") == []


def test_a_row_of_a_conversation_that_says_nothing_can_stay(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path, mapping=PLAIN.replace('table = "chat"', 'table = "chat"\ndo = "keep"'))
    assert tables.found("a") == {("rows of message", "2 rows")}
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM chat ORDER BY id") == [("a",), ("b",)]
    assert tables.bytes_of("alpha") == 0


def test_a_number_that_is_given_again_leads_to_nobody_elses_rows(tmp_path: Path) -> None:
    file = "CREATE TABLE file (message_id INTEGER, body TEXT); INSERT INTO file VALUES (4, 'beta');"
    tables = OwnTables(
        tmp_path, PLAIN_TABLES + file, PLAIN + '[[copies]]\ntable = "file"\non = { message_id = "message.id" }\n'
    )
    assert tables.erase("b") == {"b": "removed"}
    # SQLite gives the greatest number once more, and this time to another conversation
    tables.run("INSERT INTO message VALUES (4, 'a', 'user', 'kept', ''); INSERT INTO file VALUES (4, 'kept file')")
    assert state_of(tables.product().verify(["b"])["b"]) == "removed"
    assert tables.erase("b") == {"b": "removed"}
    assert tables.rows("SELECT body FROM file") == [("kept file",)]
    assert ("rows of file", "1 row") in tables.found("a")
