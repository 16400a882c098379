"""`redact`, `score`, `skill` and `dedup` read lines alike: a bad one is named with its cause, the rest goes on."""

import json
from pathlib import Path

import pytest
from homes import call, made, program

from assent.wiring import Wiring

TOOLS = ("redact", "score", "skill", "dedup")
GOOD = b'{"id":"good","text":"how do i bake bread?"}'


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"hush {", "the line is not JSON"),
        (b'{"id":"hush","text":"x","more":NaN}', "the line is not JSON"),
        (b'["hush"]', "the line is not a JSON object"),
        (b'{"id":"hush \xff","text":"x"}', "the line is not UTF-8 text"),
        (b'{"id":"\\ud800 hush","text":"x"}', "half a character"),
        (b'{"id":1,"text":"\\udc00 hush"}', "half a character"),
        (b'{"id":1,"text":"hush","more":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id":1e999,"text":"hush"}', "a number is too large"),
        (b'{"id":' + b"9" * 5_000 + b',"text":"hush"}', "a number is too large"),
        (b'{"text":"hush"}', "`id` is missing"),
        (b'{"id":1.5,"text":"hush"}', "`id` is neither text nor a whole number"),
        (b'{"id":true,"text":"hush"}', "`id` is neither text nor a whole number"),
        (b'{"id":null,"text":"hush"}', "`id` is neither text nor a whole number"),
        (b'{"id":"hush"}', "is missing"),
        (b'{"id":"hush","text":7}', "`text` is not text"),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else value,
)
def test_a_bad_line_is_named_with_its_cause_and_the_rest_goes_on(
    tool: str, line: bytes, cause: str, tmp_path: Path
) -> None:
    said = call(Wiring(), tool, written(tmp_path / "in", GOOD, line, GOOD.replace(b"good", b"too")))
    assert said.status == 4
    assert [one["id"] for one in said.lines()] == ["good", "too"]
    problem, fix = said.err.splitlines()
    assert problem.startswith("assent: line 2: ")
    assert cause in problem
    assert fix.strip()
    assert "hush" not in said.err


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b'{"id":1,"text":"hush","surface":"email"}', "`surface` is unknown"),
        (b'{"id":1,"turns":[]}', "`turns` is no list of turns"),
        (b'{"id":1,"turns":[{"role":"user"}]}', "no `role` or no `text`"),
    ],
)
def test_what_only_score_reads_is_named_too(line: bytes, cause: str, tmp_path: Path) -> None:
    said = call(Wiring(), "score", written(tmp_path / "in", line, GOOD))
    assert (said.status, len(said.lines())) == (4, 1)
    assert cause in said.err
    assert "hush" not in said.err


@pytest.mark.parametrize("tool", TOOLS)
def test_a_whole_number_is_kept_exactly_however_large(tool: str, tmp_path: Path) -> None:
    ids = [2**64, -(2**63) - 1, 10**300 + 1, 2**64 - 1, 7]
    lines = [json.dumps({"id": one, "text": f"the {one % 97}th of many stories"}).encode() for one in ids]
    said = call(Wiring(), tool, written(tmp_path / "in", *lines))
    assert said.status == 0, said.err
    assert [one["id"] for one in said.lines()] == ids


@pytest.mark.parametrize("tool", TOOLS)
def test_a_byte_order_mark_before_the_first_line_is_passed_over(tool: str, tmp_path: Path) -> None:
    said = call(Wiring(), tool, written(tmp_path / "in", b"\xef\xbb\xbf" + GOOD))
    assert said.status == 0, said.err
    assert said.lines()[0]["id"] == "good"


def test_a_byte_order_mark_is_passed_over_on_standard_input(tmp_path: Path) -> None:
    assert json.loads(program("redact", cwd=tmp_path, stdin=b"\xef\xbb\xbf" + GOOD).stdout)["id"] == "good"


def test_a_policy_and_the_settings_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    home = made(tmp_path / "home", "anthropic/2025-10-08")
    for path in (home.folder / "assent.toml", *home.folder.glob("policies/**/*.toml")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert home("status").status == 0, path
        assert home("policy", "check", path).status == 0 or path.name == "assent.toml"


@pytest.mark.parametrize("key", [b"", b"\n", b"0" * 15])
def test_a_key_that_can_be_guessed_is_refused(key: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(key)
    said = call(Wiring(), "redact", "--key-file", tmp_path / "key", written(tmp_path / "in", GOOD))
    assert (said.status, said.out) == (1, "")
    assert "at least 16" in said.err
    assert "head -c 32 /dev/urandom" in said.err


def test_standard_input_holds_the_key_or_the_texts(tmp_path: Path) -> None:
    refused = program("redact", "--key-file", "-", cwd=tmp_path, stdin=GOOD)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "both the key and the texts" in refused.stderr
    lines = written(tmp_path / "in", GOOD)
    assert program("redact", "--key-file", "-", lines, cwd=tmp_path, stdin=b"0" * 32).returncode == 0
