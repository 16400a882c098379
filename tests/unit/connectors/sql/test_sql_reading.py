"""Listing, reading and watching somebody's own tables, in every way that people write times, roles and turns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from own_tables import PLAIN, PLAIN_TABLES, OwnTables

from assent.connectors.formats.port import Malformed, Skipped
from assent.connectors.port import Listed
from assent.connectors.sql.values import moment
from assent.domain.conversation import Conversation

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def read_one(tables: OwnTables, name: str = "a") -> Conversation:
    (found,) = tables.product().read([name])
    assert isinstance(found, Conversation), found
    return found


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (1_767_268_800, "seconds"),
        (1_767_268_800_000, "milliseconds"),
        ("1767268800000000", "microseconds"),
        (1_767_268_800_000_000_000, "nanoseconds"),
        (1_767_268_800_000, "auto"),
        ("2026-01-01 12:00:00", "auto"),
        ("2026-01-01T13:00:00+01:00", "seconds"),
        ("2026-01-01 12:00:00.000000", "auto"),
        (datetime(2026, 1, 1, 12), "auto"),  # noqa: DTZ001 - as a driver gives it
    ],
)
def test_times_are_read_in_every_unit(value: object, units: str) -> None:
    assert moment(value, units) == NOON


@pytest.mark.parametrize("value", [None, "", "soon", "99999999999999999999", b"", True, -(10**30)])
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment(value, "auto") is None
    assert moment(value, "seconds") is None


def test_the_last_turn_is_the_persons_own_whatever_the_row_says(tmp_path: Path) -> None:
    listed = {one.id: one for one in OwnTables(tmp_path).product().list() if isinstance(one, Listed)}
    assert listed["a"].last_turn_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert listed["b"].last_turn_at == datetime(2026, 1, 2, 9, tzinfo=UTC)
    assert (listed["a"].owner, listed["a"].created_at) == ("p1", datetime(2026, 1, 1, 10, tzinfo=UTC))


def test_a_prompt_and_its_answer_in_one_row_are_two_turns(tmp_path: Path) -> None:
    script = """
    CREATE TABLE log (id INTEGER PRIMARY KEY, session TEXT, who TEXT, prompt TEXT, answer TEXT, at INTEGER);
    INSERT INTO log VALUES (1, 'a', 'p1', 'one?', 'one.', 1767268800), (2, 'a', 'p1', 'two?', 'two.', 1767268860),
        (3, 'b', 'p2', 'beta?', 'beta.', 1767268800), (4, NULL, 'p3', 'nobody', '', 0);
    """
    entry = '[[messages]]\ntable = "log"\nconversation = "session"\nid = "id"\ncreated_at = "at"\n'
    mapping = (
        '[conversations]\ntable = "log"\nid = "session"\nowner = "who"\ncreated_at = "at"\n'
        f'{entry}content = "prompt"\nsays = "person"\n{entry}content = "answer"\nsays = "model"\n'
    )
    tables = OwnTables(tmp_path, script, mapping)
    listed = list(tables.product().list())
    assert [(one.id, one.owner) for one in listed if isinstance(one, Listed)] == [("a", "p1"), ("b", "p2")]
    assert len(listed) == 3  # and the one without an id is said
    found = read_one(tables)
    assert [part.text for part in found.parts] == ["one?", "one.", "two?", "two."]
    assert [part.speaker for part in found.parts] == ["user", "assistant"] * 2
    assert found.last_turn_at == NOON + timedelta(minutes=1)
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT session FROM log ORDER BY id") == [("b",), (None,)]


def test_content_blocks_are_read_and_strange_ones_named(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.run("""
        UPDATE message SET body = '[{"type": "text", "text": "as a block"}, {"type": "image_url"}]' WHERE id = 1;
        UPDATE message SET body = '[{"no json' WHERE id = 2;
        UPDATE message SET role = 'oracle' WHERE id = 3;
    """)
    assert [(part.data, part.text) for part in read_one(tables).parts] == [
        ("text", "as a block"), ("image", ""), ("text", '[{"no json'),
    ]  # fmt: skip
    (broken,) = tables.product().read(["b"])
    assert isinstance(broken, Malformed)
    assert "beta" not in str(broken)
    tables.run("DELETE FROM message WHERE chat_id = 'b'")
    assert isinstance(next(iter(tables.product().read(["b"]))), Skipped)


def test_messages_that_lead_to_their_conversation_through_another_table(tmp_path: Path) -> None:
    script = (
        PLAIN_TABLES
        + """
    CREATE TABLE branch (id INTEGER PRIMARY KEY, chat_id TEXT REFERENCES chat (id));
    INSERT INTO branch VALUES (1, 'a'), (2, 'b');
    DROP TABLE message;
    CREATE TABLE message (id INTEGER PRIMARY KEY, branch INTEGER, role TEXT, body TEXT, at INTEGER);
    INSERT INTO message VALUES (1, 1, 'user', 'alpha', 1767268800), (2, 2, 'user', 'beta', 1767268800);
    """
    )
    mapping = PLAIN.replace('conversation = "chat_id"', 'on = { branch = "branch.id" }')
    tables = OwnTables(tmp_path, script, mapping + '[[copies]]\ntable = "branch"\n')
    assert [part.text for part in read_one(tables).parts] == ["alpha"]
    assert {one.last_turn_at for one in tables.product().list()} == {NOON}
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT id FROM message UNION ALL SELECT id FROM branch") == [(2,), (2,)]


@pytest.mark.parametrize("together", [2, 3, 7])
def test_pages_leave_nothing_out_and_repeat_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    script = PLAIN_TABLES.replace("id TEXT PRIMARY KEY", "id TEXT COLLATE NOCASE")
    names = [f"{letter}{number}" for number in range(10) for letter in "xX"]
    tables = OwnTables(tmp_path, script + "".join(f"INSERT INTO chat VALUES ('{one}', NULL, NULL);" for one in names))
    monkeypatch.setattr("assent.connectors.sql.reading.PAGE", together)
    assert sorted(one.id for one in tables.product().list()) == sorted([*names, "a", "b"])


def test_watching_tells_a_turn_from_a_pin_and_goes_on_where_it_was(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path, mapping=PLAIN.replace('begun"', 'begun"\nupdated_at = "person"'))
    first = list(tables.product().watch())
    assert [(one.id, one.kind) for one in first] == [("a", "created"), ("b", "created")]
    tables.run("UPDATE chat SET person = 'p9' WHERE id = 'a'")
    tables.run("INSERT INTO message VALUES (9, 'b', 'user', 'more', '2026-03-01 00:00:00')")
    assert [(one.id, one.kind) for one in tables.product().watch(first[-1].cursor)] == [("b", "turn"), ("a", "changed")]
    tables.run("DELETE FROM chat WHERE id = 'a'")
    assert [(one.id, one.kind) for one in tables.product().watch("4")] == [("a", "deleted")]
    assert len(list(tables.product().watch())) == 5
