"""A home from before the vault: the first command that opens its store moves the content out of the database."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from tests.unit.interfaces.homes import Home, claude_ai, made

from assent.store.schema import content, conversation, part, sealed
from assent.wiring import Wiring

WORDS = "MARKER of the morning"


def as_before_the_vault(home: Home) -> None:
    """Lay what is kept where an assent without a vault kept it."""
    with closing(Wiring(home.folder).store) as store, store._database.writing() as connection:
        keys = list(connection.scalars(select(part.c.key)))
        connection.execute(delete(sealed))
        connection.execute(insert(content), [{"part": key, "body": f"{WORDS} {key}"} for key in keys])
        connection.execute(update(conversation).values(title=WORDS, heading=None, heading_slot=None))


def database_of(home: Home) -> bytes:
    return b"".join(path.read_bytes() for path in home.folder.glob("assent.db*"))


def test_the_first_command_moves_the_content_and_the_next_one_finds_it_there(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    home("import", "claude-ai", claude_ai(tmp_path / "export", ("one", "2026-01-01T00:00:00Z")))
    as_before_the_vault(home)
    assert WORDS.encode() in database_of(home)
    first = home("status", "--json")
    assert first.status == 0
    assert first.err == "moving 2 parts out of the database into the vault, once\n  2 of 2\n"
    assert WORDS.encode() not in database_of(home)
    assert (home("status").err, home("status", "--json").out) == ("", first.out)
    with closing(Wiring(home.folder).store) as store:
        assert sorted(store.content_of([1, 2]).values()) == [f"{WORDS} 1", f"{WORDS} 2"]
        assert store.conversation("claude-ai:one").entry.title == WORDS
