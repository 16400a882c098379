"""The commands, with somebody's own tables: an example to begin with, what is connected, a dry run, an erasure."""

import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.connectors.sql.own_tables import OwnTables
from tests.unit.interfaces.homes import Home


@pytest.fixture
def home(tmp_path: Path, empty_home: Path) -> Home:
    shutil.copytree(empty_home, tmp_path / "home")
    return Home(tmp_path / "home", datetime(2026, 2, 1, tzinfo=UTC))


def test_the_example_is_printed_and_is_toml(home: Home) -> None:
    said = home("connect", "sql", "--example")
    assert said.status == 0
    assert tomllib.loads(said.out)["conversations"]["table"] == "chat"
    assert "--example" in home("connect", "sql", "--help").out


def test_tables_are_connected_shown_tried_dry_and_erased(home: Home, tmp_path: Path) -> None:
    tables, due = OwnTables(tmp_path), tmp_path / "due.txt"
    due.write_text("a\n")
    assert home("connect", "sql", "--name", "own", "--file", tables.file, "--from", tables.mapping).status == 0
    shown = home("connector", "show", "own")
    assert "messages: 1 entries" in shown.out
    assert "rows in chat, message" in shown.out
    dry = home("connector", "erase", "own", "--ids", due, "--dry-run")
    assert (dry.status, "rows of message" in dry.out) == (0, True)
    assert len(tables.rows("SELECT * FROM message")) == 4
    assert home("connector", "erase", "own", "--ids", due, "--yes").status == 4
    assert home("connector", "erase", "own", "--ids", due, "--yes", "--maintenance").status == 0
    assert len(tables.rows("SELECT * FROM message")) == 2
    assert home("connector", "import", "own").status == 0


def test_a_mapping_that_does_not_fit_connects_nothing(home: Home, tmp_path: Path) -> None:
    tables = OwnTables(tmp_path)
    tables.mapping.write_text(tables.mapping.read_text().replace('"body"', '"bodi"'))
    said = home("connect", "sql", "--name", "own", "--file", tables.file, "--mapping", tables.mapping)
    assert said.status == 1
    assert "mapping.toml:13:1" in said.err
    assert "did you mean `body`?" in said.err
    assert home("connector", "list").out.find("own") == -1
