"""`assent dedup`: texts in, what is kept out, in order; bad lines on standard error."""

import json
import sys
from pathlib import Path

import pytest
from homes import call, program

from assent.wiring import Wiring

STORY = "wizards quickly mix quartz jugs near old barns while foxes jump over sleeping dogs"


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def test_each_line_has_an_answer_in_order_and_the_smallest_id_is_kept(tmp_path: Path) -> None:
    lines = written(
        tmp_path / "texts.ndjson",
        {"id": "b", "text": STORY},
        {"id": 10, "text": STORY.upper()},
        {"id": "a", "text": "something else"},
        {"id": 9, "text": f"{STORY}!"},
    )
    said = call(Wiring(), "dedup", lines)
    assert said.status == 0
    assert said.lines() == [
        {"id": "b", "keep": False, "cluster": 9},
        {"id": 10, "keep": False, "cluster": 9},
        {"id": "a", "keep": True, "cluster": "a"},
        {"id": 9, "keep": True, "cluster": 9},
    ]


def test_the_threshold_decides(tmp_path: Path) -> None:
    words = [f"word{place}" for place in range(50)]
    lines = written(
        tmp_path / "texts.ndjson",
        {"id": 1, "text": " ".join(words)},
        {"id": 2, "text": " ".join([*words[:-4], "and", "now", "the", "end"])},
    )
    assert [answer["cluster"] for answer in call(Wiring(), "dedup", "--threshold", "0.8", lines).lines()] == [1, 1]
    assert [answer["cluster"] for answer in call(Wiring(), "dedup", "--threshold", "0.9", lines).lines()] == [1, 2]
    assert [answer["cluster"] for answer in call(Wiring(), "dedup", "--words", "50", lines).lines()] == [1, 2]


def test_bad_lines_are_named_without_what_they_say_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = written(
        tmp_path / "texts.ndjson",
        {"id": "a", "text": STORY},
        "",
        "secret nonsense",
        '["secret"]',
        {"id": None, "text": "secret"},
        {"id": "b", "text": 7},
        {"id": "a", "text": "secret"},
        {"id": "c", "text": STORY},
    )
    said = call(Wiring(), "dedup", lines)
    assert said.status == 4
    assert [(answer["id"], answer["cluster"]) for answer in said.lines()] == [("a", "a"), ("c", "a")]
    assert [line.split(":")[1].strip() for line in said.err.splitlines() if line.startswith("assent:")] == [
        "line 3", "line 4", "line 5", "line 6", "line 7",
    ]  # fmt: skip
    assert "secret" not in said.err


@pytest.mark.parametrize("threshold", ["0", "0.3", "1.01", "much"])
def test_a_threshold_that_would_miss_pairs_is_refused(threshold: str, tmp_path: Path) -> None:
    assert call(Wiring(), "dedup", "--threshold", threshold, written(tmp_path / "t")).status == 1


def test_standard_input_is_read_and_nothing_gives_nothing(tmp_path: Path) -> None:
    done = program("dedup", cwd=tmp_path, stdin=b'{"id":1,"text":"a"}\n{"id":2,"text":"A"}\n')
    assert [json.loads(line)["cluster"] for line in done.stdout.splitlines()] == [1, 1]
    assert program("dedup", cwd=tmp_path).stdout == ""


def test_a_library_that_is_missing_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("assent.pipeline.dedup.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    said = call(Wiring(), "dedup", written(tmp_path / "texts.ndjson", {"id": 1, "text": "a"}))
    assert said.status == 2
    assert "needs `numba`" in said.err
    assert "assent[cut]" in said.err
