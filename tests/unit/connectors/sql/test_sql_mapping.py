"""A mapping against its database: what is wrong is said with its key, its line and the fix; no table is overlooked."""

import re
import tomllib
from pathlib import Path

import pytest
from own_tables import PLAIN, PLAIN_TABLES, OwnTables

from assent.connectors.sql.mapping import EXAMPLE, Fault, parse
from assent.connectors.sql.product import Settings, connect
from assent.domain.errors import AssentError, Invalid, NotFound

WORD = "not-to-be-said"


def refused(tables: OwnTables) -> Invalid:
    with pytest.raises(Invalid) as raised:
        list(tables.product().list())
    return raised.value


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('table = "message"', 'table = "messages"', ("mapping.toml:9:1", "messages.0.table", "`message`")),
        (
            'content = "body"',
            'content = "text"',
            ("mapping.toml:13:1", "messages.0.content", "there are: `at`, `body`"),
        ),
        ('owner = "person"', 'owner = "persn"', ("mapping.toml:5:1", "conversations.owner", "`person`")),
        ('owner = "person"', 'owner = "account.plan"', ("mapping.toml:5:1", "conversations.owner", "there are")),
        ('role = "role"', "", ("mapping.toml:8:3", "messages.0", "`says`")),
        ('id = "id"\nrole', "role", ("messages.0.id", "it is missing", "--example")),
        ('created_at = "at"', 'create_at = "at"', ("messages.0.create_at", "not known", "--example")),
        ('conversation = "chat_id"', "", ("messages.0", "nothing leads to the conversation", "`on`")),
    ],
)
def test_a_wrong_key_is_named_with_its_line_and_the_fix(
    tmp_path: Path, right: str, wrong: str, said: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid) as raised:
        list(OwnTables(tmp_path, mapping=PLAIN.replace(right, wrong)).product().list())
    assert all(one in f"{raised.value}: {raised.value.fix}" for one in said), f"{raised.value}: {raised.value.fix}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "CREATE TABLE rating (id INTEGER, stars INTEGER, said INTEGER REFERENCES Message (ID))",
            "`rating` refers to `message`",
        ),
        ("CREATE TABLE summary (chat_id TEXT, words TEXT)", "`summary` has a column `chat_id`"),
        ("CREATE TABLE message_old (number INTEGER, body TEXT)", "`message_old` looks like `message`"),
        ("CREATE VIRTUAL TABLE found USING fts5 (words)", "`found` is an index of texts"),
    ],
)
def test_a_table_that_may_hold_copies_has_to_be_mapped(tmp_path: Path, table: str, said: str) -> None:
    tables = OwnTables(tmp_path, f"{PLAIN_TABLES}{table};")
    problem = refused(tables)
    assert said in problem.message
    assert "[[copies]]" in problem.fix
    assert "found_" not in problem.message  # what an index of texts is made of is no table of its own
    with pytest.raises(Invalid):
        tables.product().erase(["a"])
    name = said.split("`")[1]
    tables.mapping.write_text(f'{PLAIN}[[copies]]\ntable = "{name}"\ndo = "keep"\n')
    assert len(list(tables.product().list())) == 2


def test_a_row_that_must_point_at_what_goes_cannot_be_kept(tmp_path: Path) -> None:
    rating = "CREATE TABLE rating (id INTEGER, said INTEGER NOT NULL REFERENCES message (id));"
    tables = OwnTables(tmp_path, PLAIN_TABLES + rating, f'{PLAIN}[[copies]]\ntable = "rating"\ndo = "keep"\n')
    assert "`said` must point at `message`" in refused(tables).message
    tables.run("DROP TABLE rating; CREATE TABLE rating (id INTEGER, said INTEGER REFERENCES message (id));")
    tables.run("INSERT INTO rating VALUES (1, 1), (2, 3)")
    assert tables.erase("a") == {"a": "removed"}
    assert tables.rows("SELECT * FROM rating") == [(1, None), (2, 3)]


@pytest.mark.parametrize(
    ("copies", "said"),
    [
        ('table = "note"', "0 foreign keys"),
        ('table = "note"\non = { id = "nothing.id" }', "mapped nowhere"),
        ('table = "note"\non = { id = "message.id", more = "chat.id" }', "several tables"),
        ('table = "note"\nconversation = "id"\ndo = "blank"', "which columns"),
        ('table = "note"\nconversation = "id"\ndo = "blank"\nblank = ["size"]', "`size` cannot be empty"),
        ('table = "note"\nconversation = "id"\nshared = true', "by `on`"),
    ],
)
def test_a_copy_that_leads_nowhere_is_refused(tmp_path: Path, copies: str, said: str) -> None:
    note = "CREATE TABLE note (id TEXT, more TEXT, size INTEGER NOT NULL);"
    with pytest.raises(Invalid, match=said):
        list(OwnTables(tmp_path, PLAIN_TABLES + note, f"{PLAIN}[[copies]]\n{copies}\n").product().list())


def test_the_example_can_be_read() -> None:
    import tomllib

    mapping = parse(tomllib.loads(EXAMPLE), Fault())
    assert [one.do for one in mapping.copies] == ["delete", "delete", "blank", "look", "keep"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "which database"),
        ({"file": Path("x.db"), "database": "postgresql://h/d"}, "which database"),
        ({"database": "postgresql://me:" + WORD + "@db.example/chats"}, "holds a password"),
        ({"database": "oracle://h/d"}, "no kind of database"),
        ({"database": "nonsense"}, "no address"),
    ],
)
def test_a_database_is_named_in_one_way_and_its_password_is_not_in_the_address(
    tmp_path: Path, keys: dict[str, object], said: str
) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(PLAIN)
    with pytest.raises(AssentError, match=said) as raised:
        connect(Settings(name="own", folder=tmp_path, mapping=mapping, **keys), Path.read_text)
    assert WORD not in f"{raised.value} {raised.value.fix}"


def test_a_mapping_stands_in_one_place(tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    said = {"table": "chat", "id": "id"}
    with pytest.raises(Invalid, match="two places"):
        connect(
            Settings(name="own", folder=tmp_path, file=tables.file, mapping=tables.mapping, conversations=said),
            Path.read_text,
        )
    with pytest.raises(Invalid, match="conversations"):
        connect(Settings(name="own", folder=tmp_path, file=tables.file), Path.read_text)
    with pytest.raises(NotFound):
        connect(Settings(name="own", folder=tmp_path, file=tables.file, mapping=tmp_path / "none"), Path.read_text)


def test_the_mapping_of_the_page_can_be_read() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/systems.md").read_text("utf-8")
    (block,) = re.findall(r"^## Your own tables.*?```toml\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert parse(tomllib.loads(block), Fault()).conversations.table == "chat"
