"""What chats and pages bring along cannot steer the terminal of whoever reads about them, nor feign a line."""

import re
from pathlib import Path

import pytest
from homes import NOW, Home, Said, call, claude_ai, made
from hypothesis import given
from hypothesis import strategies as st

from assent.interfaces.cli.app import escaped, escaped_text
from assent.wiring import Wiring

EVIL = "ti\x1b[31mtle\nnew\tline\x07\x7f\x85\x9b2J\u2028\u202egnp\u2066"
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = made(tmp_path / "home", "anthropic/2025-10-08")
    claude_ai(tmp_path / "export", (EVIL, "2025-12-31T10:00:00Z"), text=f"what is {EVIL}?")
    assert home("import", "claude-ai", tmp_path / "export").status == 0
    return home


def tame(said: Said) -> bool:
    return said.status == 0 and not CONTROLS.search(said.out + said.err)


def test_a_chat_stays_on_its_line_wherever_it_is_listed(home: Home) -> None:
    every = home("explain", "--all")
    assert tame(every)
    listed, counted = every.out.splitlines()
    assert r"title of ti\x1b[31mtle\nnew\tli" in listed
    assert counted.startswith("1 of 1 conversations")
    record = home("explain", "--all", "--json").json()
    told = home("explain", record["conversation"])
    assert tame(told)
    assert "\\u202egnp\\u2066" in told.out.splitlines()[0]


def test_a_chat_is_read_with_its_own_line_ends_and_nothing_that_steers(home: Home) -> None:
    record = home("explain", "--all", "--json").json()
    assert home("hold", "everyone", "--matter", "M", "--author", "ann", "--reason", "order").status == 0
    said = home("read", record["conversation"], "--for", "legal", "--by", "desk", "--reason", "they asked")
    assert said.status == 0, said.err
    assert "\nnew\tline\\x07\\x7f\\x85\\x9b2J\\u2028\\u202egnp" in said.out
    assert not CONTROLS.search(said.out.replace("\t", ""))


def test_what_an_operator_typed_is_tame_too(home: Home) -> None:
    assert home("approve", "ask", "exceed", "x", "--by", "ann", "--reason", EVIL).status == 0
    said = home("approve", "list")
    assert tame(said)
    assert len(said.out.splitlines()) == 1


def test_holds_and_matters_are_tame_too(home: Home) -> None:
    said = home("hold", "person", EVIL, "--matter", EVIL, "--author", EVIL, "--reason", EVIL)
    assert said.status == 0, said.err
    assert tame(said)
    for listing in ("list", "matters"):
        assert tame(home("hold", listing))
        assert len(home("hold", listing).out.splitlines()) == 1


def test_an_error_is_one_line_whatever_it_quotes(tmp_path: Path) -> None:
    said = call(Wiring(tmp_path, NOW), "policy", "show", EVIL)
    assert said.status == 3
    assert len(said.err.splitlines()) == 2
    assert not CONTROLS.search(said.err)


def test_sentences_of_a_page_are_tame(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Feedback is kept for \x1b[31m10 years\u202e.", "utf-8")
    said = call(Wiring(tmp_path, NOW), "notice", "compare", page, "--policy", "anthropic/2025-10-08")
    assert r"\x1b[31m" in said.out
    assert not CONTROLS.search(said.out)


@given(st.text(st.characters()))
def test_nothing_steers_after_it_was_escaped_and_plain_text_stays(text: str) -> None:
    line = escaped(text)
    assert not CONTROLS.search(line)
    assert "\n" not in line
    line.encode()
    assert escaped_text(text).count("\n") == text.count("\n")
    plain = "".join(one for one in text if one.isprintable())
    assert escaped(plain) == plain
