"""The board of the benchmarks: one small headline really measured, recorded, drawn, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks.__main__ import HERE, main, names, poorer, write_board
from benchmarks.board import check, page, picture, records, rounds
from benchmarks.board.values import Aim, Figure, Growth, Record, Result, Spread, Table, Words

KEPT = records.read_all(HERE / "records")
WORDS = Words("Sorting | a list", "Two lists.", peer="a list sorted by hand", remarks=("It is short.",))
RATIO = Figure("against a sorted list", Spread(1.5, 1.4, 1.6))
RESULT = Result(
    figures=(Figure("ours", Spread(20.0, 18.0, 30.0), "ms", Aim("at most", 10)),),
    ratios=(RATIO,),
    growth=(Growth("sorting", "µs", "items", ((10, Spread.single(2)), (40, Spread.single(3)))),),
    tables=(Table(("kind", "right"), (("plain", "0.9"),)),),
    notes=("Nothing was lost.",),
    absent=("a peer: it is not installed",),
)
RECORD = Record("sorting", WORDS, "2026-11-23", "one core", {"ITEMS": 40_000.0}, RESULT)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Measure the smallest headline once, small."""
    out = tmp_path_factory.mktemp("board")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SIZE", "small")
        patched.setenv("ROUNDS", "1")
        assert main(["--only", "help", "--out", str(out)]) == 0
        yield out


def ratio_recorded_as(board: Path, median: float) -> None:
    file = board / "records" / "help.json"
    kept = records.read(file)
    ratios = tuple(replace(one, spread=Spread.single(median)) for one in kept.result.ratios)
    records.write(file.parent, replace(kept, result=replace(kept.result, ratios=ratios)))


def test_a_run_leaves_a_record_a_page_and_a_picture(board: Path) -> None:
    kept = json.loads((board / "records" / "help.json").read_bytes())
    assert kept["settings"] == {"ROUNDS": 1.0}
    assert kept["result"]["ratios"][0]["spread"]["median"] > 0
    text = (board / "RESULTS.md").read_text("utf-8")
    assert "## The help page" in text
    assert "(pictures/help.svg)" in text
    assert "Python 3." in text
    assert "Not measured yet: `centre`" in text
    assert ET.parse(board / "pictures" / "help.svg").getroot().tag.endswith("svg")


def test_the_page_is_made_anew_with_the_words_of_today_and_the_figures_of_then(board: Path) -> None:
    kept = records.read(board / "records" / "help.json")
    records.write(board / "records", replace(kept, words=replace(kept.words, title="An older title")))
    assert main(["--page", "--out", str(board)]) == 0
    assert records.read(board / "records" / "help.json") == kept
    assert "An older title" not in (board / "RESULTS.md").read_text("utf-8")


def test_a_worse_ratio_fails_after_a_second_run_and_a_better_one_passes(
    board: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ratio_recorded_as(board, 1_000.0)
    before = (board / "records" / "help.json").read_bytes()
    assert main(["--check", "--only", "help", "--out", str(board)]) == 0
    assert "no ratio is worse than recorded" in capfd.readouterr().out
    assert (board / "records" / "help.json").read_bytes() == before
    ratio_recorded_as(board, 0.001)
    assert main(["--check", "--only", "help", "--out", str(board)]) == 1
    said = capfd.readouterr().out
    assert said.count("== help: measuring") == 2
    assert "WORSE help: `against an interpreter that imports click`: recorded 0.001, now " in said


def test_an_unknown_headline_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "nothing"]) == 3
    assert "no benchmark `nothing`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recorded", "now", "worse"),
    [
        (Spread(1.0, 0.9, 1.1), 1.19, False),
        (Spread(1.0, 0.9, 1.1), 1.21, True),
        (Spread(1.0, 0.5, 2.0), 1.9, False),
        (Spread(1.0, 0.5, 2.0), 2.1, True),
    ],
    ids=["within a fifth", "beyond a fifth", "within the recorded rounds", "beyond the recorded rounds"],
)
def test_worse_is_more_than_a_fifth_and_beyond_every_recorded_round(recorded: Spread, now: float, worse: bool) -> None:
    before, after = (Result(ratios=(replace(RATIO, spread=one),)) for one in (recorded, Spread.single(now)))
    assert [one.worse for one in check.compared(before, after)] == [worse]


