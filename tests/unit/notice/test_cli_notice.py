"""`assent notice`: the commands, what they print and how they end."""

import json
from pathlib import Path

import pytest
from notices import NAME, edited, notice_text

from assent.interfaces.cli.app import run
from assent.wiring import Wiring

DEMO = "lantern/2025-10-08"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Wiring:
    assert run(["init", str(tmp_path / "home"), "--policy", NAME], Wiring()) == 0
    capsys.readouterr()
    return Wiring(tmp_path / "home")


def test_a_new_notice_passes_the_lint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notice", "new", "--policy", NAME], Wiring()) == 0
    file = tmp_path / "notice.toml"
    file.write_text(capsys.readouterr().out, "utf-8")
    assert run(["notice", "lint", str(file)], Wiring()) == 0
    assert "0 errors" in capsys.readouterr().out


def test_lint_names_the_check_place_and_remedy_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(edited(notice_text(), ('order = "random"', 'order = "allow first"')), "utf-8")
    assert run(["notice", "lint", str(file)], Wiring()) == 2
    assert f"{file}:13:1: error N-R05: the allowing answer always stands first" in capsys.readouterr().out
    assert run(["notice", "lint", str(file), "--json"], Wiring()) == 2
    checks = [found["check"] for found in json.loads(capsys.readouterr().out)["findings"]]
    assert "N-R05" in checks


def test_a_broken_manifest_ends_with_1_and_a_missing_one_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("assent = 2\n", "utf-8")
    assert run(["notice", "lint", str(file)], Wiring()) == 1
    assert "`notice` is missing" in capsys.readouterr().err
    assert run(["notice", "lint", str(tmp_path / "none.toml")], Wiring()) == 3


def test_render_draws_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    order = ["--order", "allow,decline,defer", "--defers-left", "2"]
    assert run(["notice", "render", DEMO, "--surface", "terminal", "--locale", "de", *order], Wiring()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Darf Lantern Ihre Chats für das Training von Modellen nutzen?"
    assert "  1  Erlauben" in lines
    assert run(["notice", "render", DEMO, "--order", "allow"], Wiring()) == 2


def test_a_text_that_was_kept_is_shown_again(home: Wiring, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notice", "render", DEMO, "--surface", "html", "--keep"], home) == 0
    drawn = capsys.readouterr()
    digest = drawn.err.strip()
    assert run(["notice", "show", digest], home) == 0
    shown = capsys.readouterr()
    assert shown.out == drawn.out
    assert "gives the same bytes again" in shown.err
    assert run(["notice", "show", "sha256:" + "0" * 64], home) == 3


def test_a_notice_is_added_if_the_lint_finds_no_errors(
    home: Wiring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(edited(notice_text(), ('version = "1"', 'version = "2"')), "utf-8")
    assert run(["notice", "add", str(file), "--json"], home) == 0
    added = json.loads(capsys.readouterr().out)
    assert home.store.notices()[-1].digest == added["digest"]
    assert (added["version"], added["policy"]) == ("2", NAME)
    file.write_text(edited(notice_text(), ('order = "random"', 'order = "allow first"')), "utf-8")
    assert run(["notice", "add", str(file)], home) == 2
    assert "error N-R05" in capsys.readouterr().out
    file.write_text(edited(notice_text(), (f'policy = "{NAME}"', 'policy = "another/1"')), "utf-8")
    assert run(["notice", "add", str(file)], home) == 3
    file.write_text("assent = 2\n", "utf-8")
    assert run(["notice", "add", str(file)], home) == 1
    assert len(home.store.notices()) == 2


def test_pages_and_changes_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notice", "pages", DEMO, "--out", str(tmp_path / "public")], Wiring()) == 0
    names = capsys.readouterr().out.split()
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == sorted(names)
    assert run(["notice", "changes", "anthropic/2025-05-01", NAME, "--html"], Wiring()) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


def test_compare_ends_with_2_where_the_policy_contradicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>Feedback is kept for 10 years.</p>", "utf-8")
    assert run(["notice", "compare", str(page), "--policy", NAME], Wiring()) == 2
    assert "page.html:1: contradicted, feedback: Feedback is kept for 10 years." in capsys.readouterr().out
    page.write_text("<p>Feedback is kept for 5 years.</p>", "utf-8")
    assert run(["notice", "compare", str(page), "--policy", NAME, "--json"], Wiring()) == 0
    assert json.loads(capsys.readouterr().out)[0]["answer"] == "confirmed"
    assert run(["notice", "compare", str(tmp_path / "none.html"), "--policy", NAME], Wiring()) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the page holds no text"),
        (b" \n", "the page holds no text"),
        (b"<html><head><style>p {}</style></head><body></body></html>", "the page holds no text"),
        (bytes(range(256)), "the page cannot be read"),
        ("Feedback is kept for 10 years.".encode("utf-16"), "the page cannot be read"),
    ],
)
def test_compare_ends_with_1_where_a_page_cannot_be_read(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(content)
    assert run(["notice", "compare", str(page), "--policy", NAME], Wiring()) == 1
    problem, fix = capsys.readouterr().err.splitlines()
    assert said in problem
    assert fix.strip()


def test_compare_reads_a_page_of_older_days(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes("<p>Café: feedback is kept for 5 years.</p>".encode("latin-1"))
    assert run(["notice", "compare", str(page), "--policy", NAME], Wiring()) == 0


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notice", "schema"], Wiring()) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "assent notice manifest"
