import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from assent.connectors.formats.fields import (
    arguments_text,
    existing,
    file_bytes,
    instant,
    json_text,
    mapping,
    place_file,
    sequence,
    string,
    tool_origin,
)
from assent.domain.digests import canonical
from assent.domain.errors import Invalid, NotFound

NOON = datetime(2025, 6, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-06-14T12:00:00Z", NOON),
        ("2025-06-14T14:00:00+02:00", NOON),
        (1749902400, NOON),
        (1749902400.0, NOON),
        (1749902400000, NOON),
        (1749902400000000000, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(timezone(timedelta(hours=5))), NOON),
        ("2025-06-14T12:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (math.nan, None),
        (math.inf, None),
        (1e300, None),
        (10**40, None),
        ([], None),
    ],
)
def test_a_time_is_read_in_any_unit_or_not_at_all(value: object, expected: datetime | None) -> None:
    found = instant(value)
    assert found == expected
    assert found is None or found.tzinfo is UTC


def test_a_field_of_another_type_reads_as_empty() -> None:
    assert (string(1), mapping([]), sequence({})) == ("", {}, [])
    assert (string("a"), mapping({"a": 1}), sequence([1])) == ("a", {"a": 1}, [1])


@pytest.mark.parametrize("value", [{"b": [1, None, True], "a": "ä😀\u2028\n\x00"}, [], {"é": 1, "e": 2, "😀": 3}])
def test_json_text_is_the_canonical_form(value: object) -> None:
    assert json_text(value).encode() == canonical(value)


def test_json_text_has_a_limit_and_names_it() -> None:
    nested: object = "x"
    for _ in range(300):
        nested = [nested]
    assert json_text(nested) == "[" * 300 + '"x"' + "]" * 300
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(Invalid, match="cannot be written as JSON"):
        json_text(nested)
    with pytest.raises(Invalid):
        json_text({"a": b"bytes"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ("ls -la", "ls -la"),
        ("42", "42"),
        ('{"cut', '{"cut'),
        (None, ""),
    ],
)
def test_arguments_are_canonical_where_they_are_json(value: object, expected: str) -> None:
    assert arguments_text(value) == expected


def test_places_never_show_folders_above_the_source(tmp_path: Path) -> None:
    assert place_file(tmp_path, tmp_path / "a" / "b.jsonl") == "a/b.jsonl"
    assert place_file(tmp_path / "a", tmp_path / "b.jsonl") == "b.jsonl"
    assert place_file(tmp_path, tmp_path) == tmp_path.name


def test_connectors_are_told_by_their_name() -> None:
    assert (tool_origin("mcp__wiki__search"), tool_origin("Read")) == ("connector", "tool")


def test_files_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert file_bytes(path, 5) == b"12345"
    with pytest.raises(Invalid, match="larger"):
        file_bytes(path, 4)
    with pytest.raises(Invalid, match="opened"):
        file_bytes(tmp_path)
    with pytest.raises(NotFound):
        existing(tmp_path / "none")
