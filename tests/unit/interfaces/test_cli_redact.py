"""`assent redact`: one line out for each line in, offsets of the text that came in, bad lines named."""

import json
from pathlib import Path

from homes import call

from assent.wiring import Wiring


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), "utf-8")
    return path


def test_lines_are_redacted_in_order_and_bad_ones_named(tmp_path: Path) -> None:
    text = "größer 😀: mail ana@x.pt"
    lines = written(tmp_path / "in", {"id": "a", "text": text}, "nonsense", {"id": 7}, {"id": 2, "text": "nothing"})
    said = call(Wiring(), "redact", lines)
    assert said.status == 4
    first, second = said.lines()
    (one,) = first["findings"]
    assert first["id"] == "a"
    assert (one["type"], text[one["start"] : one["end"]]) == ("mail", "ana@x.pt")
    assert "ana@x.pt" not in first["text"]
    assert second == {"id": 2, "text": "nothing", "findings": []}
    assert "line 2" in said.err
    assert "line 3" in said.err
    assert "nonsense" not in said.err


def test_a_key_gives_the_same_surrogates_again(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"0" * 32)
    lines = written(tmp_path / "in", {"id": "a", "text": "mail ana@x.pt"})
    told = [call(Wiring(), "redact", "--key-file", key, lines).out for _ in range(2)]
    assert told[0] == told[1]
    assert call(Wiring(), "redact", lines).out != told[0]


def test_only_the_types_asked_for_are_redacted(tmp_path: Path) -> None:
    lines = written(tmp_path / "in", {"id": "a", "text": "mail ana@x.pt, ssn 123-45-6789"})
    said = call(Wiring(), "redact", "--types", "national_id", lines)
    assert [one["type"] for one in said.lines()[0]["findings"]] == ["national_id"]
    assert "ana@x.pt" in said.lines()[0]["text"]
    wrong = call(Wiring(), "redact", "--types", "mial", lines)
    assert wrong.status == 1
    assert "`mial`" in wrong.err


def test_half_a_character_is_a_bad_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = written(tmp_path / "in", '{"id": 1, "text": "\\ud800 lone"}', {"id": 2, "text": "whole"})
    said = call(Wiring(), "redact", lines)
    assert said.status == 4
    assert [one["id"] for one in said.lines()] == [2]
    assert "line 1" in said.err