def test_a_ratio_that_only_one_side_has_is_not_lost_from_sight() -> None:
    other = Result(ratios=(replace(RATIO, name="against another"),))
    found = {one.name: (one.then, one.now) for one in check.compared(RESULT, other)}
    assert found == {RATIO.name: (RATIO.spread, None), "against another": (None, RATIO.spread)}


def test_a_record_that_has_a_peer_is_not_replaced_by_a_run_without() -> None:
    assert poorer(replace(RESULT, absent=()), RESULT) == "a peer: it is not installed"
    assert poorer(RESULT, replace(RESULT, absent=("a peer: it failed",))) == ""


def test_the_page_says_what_was_not_reached_what_was_absent_and_how_to_repeat_it() -> None:
    text = page.section(RECORD)
    for said in (
        "| ours | 20 (18 to 30) ms | at most 10: **not reached** |",
        "| against a sorted list | 1.50 (1.40 to 1.60) |",
        "**Absent: a peer: it is not installed.**",
        "at the largest 1.50 times what it costs at the smallest",
        "It is short.",
        "Nothing was lost.",
        "one core; ITEMS=40_000. Measured by `make bench ONLY=sorting`.",
    ):
        assert said in text


def test_a_picture_is_the_same_text_each_time_without_script_for_light_and_dark() -> None:
    drawn = picture.picture(RECORD)
    assert drawn == picture.picture(RECORD)
    assert "<script" not in drawn
    assert "prefers-color-scheme:dark" in drawn
    assert "against a sorted list: 1.50 (1.40 to 1.60)" in drawn


def test_a_headline_names_its_peer_or_says_why_it_has_none() -> None:
    for words in ({}, {"peer": "one", "alone": "none"}):
        with pytest.raises(ValueError, match="names neither a peer nor why it has none, or both"):
            Words("Sorting", "Two lists.", **words)


def test_sizes_come_from_the_environment_or_are_small_or_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SETTINGS", {})
    for name in ("SIZE", "STORED"):
        monkeypatch.delenv(name, raising=False)
    assert rounds.setting("STORED", 400, small=4) == 400
    monkeypatch.setenv("SIZE", "small")
    assert rounds.setting("STORED", 400, small=4) == 4
    monkeypatch.setenv("STORED", "1_000")
    assert rounds.setting("STORED", 400, small=4) == 1_000
    assert rounds.SETTINGS == {"STORED": 1_000}


def test_sides_take_turns_and_are_compared_round_by_round() -> None:
    done: list[str] = []
    clock = iter(range(100)).__next__
    times = rounds.in_turn({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2, lambda: float(clock()))
    assert done == ["a", "b"] * 3
    assert times["a"] == [1.0, 1.0]
    times.add("a", 4.0)
    times.add("b", 2.0)
    assert times.against("a", "b") == Spread(1.0, 1.0, 2.0)


@pytest.mark.parametrize("name", names())
def test_every_benchmark_is_a_headline(name: str) -> None:
    assert "\nHEADLINE = Headline(" in (HERE / f"bench_{name}.py").read_text("utf-8")


def test_the_page_and_the_pictures_of_the_repository_are_those_of_its_records(tmp_path: Path) -> None:
    for record in KEPT.values():
        records.write(tmp_path / "records", record)
    write_board(tmp_path)
    found = {file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {Path("RESULTS.md")} | {
        Path(folder) / f"{name}.{kind}" for name in KEPT for folder, kind in (("records", "json"), ("pictures", "svg"))
    }
    for file in found:
        assert (tmp_path / file).read_bytes() == (HERE / file).read_bytes(), f"{file}: run python -m benchmarks --page"
