import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from accounting import DAMAGED_LINES

from assent.connectors.formats import jsonl
from assent.connectors.formats.jsonl import objects, read_objects
from assent.connectors.formats.port import Malformed


def _read(content: bytes, **limits: int) -> list[tuple[int | None, object]]:
    found = objects(io.BytesIO(content), "f.jsonl", **limits)
    return [(item.place.line, item.problem) if isinstance(item, Malformed) else (item[0], item[1]) for item in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n\n  \r\n\t\n", []),
        (b'{"a":1}', [(1, {"a": 1})]),
        (b'{"a":1}\n', [(1, {"a": 1})]),
        (b'{"a":1}\r\n{"a":2}\r\n', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'\xef\xbb\xbf{"a":1}\n', [(1, {"a": 1})]),
        (b'\n\n{"a":1}\n\n{"a":2}', [(3, {"a": 1}), (5, {"a": 2})]),
        (b'{"a":"\xe2\x80\xa8"}\n', [(1, {"a": "\u2028"})]),
    ],
    ids=["empty", "blank", "no line end", "line end", "CRLF", "BOM", "blank between", "line separator in text"],
)
def test_a_line_is_an_object(content: bytes, expected: list[object]) -> None:
    assert _read(content) == expected


@pytest.mark.parametrize(("damage", "line"), DAMAGED_LINES, ids=[name for name, _ in DAMAGED_LINES])
def test_a_damaged_line_never_loses_its_neighbours(damage: str, line: bytes) -> None:
    found = _read(b'{"a":1}\n' + line + b'\n{"a":3}\n')
    assert [number for number, _ in found] == [1, 2, 3]
    assert found[0][1] == {"a": 1}
    assert isinstance(found[1][1], str)
    assert found[2][1] == {"a": 3}


def test_half_an_emoji_is_no_damage() -> None:
    assert _read(rb'{"a":"cut \ud83d"}') == [(1, {"a": "cut \ufffd"})]
    assert _read(rb'{"a":"whole \ud83d\ude00, escaped \\ud83d"}') == [(1, {"a": "whole 😀, escaped \\ud83d"})]
    assert _read(rb'{"a":"\ud83d", "b":NaN}') == [(1, "the line is not JSON")]


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 1000])
def test_block_borders_do_not_matter(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "CHUNK_BYTES", chunk_bytes)
    content = b'\xef\xbb\xbf{"a":"\xc3\xa4"}\r\n\n{"b":[1,2,3]}\nbroken\n{"c":{}}'
    found = _read(content)
    assert found == [(1, {"a": "ä"}), (3, {"b": [1, 2, 3]}), (4, "the line is not JSON"), (5, {"c": {}})]


@pytest.mark.parametrize("chunk_bytes", [4, 1000])
def test_a_line_over_the_limit_is_refused_alone(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "CHUNK_BYTES", chunk_bytes)
    long = b'{"a":"' + b"x" * 50 + b'"}'
    found = _read(b'{"a":1}\n' + long + b'\n{"a":3}\n' + long, max_line_bytes=20)
    assert found == [
        (1, {"a": 1}),
        (2, "the line is longer than the limit"),
        (3, {"a": 3}),
        (4, "the line is longer than the limit"),
    ]


class _EndlessLine:
    """A line far over the limit, made as it is read."""

    left = 200

    def read(self, size: int) -> bytes:
        self.left -= 1
        return b"x" * size if self.left >= 0 else b""


def test_a_line_over_the_limit_is_not_held() -> None:
    tracemalloc.start()
    found = list(objects(_EndlessLine(), "f.jsonl", 2 * jsonl.CHUNK_BYTES))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [item.problem for item in found] == ["the line is longer than the limit"]
    assert peak < 8 * jsonl.CHUNK_BYTES


def test_bytes_are_told_as_they_leave_the_disk(tmp_path: Path) -> None:
    content = b'{"a":1}\n' * 50_000
    told: list[int] = []
    for name, data in (("plain.jsonl", content), ("packed.jsonl.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(data)
        told.clear()
        assert sum(1 for _ in read_objects(tmp_path / name, name, told.append)) == 50_000
        assert sum(told) == len(data)


def test_a_damaged_archive_keeps_what_came_before(tmp_path: Path) -> None:
    content = b"".join(b'{"a":%d}\n' % number for number in range(300_000))
    packed = gzip.compress(content)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    found = list(read_objects(tmp_path / "cut.gz", "cut.gz", lambda _count: None))
    assert len(found) > 1000
    assert [type(item) for item in found].count(Malformed) == 1
    assert isinstance(found[-1], Malformed)


def test_what_cannot_be_opened_is_one_malformed_record(tmp_path: Path) -> None:
    (found,) = read_objects(tmp_path, "folder", lambda _count: None)
    assert isinstance(found, Malformed)
    assert found.problem == "the file cannot be opened"
