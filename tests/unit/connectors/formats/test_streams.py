import io
import json
import zipfile
from pathlib import Path

import orjson
import pytest
from accounting import DEEP, anything
from chat_exports import write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats import exports, streams
from assent.connectors.formats.exports import heads, json_records, open_export, small_json, wanted
from assent.connectors.formats.port import Malformed
from assent.connectors.formats.streams import json_array
from assent.domain.errors import Invalid, NotFound


class Bad(str):
    """A problem in the expected result, told apart from text that was read."""

    __slots__ = ()


def _ignore(_count: int) -> None:
    pass


def _read(content: bytes) -> list[object]:
    found = list(json_array(io.BytesIO(content), "chats.json", _ignore))
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    for number, value in found:
        if isinstance(value, Malformed):
            assert (value.place.file, value.place.line) == ("chats.json", number)
    return [Bad(value.problem) if isinstance(value, Malformed) else value for _, value in found]


CUT = Bad("the record is cut off")
OPEN = Bad("the file ends before its array does")
WRONG = Bad("not valid JSON")
TABLE = [
    # what it is, the file, what is read
    ("empty", b"", [Bad("the file is empty")]),
    ("blank", b" \r\n", [Bad("the file is empty")]),
    ("no records", b"[]", []),
    ("byte order mark", b"\xef\xbb\xbf[1]", [1]),
    ("Windows lines", b'[\r\n{"a": 1},\r\n{"a": 2}\r\n]\r\n', [{"a": 1}, {"a": 2}]),
    ("one object", b'{"a": {"b": 1}}', [{"a": {"b": 1}}]),
    ("one object over lines", b'{\n "a": [\n  {"a": 1}\n ]\n}\n', [{"a": [{"a": 1}]}]),
    ("JSON lines", b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
    ("a broken line", b'{"a": 1}\nhello\n{"a": 2}\n', [{"a": 1}, WRONG, {"a": 2}]),
    ("scalars", b'[1, "x", null, true, -2.5e3, [2]]', [1, "x", None, True, -2500.0, [2]]),
    (
        "first keys differ",
        b'[{"a": 1}, {"b": [{"a": 1}, {"b": 2}]}, {"c": 3}]',
        [{"a": 1}, {"b": [{"a": 1}, {"b": 2}]}, {"c": 3}],
    ),
    (
        "inner records alike",
        b'[{"id": 1, "m": [{"id": 2}, {"id": 3}]}, {"id": 4}]',
        [{"id": 1, "m": [{"id": 2}, {"id": 3}]}, {"id": 4}],
    ),
    ("a record in a string", b'[{"a": ", {\\"a\\": 1}, ["}, {"a": 2}]', [{"a": ', {"a": 1}, ['}, {"a": 2}]),
    ("a wrong literal", b'[{"a": 1}, {"a": nul}, {"a": 3}]', [{"a": 1}, WRONG, {"a": 3}]),
    ("infinity", b'[{"a": 1e999}, {"a": NaN}, {"a": 3}]', [WRONG, WRONG, {"a": 3}]),
    ("a huge whole number", b'[{"a": 123456789012345678901234}]', [{"a": 1.2345678901234568e23}]),
    ("not UTF-8", b'[{"a": "\xff"}, {"a": 2}]', [Bad("not UTF-8"), {"a": 2}]),
    ("a control character", b'[{"a": "\x00"}, {"a": 2}]', [WRONG, {"a": 2}]),
    (
        "half an emoji",
        b'["\\ud83d", "\\ude00!", "\\ud83d\\ude00", "\\\\ud83d", "\\ud83d\\ud83d\\ude00"]',
        ["\ufffd", "\ufffd!", "\U0001f600", "\\ud83d", "\ufffd\U0001f600"],
    ),
    ("an open string", b'[{"a": "x, {"a": 2}]', [CUT, {"a": 2}]),
    ("an open object", b'[{"a": {"b": 1}, {"a": 2}]', [Bad("the record's brackets do not match"), {"a": 2}]),
    (
        "an open object with records alike",
        b'[{"a": {"b": [{"a": 1}, {"a": 2}]}, {"a": 3}]',
        [Bad("the record's brackets do not match"), {"a": 3}],
    ),
    (
        "an odd record left open",
        b'[{"a": 1, "b": 1}, {"x": 1, {"a": 2, "b": 2}]',
        [{"a": 1, "b": 1}, Bad("the record's brackets do not match"), {"a": 2, "b": 2}],
    ),
    ("an open list", b'[{"a": [1}, {"a": 2}]', [Bad("the record's brackets do not match"), {"a": 2}]),
    ("a bracket too many", b'[{"a": 1}}, {"a": 2}]', [{"a": 1}, Bad("the record's brackets do not match"), {"a": 2}]),
    ("a missing comma", b'[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ("cut in a record", b'[{"a": 1}, {"a": "tw', [{"a": 1}, CUT]),
    ("cut after a record", b'[{"a": 1}', [{"a": 1}, OPEN]),
    ("cut after a comma", b'[{"a": 1},', [{"a": 1}, OPEN]),
    ("something after the end", b"[1] x", [1, Bad("text after the end of the array")]),
    ("no JSON", b"<html></html>", [Bad("not a JSON array")]),
    ("UTF-16", '[{"a": 1}]'.encode("utf-16"), [Bad("not a JSON array")]),
    ("too deep", b'[{"a": ' + b"[" * DEEP + b"]" * DEEP + b'}, {"b": 2}]', [Bad("nested too deeply"), {"b": 2}]),
]


@pytest.mark.parametrize(("content", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
@pytest.mark.parametrize("chunk_bytes", [1, 7, streams.CHUNK_BYTES])
def test_a_file_gives_its_records(
    content: bytes, expected: list[object], chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if len(content) < DEEP:
        monkeypatch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
        monkeypatch.setattr(streams, "WINDOW_BYTES", chunk_bytes)
    found = _read(content)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.lists(json_values, max_size=6), st.integers(1, 40), st.sampled_from([None, 1]))
def test_it_reads_what_a_whole_parser_reads(values: list[object], chunk_bytes: int, indent: int | None) -> None:
    content = json.dumps(values, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(streams, "WINDOW_BYTES", chunk_bytes)
        assert _read(content) == values


@given(st.lists(json_values, max_size=5), st.data())
def test_damage_costs_no_record_before_it_and_never_raises(values: list[object], data: st.DataObject) -> None:
    content = bytearray(json.dumps(values, ensure_ascii=False).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    whole = sum(
        len(json.dumps(values[:count], ensure_ascii=False).encode()) <= at for count in range(1, len(values) + 1)
    )
    content[at] = data.draw(st.integers(0, 255))
    found = _read(bytes(content))
    # The byte after a record may turn a number before it into another one.
    sure = max(0, whole - 1)
    assert found[:sure] == values[:sure]


@pytest.mark.parametrize("title", ["short", "longer than a head is looked for " * 100])
def test_neighbours_of_a_broken_record_survive(title: str) -> None:
    good = {"title": title, "mapping": {"a": [{"title": 1}, {"title": 2}]}}
    record = json.dumps(good).encode()
    broken = [
        record[:-2],  # two brackets missing
        record.replace(b'"mapping": {', b'"mapping": '),  # one bracket too many
        record.replace(b'"mapping"', b'"mapping'),  # a string without its end
        record.replace(b"[", b""),  # a list without its beginning
        record[:20] + b"\xff" + record[20:],
        record[: len(record) // 2],
    ]
    for fault in broken:
        found = _read(b"[" + b", ".join([record, fault, record, record]) + b"]")
        assert found.count(good) == 3
        assert sum(isinstance(value, Bad) for value in found) in (1, 2, 3)


def test_memory_follows_the_record_and_not_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1_000)
    monkeypatch.setattr(streams, "WINDOW_BYTES", 500)
    held: list[int] = []
    fill = streams._Window.fill

    def watched(self: streams._Window, size: int) -> bool:
        result = fill(self, size)
        held.append(len(self.data))
        return result

    monkeypatch.setattr(streams._Window, "fill", watched)
    values = [{"id": number, "text": "y" * 700} for number in range(500)]
    content = json.dumps(values).encode()
    assert _read(content) == values
    assert max(held) < 5_000
    held.clear()
    # An object that is left open is noticed at the next record, not at the end of the file.
    assert _read(content.replace(b"[", b'[{"id": {"text": 1}, ', 1))[1:] == values
    assert max(held) < 5_000


def test_a_record_above_the_limit_is_refused_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHUNK_BYTES", 100)
    monkeypatch.setattr(streams, "WINDOW_BYTES", 50)
    monkeypatch.setattr(streams, "MAX_RECORD_BYTES", 2_000)
    content = json.dumps([{"a": 1}, {"a": "z" * 9_000}, {"a": list(range(3_000))}, {"a": 2}]).encode()
    assert [isinstance(value, Bad) or value for value in _read(content)] == [{"a": 1}, True, True, {"a": 2}]


def test_the_search_after_broken_records_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_RESCAN_BYTES", 100)
    content = b"[" + b'{"a": [1, ' * 200
    found = _read(content)
    assert 1 <= len(found) < 20
    assert all(isinstance(value, Bad) for value in found)


def test_all_bytes_are_reported() -> None:
    content = json.dumps([{"a": "x" * 100}] * 50).encode() + b"   \n"
    told: list[int] = []
    assert len(list(json_array(io.BytesIO(content), "x", told.append))) == 50
    assert sum(told) == len(content)


def test_a_stream_that_breaks_off_is_said_and_what_came_before_is_kept() -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if found := super().read(size):
                return found
            raise zipfile.BadZipFile

    found = [value for _, value in json_array(Breaking(b'[{"a": 1}, {"a": 2}'), "x", _ignore)]
    assert found[:2] == [{"a": 1}, {"a": 2}]
    assert isinstance(found[2], Malformed)
    assert found[2].problem == "the file is damaged from here on"
    assert len(found) == 3


# --- the files of an export


def _names(path: Path) -> list[str]:
    with open_export(path) as files:
        return [file.name for file in files]


def test_zip_folder_and_file_give_the_same_records(tmp_path: Path) -> None:
    files: dict[str, object] = {"export/chats.json": [{"a": 1}, {"a": 2}], "export/logo.png": b"\x89PNG"}
    packed = write_zip(tmp_path / "export.zip", files)
    folder = write_folder(tmp_path / "folder", files)
    for path, name in (
        (packed, "export/chats.json"),
        (folder, "export/chats.json"),
        (folder / "export/chats.json", "chats.json"),
    ):
        with open_export(path) as listed:
            (file,) = wanted(listed, path, lambda name: name.endswith("chats.json"))
            assert file.name == name
            found = list(json_records(file, _ignore))
        assert [(place.file, place.line, value) for place, value in found] == [(name, 1, {"a": 1}), (name, 2, {"a": 2})]


def test_progress_in_an_archive_is_counted_in_bytes_of_the_archive(tmp_path: Path) -> None:
    packed = write_zip(tmp_path / "export.zip", {"chats.json": [{"a": "x" * 100_000}]})
    told: list[int] = []
    with open_export(packed) as (file,):
        assert len(list(json_records(file, told.append))) == 1
        assert sum(told) == file.stored < packed.stat().st_size < 2_000


@pytest.mark.parametrize(
    "name",
    ["../chats.json", "/chats.json", "a/../../chats.json", "C:/chats.json", "..\\chats.json", "\\\\host\\x.json"],
)
def test_a_zip_that_names_a_file_outside_itself_is_refused(name: str, tmp_path: Path) -> None:
    packed = write_zip(tmp_path / "export.zip", {"good.json": [], name: []})
    with pytest.raises(Invalid, match="outside itself"):
        _names(packed)


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("chats.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr(link, "secret.json")
    with pytest.raises(Invalid, match="outside itself"):
        _names(tmp_path / "export.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    packed = write_zip(tmp_path / "export.zip", {"chats.json": []})
    content = bytearray(packed.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(signature) + offset] |= 1
    packed.write_bytes(content)
    with pytest.raises(Invalid, match="encrypted"):
        _names(packed)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_ENTRIES", 2, "more than 2 files"),
        ("MAX_EXPORT_BYTES", 1_000, "unpacks to more than"),
        ("RATIO_MATTERS_FROM_BYTES", 1_000, "times its size"),
    ],
)
def test_a_zip_bomb_is_refused(
    limit: str, value: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = write_zip(tmp_path / "export.zip", {"a.json": b" " * 2_000_000, "b.json": [], "c.json": []})
    assert len(_names(packed)) == 3
    monkeypatch.setattr(exports, limit, value)
    with pytest.raises(Invalid, match=message):
        _names(packed)


def test_a_zip_entry_with_a_wrong_checksum_loses_only_its_end(tmp_path: Path) -> None:
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("chats.json", b'[{"a": 1}, {"a": 2}]')
    packed.write_bytes(packed.read_bytes().replace(b'"a": 2', b'"a": 3'))
    with open_export(packed) as (file,):
        found = [value for _, value in json_records(file, _ignore)]
    assert all(isinstance(value, Malformed) or value in ({"a": 1}, {"a": 3}) for value in found)
    assert isinstance(found[-1], Malformed)
    assert found[-1].problem == "the file is damaged from here on"


def test_damage_inside_a_zip_entry_is_said_and_never_raised(tmp_path: Path) -> None:
    packed = write_zip(tmp_path / "export.zip", {"chats.json": [{"a": number} for number in range(2_000)]})
    content = bytearray(packed.read_bytes())
    for at in range(200, 1_000, 3):
        content[at] ^= 0x55
    packed.write_bytes(content)
    with open_export(packed) as (file,):
        found = [value for _, value in json_records(file, _ignore)]
        assert small_json(file) is None
    assert isinstance(found[-1], Malformed)
    assert list(heads(packed, lambda _name: True)) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_zip_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(content)
    with pytest.raises(Invalid, match="ZIP"):
        _names(tmp_path / "export.zip")


def test_a_path_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        _names(tmp_path / "nothing")


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "export", {"chats.json": []})
    (tmp_path / "secret.json").write_bytes(b"[1]")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    assert _names(folder) == ["chats.json"]


@given(anything)
def test_any_json_is_read_as_a_whole_parser_reads_it(value: object) -> None:
    content = orjson.dumps([value], option=orjson.OPT_NON_STR_KEYS) if not _is_huge(value) else b"[1]"
    assert _read(content) == orjson.loads(content)


def _is_huge(value: object) -> bool:
    if isinstance(value, dict | list):
        return any(_is_huge(inner) for inner in (value.values() if isinstance(value, dict) else value))
    return (isinstance(value, int) and abs(value) >= 2**63) or (isinstance(value, float) and value - value != 0)
