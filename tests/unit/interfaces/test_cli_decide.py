"""`assent decide`: facts in, decisions out in order, bad lines on standard error."""

import json
from pathlib import Path

import pytest
from homes import call, program

from assent.wiring import Wiring

AT = ("--at", "2026-01-01T00:00:00Z")
NEW, OLD = "anthropic/2025-10-08", "anthropic/2025-05-01"
FACTS = {
    "part": "p1", "plan": "pro", "age": 30, "mode": "normal", "data": "text", "origin": "person",
    "created_at": "2025-12-10T12:00:00Z", "last_turn_at": "2025-12-10T12:00:00Z",
    "choices": [{"purpose": "training", "act": "allow", "at": "2025-11-09T00:00:00Z"}],
}  # fmt: skip


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "facts.ndjson"
    rows = [
        json.dumps(FACTS),
        "",
        "nonsense",
        json.dumps({**FACTS, "part": "p2", "plan": "team"}),
        '{"part":"p3","age":-1}',
    ]
    path.write_text("\n".join(rows), "utf-8")
    return path


@pytest.mark.parametrize("engine", ["reference", "set"])
def test_lines_are_decided_in_order_and_bad_ones_named(lines: Path, engine: str) -> None:
    said = call(Wiring(), "decide", "--policy", NEW, *AT, "--engine", engine, lines)
    assert said.status == 4
    assert [answer["part"] for answer in said.lines()] == ["p1", "p2"]
    assert said.lines()[0]["eligible"] == ["training"]
    first, _, second, fix = said.err.splitlines()
    assert first == "assent: line 3: the line is not JSON"
    assert second == "assent: line 5: key `age`: is not an age"
    assert fix == "  give full years from 0 to 150, or one of child, teen, minor, adult"


def test_both_engines_print_the_same_bytes(lines: Path) -> None:
    for policies in ((NEW,), (OLD, NEW), ("google/2026-08-10", "openai/2026-06-04")):
        options = [word for name in policies for word in ("--policy", name)]
        printed = {
            call(Wiring(), "decide", *options, *AT, "--engine", name, lines).out for name in ("reference", "set")
        }
        assert len(printed) == 1
        assert {answer["policy"] for answer in map(json.loads, printed.pop().splitlines())} == {" + ".join(policies)}


def test_standard_input_is_read_and_no_home_is_needed(tmp_path: Path) -> None:
    line = json.dumps(FACTS).encode()
    done = program("decide", "--policy", NEW, *AT, cwd=tmp_path, stdin=line + b"\n\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["erase_by"] == "2030-12-10T12:00:00Z"
    assert list(tmp_path.iterdir()) == []


def test_the_clock_may_be_told_instead_of_at(tmp_path: Path) -> None:
    line = json.dumps(FACTS).encode()
    done = program("decide", "--policy", NEW, cwd=tmp_path, stdin=line, ASSENT_CLOCK="2031-01-01T00:00:00Z")
    assert json.loads(done.stdout)["at"] == "2031-01-01T00:00:00Z"


def test_the_example_of_the_help_works(tmp_path: Path) -> None:
    """Whoever copies it into a shell gets a decision."""
    import subprocess
    import sys

    out = call(Wiring(), "decide", "--help").out
    example = out.partition("Example:\n")[2].partition("\n\n")[0]
    script = f"assent() {{ '{sys.executable}' -m assent \"$@\"; }}\n{example}\n"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["eligible"] == ["training"]


def test_an_empty_input_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"\n \n")
    for engine in ("reference", "set"):
        said = call(Wiring(), "decide", "--policy", NEW, *AT, "--engine", engine, tmp_path / "none")
        assert (said.status, said.out, said.err) == (0, "", "")


@pytest.mark.parametrize("named", ["nobody/2025", "./missing.toml"])
def test_an_unknown_policy_is_not_found(lines: Path, named: str) -> None:
    said = call(Wiring(), "decide", "--policy", named, *AT, lines)
    assert (said.status, said.out) == (3, "")
    assert said.err.startswith(f"assent: no policy file `{named}`\n")


def test_a_policy_is_needed() -> None:
    said = call(Wiring(), "decide")
    assert said.status == 1
    assert "--policy" in said.err
