"""The page of injected faults says what there is: every fault has its tests, every test its row, and all of it held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.injected.__main__ import main
from tests.injected.known import KNOWN, marked
from tests.injected.record import FAILED, HELD, NOT_RUN, PAGE, ROOT, Result, Tally, page, promised, read_page, rows


def test_every_fault_has_a_test_and_every_mark_names_a_fault() -> None:
    names = [fault.name for fault in KNOWN]
    assert len(names) == len(set(names))
    assert set(marked()) == set(names)


def test_the_page_has_a_row_for_every_fault_and_names_its_tests() -> None:
    found = read_page(PAGE.read_text("utf-8"))
    assert [tuple(cells[:4]) for cells in found] == promised(), "run `make check-faults`, which writes the page anew"


def test_the_page_shows_that_everything_held() -> None:
    for name, _, _, _, times, _, outcome, _ in read_page(PAGE.read_text("utf-8")):
        assert outcome == HELD or outcome.startswith((f"{HELD}; {NOT_RUN}", NOT_RUN)), f"{name}: {outcome}"
        assert int(times.replace(",", "")) > 0 or outcome.startswith(NOT_RUN), name


def result(test: str, outcome: str = HELD, seed: int | None = None, times: int = 1) -> Result:
    return Result(test, "killed sweep", outcome, "no root", times, seed, 1.0, "2026-01-01", "abc")


def test_what_came_of_the_tests_of_a_fault_is_summed_up() -> None:
    tests = marked()["killed sweep"]
    ran = [result(f"{test}[{seed}]", seed=seed, times=10) for test in tests for seed in (0, 1, 2, 7)]
    [row] = [row for row in rows(ran) if row.fault.name == "killed sweep"]
    assert (row.outcome, row.times, row.seeds, row.days) == (HELD, 40 * len(tests), "0-2, 7", "2026-01-01")
    assert [tuple(cells[:4]) for cells in read_page(page(rows(ran)))] == promised()
    [row] = [row for row in rows([*ran, result(f"{tests[0]}[9]", FAILED)]) if row.fault.name == "killed sweep"]
    assert row.outcome == FAILED
    some = [one for one in ran if not one.test.startswith(tests[-1])]
    [row] = [row for row in rows([*some, result(tests[-1], NOT_RUN)]) if row.fault.name == "killed sweep"]
    assert row.outcome == f"{HELD}; {NOT_RUN}: `{tests[-1].partition('::')[2]}` (no root)"


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally.jsonl")
    tally.add(result("tests/a.py::test_a", FAILED))
    tally.add(result("tests/a.py::test_a"))
    with (tmp_path / "tally.jsonl").open("a") as file:
        file.write('{"test": "tests/a.py::te')  # killed while it wrote
    again = Tally(tmp_path / "tally.jsonl")
    assert [one.outcome for one in again.results.values()] == [HELD]


def test_a_fault_that_nobody_knows_is_refused_by_name() -> None:
    told = CliRunner().invoke(main, ["--only", "gremlins"])
    assert told.exit_code == 2
    assert "there is no fault `gremlins`" in told.output


@pytest.mark.deep
def test_the_command_runs_a_fault_says_how_far_it_is_and_tells_what_came_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.injected", "--scale", "small", "--only", "disk that refuses the journal"]
    command += ["--results", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["faults"]
    assert (told["fault"], told["times"], told["outcome"]) == ("disk that refuses the journal", 1, HELD)
    assert "1 tests to run, 0 are done" in done.stderr
