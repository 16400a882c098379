import gzip
import json
from pathlib import Path

import pytest
from accounting import DAMAGED_LINES, Account, account, anything, damaged, lines
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.sharegpt import IMPORTER

ENTRY = {
    "id": "abc_0",
    "conversations": [
        {"from": "system", "value": "be brief"},
        {"from": "human", "value": "hi"},
        {"from": "gpt", "value": "ho"},
        {"from": "function_call", "value": '{"name": "f"}'},
        {"from": "observation", "value": "42"},
    ],
}
OTHER = {"conversations": [{"from": "human", "value": "other"}], "system": "rules", "tools": [{"name": "f"}]}


def _array(tmp_path: Path, *records: object) -> Account:
    (tmp_path / "set.json").write_text(json.dumps(list(records)))
    return account(IMPORTER, tmp_path / "set.json")


def _lines(tmp_path: Path, *records: object) -> Account:
    (tmp_path / "set.jsonl").write_bytes(lines(*records))
    return account(IMPORTER, tmp_path / "set.jsonl")


def test_an_entry_is_a_conversation(tmp_path: Path) -> None:
    found = _array(tmp_path, ENTRY, OTHER)
    assert [(p.text, p.speaker, p.origin, sorted(p.marks)) for p in found.parts] == [
        ("be brief", "system", "tool", ["system-context"]),
        ("hi", "user", "person", []),
        ("ho", "assistant", "model", []),
        ('{"name": "f"}', "assistant", "model", ["tool-payload"]),
        ("42", "tool", "tool", ["tool-payload"]),
        ("rules", "system", "tool", ["system-context"]),
        ('[{"name":"f"}]', "system", "tool", ["system-context"]),
        ("other", "user", "person", []),
    ]
    assert found.conversations[0].id == "sharegpt:abc_0"
    assert len(found.conversations[1].id.removeprefix("sharegpt:")) == 32


def test_array_lines_and_gzip_say_the_same(tmp_path: Path) -> None:
    expected = _array(tmp_path, ENTRY, OTHER).conversations
    assert _lines(tmp_path, ENTRY, OTHER).conversations == expected
    for name in ("set.json", "set.jsonl"):
        packed = tmp_path / f"{name}.gz"
        packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        found = account(IMPORTER, packed)
        assert found.conversations == expected
        assert found.size_bytes == packed.stat().st_size
        assert IMPORTER.sniff(packed)


def test_chat_messages_under_the_other_name_are_read(tmp_path: Path) -> None:
    assert _array(tmp_path, {"conversations": [{"role": "user", "content": "hi"}]}).part("hi").origin == "person"


def test_twins_and_shared_ids(tmp_path: Path) -> None:
    found = _array(tmp_path, ENTRY, ENTRY, {**OTHER, "id": "abc_0"})
    assert found.reasons == {"duplicate of an earlier record": 1}
    assert [item.id.partition("~")[0] for item in found.conversations] == ["sharegpt:abc_0"] * 2


BAD = [
    {},
    {"conversations": None},
    {"conversations": "text"},
    {"conversations": [1]},
    {"conversations": [{"from": "human"}]},
    {"conversations": [{"value": "a"}]},
    {"conversations": [{"from": "human", "value": 1}]},
    1,
    None,
    "text",
    [],
]


@pytest.mark.parametrize("record", BAD, ids=str)
@pytest.mark.parametrize("write", [_array, _lines])
def test_a_malformed_record_never_loses_its_neighbours(tmp_path: Path, write: object, record: object) -> None:
    found = write(tmp_path, ENTRY, record, OTHER)
    assert [number for _, number, _ in found.problems] == [2]
    assert (found.imported, found.skipped) == (2, 0)


@pytest.mark.parametrize(("damage", "raw"), DAMAGED_LINES, ids=[name for name, _ in DAMAGED_LINES])
def test_a_damaged_line_is_counted(tmp_path: Path, damage: str, raw: bytes) -> None:
    found = _lines(tmp_path, ENTRY, raw, OTHER)
    assert (found.imported, found.skipped, found.malformed) == (2, 0, 1)


def test_a_cut_array_keeps_what_came_before(tmp_path: Path) -> None:
    content = json.dumps([ENTRY, OTHER]).encode()
    (tmp_path / "cut.json").write_bytes(content[:-30])
    found = account(IMPORTER, tmp_path / "cut.json")
    assert found.imported == 1
    assert found.malformed >= 1


def test_an_empty_set_holds_nothing(tmp_path: Path) -> None:
    assert _array(tmp_path).records == 0
    assert _lines(tmp_path).records == 0


@given(st.lists(damaged([ENTRY, OTHER]) | anything, max_size=5))
def test_arbitrary_json_never_raises_and_the_account_adds_up(
    tmp_path_factory: pytest.TempPathFactory, records: list[object]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert _array(folder, ENTRY, *records).records == len(records) + 1
    assert _lines(folder, ENTRY, *records).records == len(records) + 1
